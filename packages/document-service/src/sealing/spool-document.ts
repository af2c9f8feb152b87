import { randomUUID } from 'node:crypto';
import { readSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { DigestName } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { DocumentHash } from './prefix-hash.ts';
import type { DocumentSource, SpooledDocument } from './spooled-document.ts';

export type SpoolOptions = {
  readonly directory: string;
  readonly algorithm: DigestName;
  readonly maxBytes: number;
  readonly inMemoryBytes: number;
  readonly idleMs: number;
};

/** Read in pieces of this size on the way out. */
const pieceSize = 256 * 1024;

/** Empties the spool folder: what lies there at start belongs to a process that is gone. */
export async function prepareSpool(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
}

/**
 * Takes in a request's body while hashing it. A larger one goes to a file without a name (made, then unlinked), so that
 * a crash leaves nothing behind; it need not be durable, because nothing is acknowledged before the outcome.
 *
 * @throws SigillumError `request_too_large`, `request_timeout`, `request_aborted`, `seal_document_empty`
 */
export async function spoolDocument(request: IncomingMessage, options: SpoolOptions): Promise<SpooledDocument> {
  const receiver = new Receiver(options);
  try {
    await receive(request, receiver, options.idleMs);
    if (receiver.size === 0)
      throw new SigillumError('seal_document_empty', 'The body is empty. Send the PDF as the body.');
    return receiver.finish();
  } catch (error) {
    await receiver.dispose();
    throw error;
  }
}

function receive(request: IncomingMessage, receiver: Receiver, idleMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const idle = setTimeout(() => {
      fail(new SigillumError('request_timeout', `Nothing of the document arrived for ${idleMs / 1000} seconds.`));
    }, idleMs);
    const onData = (chunk: Buffer): void => {
      idle.refresh();
      try {
        const written = receiver.add(chunk);
        if (written === undefined) return;
        // The disk sets the pace: nothing piles up in memory.
        request.pause();
        written.then(() => request.resume(), fail);
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = (): void => end(resolve);
    const onClose = (): void => fail(new SigillumError('request_aborted', 'The caller hung up during the upload.'));
    const end = (settle: () => void): void => {
      clearTimeout(idle);
      request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
      settle();
    };
    const fail = (error: unknown): void => end(() => reject(error));
    // Gone before anybody listened: neither an end nor a close will come.
    if (request.destroyed) return onClose();
    request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

class Receiver {
  readonly #options: SpoolOptions;
  readonly #sha256 = new DocumentHash('sha256');
  readonly #digest: DocumentHash;
  #chunks: Buffer[] = [];
  #file: FileHandle | undefined;
  #writing: Promise<void> = Promise.resolve();
  #size = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#digest = options.algorithm === 'sha256' ? this.#sha256 : new DocumentHash(options.algorithm);
  }

  get size(): number {
    return this.#size;
  }

  /** @returns what to wait for before the next chunk, if anything */
  add(chunk: Buffer): Promise<void> | undefined {
    const { maxBytes, inMemoryBytes } = this.#options;
    this.#size += chunk.length;
    if (this.#size > maxBytes) throw tooLarge(maxBytes);
    this.#sha256.update(chunk);
    if (this.#digest !== this.#sha256) this.#digest.update(chunk);
    this.#chunks.push(chunk);
    if (this.#file === undefined && this.#size <= inMemoryBytes) return undefined;
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#writing = this.#writing.then(() => this.#write(chunks));
    return this.#writing;
  }

  finish(): SpooledDocument {
    const file = this.#file;
    const size = this.#size;
    const memory = Buffer.concat(this.#chunks);
    return {
      source: file === undefined ? fromMemory(memory) : fromFile(file, size),
      sha256: this.#sha256.finish([]),
      sha256State: this.#sha256,
      digestState: this.#digest,
      stream: () => (file === undefined ? pieces(memory) : filePieces(file, size)),
      dispose: () => this.dispose(),
    };
  }

  async dispose(): Promise<void> {
    // A write that is on its way must not meet a closed descriptor, which may by then be somebody else's.
    await this.#writing.catch(() => undefined);
    const file = this.#file;
    this.#file = undefined;
    this.#chunks = [];
    await file?.close();
  }

  async #write(chunks: readonly Buffer[]): Promise<void> {
    this.#file ??= await openUnnamed(this.#options.directory);
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.length; ) {
        done += (await this.#file.write(chunk, done, chunk.length - done)).bytesWritten;
      }
    }
  }
}

/** @throws never; the error for a body beyond the limit. */
export function tooLarge(maxBytes: number): SigillumError {
  return new SigillumError('request_too_large', `A document may have at most ${maxBytes} bytes.`);
}

async function openUnnamed(directory: string): Promise<FileHandle> {
  const path = join(directory, randomUUID());
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}

function fromMemory(bytes: Buffer): DocumentSource {
  return {
    size: bytes.length,
    read(offset, length) {
      assertInside(offset, length, bytes.length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** Synchronous reads: the reader is a pure function of bytes, and what it touches is in the page cache. */
function fromFile(file: FileHandle, size: number): DocumentSource {
  return {
    size,
    read(offset, length) {
      assertInside(offset, length, size);
      const bytes = Buffer.allocUnsafe(length);
      for (let done = 0; done < length; ) {
        const read = readSync(file.fd, bytes, done, length - done, offset + done);
        if (read === 0) throw new RangeError('the spool file is shorter than what was written');
        done += read;
      }
      return bytes;
    },
  };
}

function assertInside(offset: number, length: number, size: number): void {
  if (offset < 0 || length < 0 || offset + length > size) {
    throw new RangeError(`bytes ${offset} to ${offset + length} of ${size}`);
  }
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* filePieces(file: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; ) {
    const length = Math.min(pieceSize, size - offset);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
    if (bytesRead === 0) throw new RangeError('the spool file is shorter than what was written');
    yield buffer.subarray(0, bytesRead);
    offset += bytesRead;
  }
}
