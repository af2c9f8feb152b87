import { mkdir, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { DigestName } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { toStorageError } from '@sigillum/store';
import { releaseChunk } from '../intake/release-chunk.ts';
import { DocumentHash } from './prefix-hash.ts';
import { SpoolFile } from './spool-file.ts';
import type { DocumentSource, SpooledDocument } from './spooled-document.ts';

export type SpoolOptions = {
  readonly directory: string;
  readonly algorithm: DigestName;
  readonly maxBytes: number;
  readonly inMemoryBytes: number;
  /** Takes back each chunk that was copied. */
  readonly release: (chunk: Buffer<ArrayBuffer>) => void;
  /** Fires when the upload is too slow. */
  readonly signal: AbortSignal;
};

/** Empties the spool folder: what lies there at start belongs to a process that is gone. */
export async function prepareSpool(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
}

/**
 * Takes in a document while hashing it. A larger one goes to a file without a name (made, then unlinked), so that a crash
 * leaves nothing behind; it need not be durable, because nothing is acknowledged before the outcome.
 *
 * @throws SigillumError `request_too_large`, `request_aborted`, `seal_document_empty`, `storage_full`
 */
export async function spoolDocument(document: Readable, options: SpoolOptions): Promise<SpooledDocument> {
  const receiver = new Receiver(options);
  try {
    await receive(document, receiver, options);
    if (receiver.size === 0) throw new SigillumError('seal_document_empty', 'The document is empty. Send a PDF.');
    return receiver.finish();
  } catch (error) {
    await receiver.dispose();
    throw toStorageError(error);
  }
}

function receive(document: Readable, receiver: Receiver, { release, signal }: SpoolOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const onData = (chunk: Buffer<ArrayBuffer>): void => {
      try {
        const written = receiver.add(chunk);
        release(chunk);
        if (written === undefined) return;
        // The disk sets the pace: nothing piles up in memory.
        document.pause();
        written.then(() => document.resume(), fail);
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = (): void => {
      receiver.flushed().then(() => end(resolve), fail);
    };
    const onGone = (error?: unknown): void => {
      // After its end a stream closes, too; then the last bytes are on their way to the disk.
      if (document.readableEnded) return;
      fail(error instanceof SigillumError ? error : aborted(error));
    };
    const onSlow = (): void => fail(signal.reason);
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', onSlow);
      document.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
      settle();
    };
    const fail = (error: unknown): void => end(() => reject(error));
    // Gone before anybody listened: neither an end nor a close will come.
    if (document.destroyed) return onGone(document.errored ?? undefined);
    signal.addEventListener('abort', onSlow, { once: true });
    document.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

function aborted(cause: unknown): SigillumError {
  return new SigillumError('request_aborted', 'The caller hung up during the upload.', { cause });
}

class Receiver {
  readonly #options: SpoolOptions;
  readonly #sha256 = new DocumentHash('sha256');
  readonly #digest: DocumentHash;
  #memory: Buffer<ArrayBuffer>[] = [];
  #file: SpoolFile | undefined;
  #size = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#digest = options.algorithm === 'sha256' ? this.#sha256 : new DocumentHash(options.algorithm);
  }

  get size(): number {
    return this.#size;
  }

  /**
   * Takes a copy.
   * @returns what to wait for before the next chunk, if anything
   */
  add(chunk: Uint8Array): Promise<void> | undefined {
    const { maxBytes, inMemoryBytes, directory } = this.#options;
    this.#size += chunk.length;
    if (this.#size > maxBytes) throw tooLarge(maxBytes);
    this.#sha256.update(chunk);
    if (this.#digest !== this.#sha256) this.#digest.update(chunk);
    if (this.#file !== undefined) return this.#file.append(chunk);
    this.#memory.push(Buffer.from(chunk));
    if (this.#size <= inMemoryBytes) return undefined;
    this.#file = new SpoolFile(directory);
    return this.#file.append(this.#takeMemory());
  }

  /** Resolves when nothing waits for the disk any more. */
  async flushed(): Promise<void> {
    await this.#file?.flush();
  }

  finish(): SpooledDocument {
    const file = this.#file;
    const memory = this.#takeMemory();
    return {
      source: file?.source() ?? fromMemory(memory),
      sha256: this.#sha256.finish([]),
      sha256State: this.#sha256,
      digestState: this.#digest,
      stream: () => file?.pieces() ?? pieces(memory),
      dispose: () => this.dispose(),
    };
  }

  async dispose(): Promise<void> {
    this.#memory = [];
    await this.#file?.close();
  }

  /** What is in memory, in one piece. */
  #takeMemory(): Buffer<ArrayBuffer> {
    const chunks = this.#memory;
    this.#memory = [];
    const whole = Buffer.concat(chunks);
    for (const chunk of chunks) releaseChunk(chunk);
    return whole;
  }
}

/** The error for a body beyond the limit. */
export function tooLarge(maxBytes: number): SigillumError {
  return new SigillumError('request_too_large', `A document may have at most ${maxBytes} bytes.`);
}

function fromMemory(bytes: Buffer): DocumentSource {
  return {
    size: bytes.length,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) {
        throw new RangeError(`bytes ${offset} to ${offset + length} of ${bytes.length}`);
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
