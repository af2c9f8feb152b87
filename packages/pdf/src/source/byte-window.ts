import type { ByteSource } from './byte-source.ts';

const blockSize = 4096;
/** 256 KiB: enough for the catalog, the first page and the form of a real file to stay, however they are spread. */
const keptBlocks = 64;

/** Looks at single bytes of a {@link ByteSource} through a few blocks, so that no more than these are read. */
export class ByteWindow {
  readonly source: ByteSource;
  readonly size: number;
  readonly #blocks = new Map<number, Uint8Array>();
  /** Whether somebody looked behind the last byte: what was read then may be another with more bytes behind it. */
  lookedBehind = false;
  #start = 0;
  #block: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource) {
    this.source = source;
    this.size = source.size;
  }

  /** The byte at an offset, or −1 outside the file. */
  at(offset: number): number {
    const byte = this.#block[offset - this.#start];
    return byte ?? this.#load(offset);
  }

  #load(offset: number): number {
    if (offset < 0 || offset >= this.size) {
      this.lookedBehind = true;
      return -1;
    }
    const start = offset - (offset % blockSize);
    let block = this.#blocks.get(start);
    if (block === undefined) {
      block = this.source.read(start, Math.min(blockSize, this.size - start));
      const oldest = this.#blocks.keys().next();
      if (this.#blocks.size >= keptBlocks && !oldest.done) this.#blocks.delete(oldest.value);
      this.#blocks.set(start, block);
    }
    this.#start = start;
    this.#block = block;
    return block[offset - start] ?? -1;
  }
}
