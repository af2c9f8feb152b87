import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '@sigillum/service-kit';
import type { PinFileStamp } from './signer-messages.ts';

/** `rejected` by the token; `unanswered`: tried so often that nobody knows what the HSM has counted. */
export type LatchReason = 'rejected' | 'unanswered';

/**
 * Logins with a PIN file that never worked, when the HSM hangs, dies or says something else than yes or no. It may have
 * counted each as a wrong PIN, and locks after three or more. With a PIN that has worked once there is no such bound.
 */
const MAX_UNANSWERED = 2;

type Attempts = PinFileStamp & { readonly attempts: number; readonly accepted: boolean };

const sameFile = (left: PinFileStamp, right: PinFileStamp): boolean =>
  left.mtimeMs === right.mtimeMs && left.size === right.size;

/**
 * Remembers, over restarts, that a token rejected the PIN of a file: real HSMs lock after a few attempts, so the same
 * file is never tried again. A PIN file with another mtime or size is a new PIN.
 */
export class PinLatch {
  readonly #directory: string;
  readonly #path: string;
  readonly #attemptsPath: string;
  /** In memory too, should the file not be written. */
  #attempts: Attempts | undefined;
  readonly #pinFile: string;

  constructor(stateDirectory: string, tokenSerial: string, pinFile: string) {
    this.#directory = stateDirectory;
    // A serial may hold any character.
    const serial = Buffer.from(tokenSerial).toString('hex');
    this.#path = join(stateDirectory, `pin-rejected-${serial}.json`);
    this.#attemptsPath = join(stateDirectory, `pin-attempts-${serial}.json`);
    this.#pinFile = pinFile;
  }

  /** Whether the PIN file, as it is now, must not be tried. */
  isClosed(): boolean {
    return this.findReason() !== undefined;
  }

  /** Why the PIN file, as it is now, must not be tried; `undefined` when it may. */
  findReason(): LatchReason | undefined {
    const rejected = this.#read(this.#path, toStamp);
    // Something was rejected and nobody can tell what: a person looks, and no attempt is burnt.
    if (rejected === 'unreadable' || (rejected !== 'never' && this.#isPinFile(rejected))) return 'rejected';
    const tried = this.#attempts ?? this.#read(this.#attemptsPath, toAttempts);
    if (tried === 'unreadable') return 'unanswered';
    if (tried === 'never' || tried.accepted || tried.attempts < MAX_UNANSWERED) return undefined;
    return this.#isPinFile(tried) ? 'unanswered' : undefined;
  }

  #isPinFile(stamp: PinFileStamp): boolean {
    try {
      return sameFile(stamp, statSync(this.#pinFile));
    } catch (error) {
      // No PIN file: nothing can be tried, and the signer process says so. One that we may not look at is another
      // thing: the signer processes may be another user, who can read it.
      return (error as { code?: unknown }).code !== 'ENOENT';
    }
  }

  /**
   * A login with that file begins. Durable, unless the file has worked before.
   * @throws Error when it can't be written; this process remembers it in any case
   */
  noteAttempt(stamp: PinFileStamp): void {
    const before = this.#attempts ?? this.#read(this.#attemptsPath, toAttempts);
    const known = typeof before === 'object' && sameFile(before, stamp) ? before : undefined;
    if (!known?.accepted) this.#writeAttempts({ ...stamp, attempts: (known?.attempts ?? 0) + 1, accepted: false });
  }

  /** The token took it: from now on a login that fails is not the PIN's fault. @throws Error as {@link noteAttempt} */
  noteAccepted(stamp: PinFileStamp): void {
    const before = this.#attempts ?? this.#read(this.#attemptsPath, toAttempts);
    if (typeof before === 'object' && before.accepted && sameFile(before, stamp)) return;
    const { mtimeMs, size } = stamp;
    this.#writeAttempts({ mtimeMs, size, attempts: 0, accepted: true });
  }

  #writeAttempts(attempts: Attempts): void {
    this.#attempts = attempts;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    writeFileDurably(this.#attemptsPath, `${JSON.stringify(attempts)}\n`);
  }

  /**
   * Durable before anything else happens: the next start must see it.
   * @throws Error when it can't be written: the caller must not start again by itself then
   */
  close(stamp: PinFileStamp): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    writeFileDurably(this.#path, `${JSON.stringify(stamp)}\n`);
  }

  #read<T>(path: string, parse: (value: Partial<Attempts>) => T | undefined): T | 'never' | 'unreadable' {
    try {
      const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
      return parse(value ?? {}) ?? 'unreadable';
    } catch (error) {
      return (error as { code?: unknown }).code === 'ENOENT' ? 'never' : 'unreadable';
    }
  }
}

function toStamp({ mtimeMs, size }: Partial<Attempts>): PinFileStamp | undefined {
  return typeof mtimeMs === 'number' && typeof size === 'number' ? { mtimeMs, size } : undefined;
}

function toAttempts(value: Partial<Attempts>): Attempts | undefined {
  const stamp = toStamp(value);
  const { attempts, accepted } = value;
  if (!stamp || typeof attempts !== 'number' || typeof accepted !== 'boolean') return undefined;
  return { ...stamp, attempts, accepted };
}
