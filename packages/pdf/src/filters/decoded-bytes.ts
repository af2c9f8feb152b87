import { SigillumError } from '@sigillum/errors';

/** Decoded bytes that grow at the end, up to a bound. */
export class DecodedBytes {
  readonly #most: number;
  #bytes = new Uint8Array(1024);
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#length;
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends `length` bytes that are already there, from `start`. */
  repeat(start: number, length: number): void {
    this.#reserve(length);
    this.#bytes.copyWithin(this.#length, start, start + length);
    this.#length += length;
  }

  fill(byte: number, length: number): void {
    this.#reserve(length);
    this.#bytes.fill(byte, this.#length, this.#length + length);
    this.#length += length;
  }

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed > this.#most) throw tooLong(this.#most);
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

export function tooLong(most: number, cause?: unknown): SigillumError {
  return new SigillumError('pdf_limit_exceeded', `A stream of the PDF decodes to more than ${most} bytes.`, { cause });
}
