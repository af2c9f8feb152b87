import type { ByteSource } from '@sigillum/pdf';
import { validationLimits } from './validation-limits.ts';

const claim = Buffer.from('/ByteRange', 'latin1');
const header = Buffer.from('%PDF-', 'latin1');

/** Whether a file that can't be read looks like a PDF that was signed: a header near its start, a ByteRange somewhere. */
export function findClaimOfSignature(source: ByteSource): boolean {
  const head = toBuffer(source.read(0, Math.min(source.size, validationLimits.chunk)));
  if (head.subarray(0, 64 * 1024).indexOf(header) < 0) return false;
  const overlap = claim.length - 1;
  for (let at = 0; at < source.size; at += validationLimits.chunk) {
    const length = Math.min(validationLimits.chunk + overlap, source.size - at);
    if (toBuffer(source.read(at, length)).indexOf(claim) >= 0) return true;
  }
  return false;
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
