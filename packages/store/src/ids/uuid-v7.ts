import { randomBytes } from 'node:crypto';

/** Cryptographic randomness, injected by tests. */
export type RandomSource = (size: number) => Uint8Array;

/** A UUIDv7 (RFC 9562 §5.7) in its lower-case text form: 48 bits of Unix milliseconds, then 74 random bits. */
export function createUuid(now: number = Date.now(), random: RandomSource = randomBytes): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes.set(random(10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return formatUuid(bytes);
}

/** The 16 bytes of a UUID in its text form. */
export function uuidToBytes(uuid: string): Uint8Array {
  const hex = uuid.replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw new RangeError('not a UUID');
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** The lower-case text form of 16 bytes (RFC 9562 §4). */
export function formatUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
