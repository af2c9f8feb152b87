import { randomUUID } from 'node:crypto';
import { readSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createFileSource } from '@sigillum/pdf';
import type { DocumentSource } from './spooled-document.ts';

/** Read in pieces of this size on the way out, two of them: each costs two hops between threads. */
const pieceSize = 1024 * 1024;

/** Bytes that are gathered for one write; as much again is being written meanwhile. */
const gatherSize = 512 * 1024;

/**
 * A file without a name, written from its beginning to its end, then read. What comes is copied into one of two buffers
 * that are used again and again: kept chunks of a large upload would pile up as garbage faster than it is collected.
 */
export class SpoolFile {
  readonly #file: Promise<FileHandle>;
  #gathering: Buffer = Buffer.allocUnsafeSlow(gatherSize);
  #spare: Buffer = Buffer.allocUnsafeSlow(gatherSize);
  #gathered = 0;
  #size = 0;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  #fd = -1;

  /** Makes the file in the folder and unlinks it at once. */
  constructor(directory: string) {
    this.#file = this.#open(join(directory, randomUUID()));
    // Whoever writes is told.
    this.#file.catch(() => undefined);
  }

  /**
   * Takes a copy: the chunk is the caller's again.
   * @returns what to wait for before more is appended, if anything: the disk sets the pace
   */
  append(chunk: Uint8Array): Promise<void> | undefined {
    this.#size += chunk.length;
    const taken = Math.min(chunk.length, gatherSize - this.#gathered);
    this.#gathering.set(chunk.subarray(0, taken), this.#gathered);
    this.#gathered += taken;
    if (this.#gathered < gatherSize) return undefined;
    const rest = chunk.subarray(taken);
    if (this.#isWriting) {
      const copy = Buffer.from(rest);
      return this.#writing.then(() => this.#appendRest(copy));
    }
    this.#startWriting();
    return this.#appendRest(rest);
  }

  /** Resolves when all of it is in the file. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#gathered > 0) this.#startWriting();
    await this.#writing;
  }

  /** Random access, once it is flushed. Synchronous: the reader is a pure function of bytes, and the page cache has them. */
  source(): DocumentSource {
    const fd = this.#fd;
    const readSome = (into: Uint8Array, start: number, position: number): number =>
      readSync(fd, into, start, into.length - start, position);
    return { fd, ...createFileSource(this.#size, readSome, tooShort) };
  }

  /** All of it. A piece is used up before the next is asked for: it is read into one of two buffers, ahead of the other's use. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    const file = await this.#file;
    const read = (into: Buffer, offset: number): Promise<{ readonly bytesRead: number; readonly buffer: Buffer }> => {
      const reading = file.read(into, 0, Math.min(pieceSize, this.#size - offset), offset);
      // Whoever no longer follows isn't told.
      reading.catch(() => undefined);
      return reading;
    };
    let spare: Buffer = Buffer.allocUnsafeSlow(pieceSize);
    let ahead = read(Buffer.allocUnsafeSlow(pieceSize), 0);
    for (let offset = 0; offset < this.#size; ) {
      const { bytesRead, buffer } = await ahead;
      if (bytesRead === 0) throw tooShort();
      offset += bytesRead;
      if (offset < this.#size) ahead = read(spare, offset);
      spare = buffer;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    // A write that is on its way must not meet a closed descriptor, which may by then be somebody else's.
    await this.#writing.catch(() => undefined);
    const file = await this.#file.catch(() => undefined);
    this.#fd = -1;
    await file?.close();
  }

  async #open(path: string): Promise<FileHandle> {
    const file = await open(path, 'wx+', 0o600);
    this.#fd = file.fd;
    await rm(path);
    return file;
  }

  #appendRest(rest: Uint8Array): Promise<void> | undefined {
    if (this.#gathered === gatherSize && !this.#isWriting) this.#startWriting();
    this.#size -= rest.length;
    return rest.length === 0 ? undefined : this.append(rest);
  }

  #startWriting(): void {
    const full = this.#gathering.subarray(0, this.#gathered);
    [this.#gathering, this.#spare] = [this.#spare, this.#gathering];
    this.#gathered = 0;
    this.#isWriting = true;
    this.#writing = this.#write(full);
    this.#writing.catch(() => undefined);
  }

  async #write(bytes: Buffer): Promise<void> {
    const file = await this.#file;
    // A full disk takes a part; the next call says why.
    for (let done = 0; done < bytes.length; ) {
      done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
    }
    this.#isWriting = false;
  }
}

function tooShort(): RangeError {
  return new RangeError('the spool file is shorter than what was written');
}
