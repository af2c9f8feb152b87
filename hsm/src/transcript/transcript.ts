import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import { canonicalJson, encodeChainLine, type JsonObject, nextHash, startOfChain } from '@sigillum/audit';

/**
 * The record of one ceremony: JSON lines in a hash chain whose id is the file's name without `.jsonl`. Its format is
 * that of `@sigillum/audit`, whose `verifyChain` checks it. Lines are durable after `sync`.
 */
export class Transcript {
  /** The chain's id. */
  readonly chain: string;
  readonly path: string;
  readonly #file: number;
  readonly #now: () => Date;
  #sequence = 0;
  #hash: Uint8Array;

  private constructor(chain: string, path: string, file: number, now: () => Date) {
    this.chain = chain;
    this.path = path;
    this.#file = file;
    this.#now = now;
    this.#hash = startOfChain(chain);
  }

  /** Begins a transcript in a folder. The name holds the time, so that names sort by it; it must be new. */
  static create(directory: string, name: string, now: () => Date): Transcript {
    const time = now().toISOString().replace(/[-:]/g, '').replace('.', '');
    const chain = `${time}-${name.replace(/[^a-z0-9.-]+/g, '-')}`;
    const path = join(directory, `${chain}.jsonl`);
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      return new Transcript(chain, path, openSync(path, 'wx', 0o600), now);
    } catch (cause) {
      throw new SigillumError('ceremony_output_unwritable', `The transcript ${path} can't be begun.`, { cause });
    }
  }

  /** Adds a line. Nothing secret may be in it. */
  add(type: string, details: JsonObject): void {
    const eventBytes = canonicalJson({ type, time: this.#now().toISOString(), development: true, ...details });
    const previous = this.#hash;
    const hash = nextHash(previous, eventBytes);
    const line = encodeChainLine({ sequence: this.#sequence + 1, previous, hash, eventBytes });
    const bytes = Buffer.concat([line, Buffer.from('\n')]);
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(this.#file, bytes, offset);
    this.#sequence += 1;
    this.#hash = hash;
  }

  /** A check with the value it saw. */
  addCheck(check: string, value: JsonObject[string]): void {
    this.add('ceremony.check', { check, value, result: 'passed' });
  }

  sync(): void {
    fdatasyncSync(this.#file);
  }

  close(): void {
    this.sync();
    closeSync(this.#file);
  }
}
