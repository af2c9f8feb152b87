import { inflateSync } from 'node:zlib';
import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';

/** FlateDecode (ISO 32000-2 §7.4.4), bounded in size and ratio. Truncated data and a wrong checksum are damage. */
export function inflate(bytes: Uint8Array): Uint8Array {
  const most = Math.min(limits.decodedLength, Math.max(limits.inflateFree, bytes.length * limits.inflateRatio));
  try {
    const decoded = inflateSync(bytes, { maxOutputLength: most });
    return new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.length);
  } catch (cause) {
    if (hasCode(cause, 'ERR_BUFFER_TOO_LARGE')) {
      throw new SigillumError('pdf_limit_exceeded', `A stream of the PDF decodes to more than ${most} bytes.`, {
        cause,
      });
    }
    throw new SigillumError('pdf_stream_damaged', 'A compressed stream that the PDF needs can not be decompressed.', {
      cause,
    });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
