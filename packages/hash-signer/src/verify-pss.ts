import { createHash } from 'node:crypto';
import type { DigestName } from '@sigillum/algorithms';

const hash = (name: DigestName, ...parts: readonly Uint8Array[]): Buffer => {
  const context = createHash(name);
  for (const part of parts) context.update(part);
  return context.digest();
};

/** MGF1 (RFC 8017 §B.2.1). */
function createMask(name: DigestName, seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0, made = 0; made < length; counter += 1) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    const block = hash(name, seed, number);
    blocks.push(block);
    made += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/**
 * EMSA-PSS-VERIFY (RFC 8017 §9.1.2) with MGF1 over the same hash and the trailer 0xbc.
 * @param encoded the modular exponentiation's result, as long as the modulus
 * @param modulusBits size of the modulus
 */
export function verifyPssEncoding(
  encoded: Uint8Array,
  modulusBits: number,
  digestName: DigestName,
  digest: Uint8Array,
  saltLength: number,
): boolean {
  const emBits = modulusBits - 1;
  const emLength = Math.ceil(emBits / 8);
  // RFC 8017 §8.1.2 step 2c: a modulus of 8n + 1 bits has one byte more than EM, and it must be zero.
  const surplus = encoded.length - emLength;
  if (surplus < 0 || encoded.subarray(0, surplus).some((byte) => byte !== 0)) return false;
  const em = encoded.subarray(surplus);
  const hashLength = digest.length;
  // Steps 3 and 4
  if (emLength < hashLength + saltLength + 2 || em[emLength - 1] !== 0xbc) return false;
  const dbLength = emLength - hashLength - 1;
  const maskedDb = em.subarray(0, dbLength);
  const h = em.subarray(dbLength, dbLength + hashLength);
  // Step 6: the leftmost 8·emLen − emBits bits are zero
  const zeroBits = 8 * emLength - emBits;
  const firstMask = 0xff >> zeroBits;
  if (((maskedDb[0] ?? 0) & ~firstMask & 0xff) !== 0) return false;
  // Steps 7 to 9
  const mask = createMask(digestName, h, dbLength);
  const db = Buffer.from(maskedDb.map((byte, index) => byte ^ (mask[index] ?? 0)));
  db[0] = (db[0] ?? 0) & firstMask;
  // Step 10: zeros, then 0x01, then the salt
  const padding = dbLength - saltLength - 1;
  if (db.subarray(0, padding).some((byte) => byte !== 0) || db[padding] !== 0x01) return false;
  // Steps 12 to 14
  const salt = db.subarray(padding + 1);
  return Buffer.compare(hash(digestName, Buffer.alloc(8), digest, salt), h) === 0;
}
