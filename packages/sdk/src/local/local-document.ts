import { createHash, type Hash, randomUUID } from 'node:crypto';
import { readSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DigestName } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import type { PrefixHash } from '@sigillum/pades';
import { type ByteSource, createArraySource, createFileSource } from '@sigillum/pdf';

/**
 * A document that stays here: bytes, a source of them, the path or an open handle of a file, or a stream. A file must not
 * change until its sealed copy has been read.
 */
export type LocalDocument = Uint8Array | ByteSource | string | URL | FileHandle | AsyncIterable<Uint8Array>;

/** Bytes read at once. */
const pieceSize = 1024 * 1024;

/** A stream up to this size stays in memory; a longer one goes to a temporary file. */
const maxInMemory = 8 * 1024 * 1024;

/** `stamp`: size and time, by which a change shows. */
type OpenedFile = { readonly handle: FileHandle; readonly isOurs: boolean; readonly stamp: string };

/** A document that can be read anywhere, hashed once, and read again for its copy. */
export class OpenDocument {
  readonly source: ByteSource;
  readonly #file: OpenedFile | undefined;
  readonly #hashes = new Map<DigestName, Hash>();

  private constructor(source: ByteSource, file?: OpenedFile) {
    this.source = source;
    this.#file = file;
  }

  /**
   * @param algorithm by which a stream is hashed while it comes
   * @throws SigillumError `client_document_unreadable`
   */
  static async open(document: LocalDocument, algorithm: DigestName): Promise<OpenDocument> {
    if (document instanceof Uint8Array) return new OpenDocument(createArraySource(document));
    if (typeof document === 'string' || document instanceof URL) {
      return OpenDocument.#ofFile(await openFile(document), true);
    }
    if (Symbol.asyncIterator in document) return OpenDocument.#ofStream(document, algorithm);
    if ('fd' in document) return OpenDocument.#ofFile(document, false);
    return new OpenDocument(document);
  }

  static async #ofFile(handle: FileHandle, isOurs: boolean): Promise<OpenDocument> {
    try {
      const status = await handle.stat();
      if (!status.isFile()) throw new SigillumError('client_document_unreadable', 'The document is not a file.');
      const file = { handle, isOurs, stamp: await readStamp(handle) };
      const { fd } = handle;
      const readSome = (into: Uint8Array, start: number, position: number): number =>
        readSync(fd, into, start, into.length - start, position);
      return new OpenDocument(createFileSource(status.size, readSome, changed), file);
    } catch (error) {
      if (isOurs) await handle.close();
      throw error;
    }
  }

  static async #ofStream(stream: AsyncIterable<Uint8Array>, algorithm: DigestName): Promise<OpenDocument> {
    const hash = createHash(algorithm);
    const chunks: Uint8Array[] = [];
    let size = 0;
    let file: FileHandle | undefined;
    try {
      for await (const chunk of stream) {
        hash.update(chunk);
        size += chunk.length;
        chunks.push(chunk);
        if (size <= maxInMemory) continue;
        file ??= await openTemporary();
        await writeAll(file, chunks.splice(0));
      }
    } catch (error) {
      await file?.close();
      throw error;
    }
    const whole = Buffer.concat(chunks);
    const opened =
      file === undefined
        ? new OpenDocument(createArraySource(new Uint8Array(whole.buffer, whole.byteOffset, whole.length)))
        : await OpenDocument.#ofFile(file, true);
    opened.#hashes.set(algorithm, hash);
    return opened;
  }

  /** Digest of the document: it is read once for each algorithm, whatever follows it. */
  async hash(algorithm: DigestName, signal?: AbortSignal): Promise<PrefixHash> {
    const hash = this.#hashes.get(algorithm) ?? (await this.#digest(algorithm, signal));
    this.#hashes.set(algorithm, hash);
    return {
      algorithm,
      finish: (parts) => {
        const copy = hash.copy();
        for (const part of parts) copy.update(part);
        return copy.digest();
      },
    };
  }

  /**
   * All of it, piece by piece.
   * @param reuse pieces lie in the same memory: each has to be used up before the next is asked for
   * @throws SigillumError `client_document_changed` when the file did since it was opened
   */
  async *pieces(reuse: boolean): AsyncGenerator<Uint8Array> {
    yield* this.#readAhead(reuse);
    await this.assertUnchanged();
  }

  /** Size and time of the file are those it was opened with. */
  async assertUnchanged(): Promise<void> {
    if (this.#file !== undefined && (await readStamp(this.#file.handle)) !== this.#file.stamp) throw changed();
  }

  /** A handle that the caller opened stays open. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#file?.isOurs) await this.#file.handle.close();
  }

  async #digest(algorithm: DigestName, signal: AbortSignal | undefined): Promise<Hash> {
    const hash = createHash(algorithm);
    for await (const piece of this.#readAhead(true)) {
      signal?.throwIfAborted();
      hash.update(piece);
    }
    return hash;
  }

  /** Each piece is read while the one before is hashed or written, which takes as long. */
  async *#readAhead(reuse: boolean): AsyncGenerator<Uint8Array> {
    const { size } = this.source;
    const allocate = (): Buffer => Buffer.allocUnsafeSlow(Math.min(pieceSize, size));
    const shared = reuse ? [allocate(), allocate()] : [];
    const read = async (turn: number): Promise<Uint8Array> => {
      const offset = turn * pieceSize;
      const buffer = shared[turn % 2] ?? allocate();
      return this.#read(buffer.subarray(0, Math.min(pieceSize, size - offset)), offset);
    };
    let ahead: Promise<Uint8Array> | undefined;
    try {
      for (let turn = 0; turn * pieceSize < size; turn += 1) {
        const piece = await (ahead ?? read(turn));
        ahead = (turn + 1) * pieceSize < size ? read(turn + 1) : undefined;
        ahead?.catch(() => {});
        yield piece;
      }
    } finally {
      // a file is closed after its last read
      await ahead?.catch(() => {});
    }
  }

  async #read(buffer: Buffer, offset: number): Promise<Uint8Array> {
    if (this.#file === undefined) return this.source.read(offset, buffer.length);
    for (let done = 0; done < buffer.length; ) {
      const { bytesRead } = await this.#file.handle.read(buffer, done, buffer.length - done, offset + done);
      if (bytesRead === 0) throw changed();
      done += bytesRead;
    }
    return buffer;
  }
}

async function openFile(path: string | URL): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new SigillumError('client_document_unreadable', `The file ${String(path)} can not be read.`, { cause });
  }
}

/** A file without a name: nothing is left of it, however the process ends. */
async function openTemporary(): Promise<FileHandle> {
  const path = join(tmpdir(), `sigillum-${randomUUID()}`);
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  for (const bytes of chunks) {
    for (let done = 0; done < bytes.length; ) {
      done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
    }
  }
}

async function readStamp(handle: FileHandle): Promise<string> {
  const { size, mtimeNs } = await handle.stat({ bigint: true });
  return `${size} ${mtimeNs}`;
}

function changed(): SigillumError {
  return new SigillumError('client_document_changed', 'The document changed while it was sealed. Seal it again.');
}
