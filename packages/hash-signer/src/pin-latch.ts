import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '@sigillum/service-kit';
import type { PinFileStamp } from './signer-messages.ts';

/**
 * Remembers, over restarts, that a token rejected the PIN of a file: real HSMs lock after a few attempts, so the same
 * file is never tried again. A PIN file with another mtime or size is a new PIN.
 */
export class PinLatch {
  readonly #directory: string;
  readonly #path: string;
  readonly #pinFile: string;

  constructor(stateDirectory: string, tokenSerial: string, pinFile: string) {
    this.#directory = stateDirectory;
    // A serial may hold any character.
    this.#path = join(stateDirectory, `pin-rejected-${Buffer.from(tokenSerial).toString('hex')}.json`);
    this.#pinFile = pinFile;
  }

  /** Whether the PIN file, as it is now, was rejected before. */
  isClosed(): boolean {
    const rejected = this.#read();
    if (rejected === 'never') return false;
    // Something was rejected and nobody can tell what: a person looks, and no attempt is burnt.
    if (rejected === 'unreadable') return true;
    try {
      const { mtimeMs, size } = statSync(this.#pinFile);
      return rejected.mtimeMs === mtimeMs && rejected.size === size;
    } catch (error) {
      // No PIN file: nothing can be tried, and the signer process says so. One that we may not look at is another
      // thing: the signer processes may be another user, who can read it.
      return (error as { code?: unknown }).code !== 'ENOENT';
    }
  }

  /**
   * Durable before anything else happens: the next start must see it.
   * @throws Error when it can't be written: the caller must not start again by itself then
   */
  close(stamp: PinFileStamp): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    writeFileDurably(this.#path, `${JSON.stringify(stamp)}\n`);
  }

  #read(): PinFileStamp | 'never' | 'unreadable' {
    try {
      const value: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
      const { mtimeMs, size } = (value ?? {}) as Partial<PinFileStamp>;
      return typeof mtimeMs === 'number' && typeof size === 'number' ? { mtimeMs, size } : 'unreadable';
    } catch (error) {
      return (error as { code?: unknown }).code === 'ENOENT' ? 'never' : 'unreadable';
    }
  }
}
