import { DecodedBytes } from './decoded-bytes.ts';
import { damagedStream } from './damaged-stream.ts';

const clear = 256;
const end = 257;
const longestCode = 12;

/**
 * LZWDecode (ISO 32000-2 §7.4.4.2). Each entry of the table is the one before it and a byte, so an entry's length is the
 * only thing that grows; the output is bounded by `most`.
 *
 * @param early 1 when codes grow one entry early, as they do by default; 0 when not
 */
export function decodeLzw(bytes: Uint8Array, early: number, most: number): Uint8Array {
  const out = new DecodedBytes(most);
  // for each code: the bytes that it stands for are a stretch of the output
  const starts = new Uint32Array(1 << longestCode);
  const lengths = new Uint16Array(1 << longestCode);
  let next = end + 1;
  let width = 9;
  let previousStart = -1;
  let previousLength = 0;
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    if (bits < width) continue;
    bits -= width;
    const code = (held >>> bits) & ((1 << width) - 1);
    held &= (1 << bits) - 1;
    if (code === end) return out.take();
    if (code === clear) {
      next = end + 1;
      width = 9;
      previousStart = -1;
      continue;
    }
    const start = out.length;
    if (code < clear) out.byte(code);
    else if (code < next) out.repeat(starts[code] ?? 0, lengths[code] ?? 0);
    else if (code === next && previousStart >= 0) {
      // the entry that is made by this very code: what was before it, and its first byte again
      out.repeat(previousStart, previousLength);
      out.repeat(previousStart, 1);
    } else throw damagedStream('has a code that is not in its table');
    if (previousStart >= 0 && next < 1 << longestCode) {
      starts[next] = previousStart;
      lengths[next] = previousLength + 1;
      next++;
    }
    previousStart = start;
    previousLength = out.length - start;
    if (next + early >= 1 << width && width < longestCode) width++;
  }
  // without an end-of-data code: what is there is what every reader shows
  return out.take();
}
