import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '@sigillum/service-kit';

const fileName = /^quarantined-([0-9a-f]{32})\.json$/;

/**
 * The keys that made a wrong signature, one file each, so that a restart doesn't put them back into use. A person who
 * has found the reason deletes the file and sends SIGHUP.
 */
export class Quarantine {
  readonly #directory: string;
  #keys: ReadonlySet<string>;
  /** Their files could not be written: no missing file sets them free. */
  readonly #unwritten = new Set<string>();

  constructor(stateDirectory: string) {
    this.#directory = stateDirectory;
    this.#keys = this.#read();
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  get count(): number {
    return this.#keys.size;
  }

  /**
   * Takes a key out of use, durably. In memory it is out of use in any case.
   * @throws Error when the file can't be written: the caller says so, loudly
   */
  add(keyId: string): void {
    if (this.#keys.has(keyId)) return;
    this.#keys = new Set([...this.#keys, keyId]);
    this.#unwritten.add(keyId);
    this.#write(keyId);
    this.#unwritten.delete(keyId);
  }

  #write(keyId: string): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const path = join(this.#directory, `quarantined-${keyId}.json`);
    const content = { key_id: keyId, since: new Date().toISOString(), reason: 'a signature did not verify' };
    writeFileDurably(path, `${JSON.stringify(content)}\n`);
  }

  /**
   * Looks which files are left. Answers the keys that are in use again. A key whose file could not be written stays,
   * with a new attempt to write it.
   * @throws Error when the folder can't be read, or a file still can't be written: nobody is set free then
   */
  reload(): string[] {
    const before = this.#keys;
    for (const keyId of this.#unwritten) {
      this.#write(keyId);
      this.#unwritten.delete(keyId);
    }
    this.#keys = this.#read();
    return [...before].filter((keyId) => !this.#keys.has(keyId));
  }

  #read(): ReadonlySet<string> {
    try {
      return new Set(readdirSync(this.#directory).flatMap((name) => fileName.exec(name)?.[1] ?? []));
    } catch (error) {
      // No folder yet: nothing was ever wrong. Anything else must not look like that.
      if ((error as { code?: unknown }).code === 'ENOENT') return new Set();
      throw error;
    }
  }
}
