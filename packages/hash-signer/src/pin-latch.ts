import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
    if (!rejected) return false;
    try {
      const { mtimeMs, size } = statSync(this.#pinFile);
      return rejected.mtimeMs === mtimeMs && rejected.size === size;
    } catch {
      // No PIN file: nothing can be tried, and the signer process says so.
      return false;
    }
  }

  /** Durable before anything else happens: the next start must see it. */
  close(stamp: PinFileStamp): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, `${JSON.stringify(stamp)}\n`, { mode: 0o600, flush: true });
    renameSync(temporary, this.#path);
  }

  #read(): PinFileStamp | undefined {
    try {
      const value = JSON.parse(readFileSync(this.#path, 'utf8')) as Partial<PinFileStamp>;
      const { mtimeMs, size } = value;
      return typeof mtimeMs === 'number' && typeof size === 'number' ? { mtimeMs, size } : undefined;
    } catch {
      return undefined;
    }
  }
}
