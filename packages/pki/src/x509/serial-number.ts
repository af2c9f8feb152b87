/** Serial numbers have 128 bits (EN 319 412-2 asks for unique, CA/Browser BR §7.1 for at least 64 random bits). */
const serialLength = 16;

/** A positive random serial number of 128 bits, one of them fixed. `random` gives that many unpredictable bytes. */
export function createSerialNumber(random: (length: number) => Uint8Array): Uint8Array {
  const serial = Uint8Array.from(random(serialLength));
  if (serial.length !== serialLength) throw new RangeError('the random source gave too few bytes');
  // The highest bit is the sign (RFC 5280 §4.1.2.2: positive); the next is set so that all have one length.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}
