import { tooMuch } from './anchor-errors.ts';

/** ISO 32000-2 §7.4.2. */
export function decodeAsciiHex(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0x3e);
  const digits = Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end))
    .toString('latin1')
    .replaceAll(/[^0-9a-fA-F]/g, '');
  return new Uint8Array(Buffer.from(digits.length % 2 === 0 ? digits : `${digits}0`, 'hex'));
}

/** §7.4.3: five characters from `!` to `u` are four bytes, `z` four zeros, `~` the end. */
export function decodeAscii85(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length * 4);
  let length = 0;
  let value = 0;
  let count = 0;
  const flush = (size: number): void => {
    for (let i = 0; i < size; i++) out[length++] = Math.floor(value / 256 ** (3 - i)) & 0xff;
    value = 0;
    count = 0;
  };
  for (const byte of bytes) {
    if (byte === 0x7e) break;
    if (byte === 0x7a && count === 0) flush(4);
    if (byte < 0x21 || byte > 0x75) continue;
    value = value * 85 + byte - 0x21;
    if (++count === 5) flush(4);
  }
  if (count > 1) {
    const rest = count - 1;
    for (; count < 5; count++) value = value * 85 + 84;
    flush(rest);
  }
  return out.slice(0, length);
}

/** §7.4.5. */
export function decodeRunLength(bytes: Uint8Array, most: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at] ?? 128;
    if (length === 128) break;
    const part =
      length < 128 ? bytes.subarray(at + 1, at + 2 + length) : new Uint8Array(257 - length).fill(bytes[at + 1] ?? 0);
    at += length < 128 ? length + 2 : 2;
    total += part.length;
    if (total > most) throw tooMuch(`more than ${most} bytes of content`);
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** §7.4.4: codes of 9 to 12 bits; 256 clears the table, 257 ends. What follows damage is left out. */
export function decodeLzw(bytes: Uint8Array, early: 0 | 1, most: number): Uint8Array {
  // an entry of the table is a piece of what was written: that of the code before it and the byte that followed
  const starts = new Int32Array(4096);
  const sizes = new Int32Array(4096);
  let out = new Uint8Array(Math.max(1024, bytes.length * 4));
  let length = 0;
  let next = 258;
  let width = 9;
  let lastStart = -1;
  let lastSize = 0;
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfffff;
    bits += 8;
    if (bits < width) continue;
    bits -= width;
    const code = (held >> bits) & ((1 << width) - 1);
    if (code === 257) break;
    if (code === 256) {
      next = 258;
      width = 9;
      lastStart = -1;
      continue;
    }
    if (code > next || (code >= next && lastStart < 0)) break;
    const size = code < 256 ? 1 : code < next ? (sizes[code] ?? 0) : lastSize + 1;
    const from = code < 256 ? -1 : code < next ? (starts[code] ?? 0) : lastStart;
    if (length + size > most) throw tooMuch(`more than ${most} bytes of content`);
    if (length + size > out.length) {
      const grown = new Uint8Array(Math.max(out.length * 2, length + size));
      grown.set(out);
      out = grown;
    }
    if (from < 0) out[length] = code;
    // byte by byte: the piece may reach into what is being written
    else for (let i = 0; i < size; i++) out[length + i] = out[from + i] ?? 0;
    if (lastStart >= 0 && next < 4096) {
      starts[next] = lastStart;
      sizes[next] = lastSize + 1;
      next++;
    }
    lastStart = length;
    lastSize = size;
    length += size;
    if (next + early >= 1 << width && width < 12) width++;
  }
  return out.slice(0, length);
}
