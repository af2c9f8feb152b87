import { constants, inflateRawSync, inflateSync } from 'node:zlib';
import { damagedStream } from './damaged-stream.ts';
import { tooLong } from './decoded-bytes.ts';

/**
 * FlateDecode (ISO 32000-2 §7.4.4), bounded by `most`. Data that end before their last block does, and a wrong checksum,
 * are taken as every reader takes them: producers that end so are known, Acrobat's reader among them.
 */
export function inflate(bytes: Uint8Array, most: number): Uint8Array {
  const options = { maxOutputLength: most, finishFlush: constants.Z_SYNC_FLUSH };
  try {
    return view(inflateSync(bytes, options));
  } catch (cause) {
    if (hasCode(cause, 'ERR_BUFFER_TOO_LARGE')) throw tooLong(most, cause);
    if (!hasCode(cause, 'Z_DATA_ERROR') || !hasZlibHeader(bytes)) throw damaged(cause);
  }
  try {
    return view(inflateRawSync(bytes.subarray(2), options));
  } catch (cause) {
    if (hasCode(cause, 'ERR_BUFFER_TOO_LARGE')) throw tooLong(most, cause);
    throw damaged(cause);
  }
}

function view({ buffer, byteOffset, length }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

/** RFC 1950 §2.2: deflate, a multiple of 31, no preset dictionary. */
function hasZlibHeader([first = 0, second = 0]: Uint8Array): boolean {
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0 && (second & 0x20) === 0;
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

function damaged(cause: unknown): Error {
  return damagedStream('can not be decompressed', cause);
}
