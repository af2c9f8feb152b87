import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { SigillumError } from '@sigillum/errors';
import type { FileKey } from './file-key.ts';
import type { Encryption } from './parse-encryption.ts';

const noBytes = new Uint8Array(0);

/** The file's key in revisions 5 and 6 (ISO 32000-2 algorithm 2.A) for the empty password; undefined when it opens nothing. */
export function findAesFileKey(encryption: Encryption): FileKey | undefined {
  const { owner, user, ownerKey, userKey } = encryption;
  // the owner's entry depends on the user's, so that it can't be moved to another file
  const asOwner = openEntry(encryption, owner, user, ownerKey);
  const key = asOwner ?? openEntry(encryption, user, noBytes, userKey);
  if (key === undefined) return undefined;
  assertPermissions(encryption, key);
  return { key, isOwner: asOwner !== undefined };
}

/** An entry is a hash of 32 bytes, a salt for it and a salt for the key, 8 bytes each. */
function openEntry(
  { revision }: Encryption,
  entry: Uint8Array,
  bound: Uint8Array,
  encryptedKey: Uint8Array,
): Uint8Array | undefined {
  const hash = revision === 5 ? hashOfRevision5 : hashOfRevision6;
  if (!hash(entry.subarray(32, 40), bound).equals(entry.subarray(0, 32))) return undefined;
  const decipher = createDecipheriv('aes-256-cbc', hash(entry.subarray(40, 48), bound), new Uint8Array(16));
  return decipher.setAutoPadding(false).update(encryptedKey);
}

/** Adobe's extension level 3, of 2008. */
function hashOfRevision5(salt: Uint8Array, bound: Uint8Array): Buffer {
  return createHash('sha256').update(salt).update(bound).digest();
}

/** Algorithm 2.B. It ends after 288 rounds at the latest, when no byte is above the round's number any more. */
function hashOfRevision6(salt: Uint8Array, bound: Uint8Array): Buffer {
  let key = hashOfRevision5(salt, bound);
  for (let round = 1; ; round++) {
    const input = Buffer.concat([key, bound]);
    const repeated = Buffer.alloc(64 * input.length, input);
    const cipher = createCipheriv('aes-128-cbc', key.subarray(0, 16), key.subarray(16, 32)).setAutoPadding(false);
    const output = cipher.update(repeated);
    // 16 bytes as one number modulo 3; 256 is 1 modulo 3
    const remainder = output.subarray(0, 16).reduce((sum, byte) => sum + byte, 0) % 3;
    key = createHash(['sha256', 'sha384', 'sha512'][remainder] ?? 'sha256')
      .update(output)
      .digest();
    if (round >= 64 && (output.at(-1) ?? 0) <= round - 32) return key.subarray(0, 32);
  }
}

/** Algorithm 13: `/Perms` proves that nobody without the key has changed `/P`. */
function assertPermissions({ permissionCheck, permissions: p, encryptMetadata }: Encryption, key: Uint8Array): void {
  const check = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(permissionCheck);
  const isOurs = check.subarray(9, 12).toString('latin1') === 'adb';
  const metadata = String.fromCharCode(check[8] ?? 0);
  if (isOurs && check.readInt32LE(0) === p && metadata === (encryptMetadata ? 'T' : 'F')) return;
  throw new SigillumError(
    'pdf_encryption_damaged',
    "The PDF's permissions were changed by somebody who had no right to. Get the file again from its author.",
  );
}
