import { createHash } from 'node:crypto';
import type { FileKey } from './file-key.ts';
import type { Encryption } from './parse-encryption.ts';
import { rc4 } from './rc4.ts';

/** What fills a password up to 32 bytes; an empty one is nothing else (ISO 32000-2 §7.6.4.3, algorithm 2). */
const padding = Buffer.from('28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a', 'hex');

/**
 * The file's key in revisions 2 to 4, for the empty password as the owner's or the user's; undefined when it is neither.
 *
 * @param id the first half of the file's `/ID`, empty when there is none
 */
export function findLegacyFileKey(encryption: Encryption, id: Uint8Array): FileKey | undefined {
  for (const length of encryption.keyLengths) {
    // algorithm 7: the owner's password opens the user's
    const userPassword = openOwnerEntry(encryption, length);
    const ownerKey = makeKey(encryption, id, length, userPassword);
    if (isUserEntry(encryption, id, ownerKey)) return { key: ownerKey, isOwner: true };
    const userKey = makeKey(encryption, id, length, padding);
    if (isUserEntry(encryption, id, userKey)) return { key: userKey, isOwner: false };
  }
  return undefined;
}

/** Algorithm 2 from step b on; the password is padded. */
function makeKey(encryption: Encryption, id: Uint8Array, length: number, password: Uint8Array): Uint8Array {
  const { owner, permissions: p, revision, encryptMetadata } = encryption;
  const hash = createHash('md5').update(password).update(owner);
  hash.update(Uint8Array.of(p, p >> 8, p >> 16, p >> 24)).update(id);
  if (revision >= 4 && !encryptMetadata) hash.update(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
  let digest = hash.digest().subarray(0, length);
  const rounds = revision >= 3 ? 50 : 0;
  for (let round = 0; round < rounds; round++) {
    digest = createHash('md5').update(digest).digest().subarray(0, length);
  }
  return digest;
}

/** Algorithms 4, 5 and 6: whether `/U` comes out of a key. */
function isUserEntry({ revision, user }: Encryption, id: Uint8Array, key: Uint8Array): boolean {
  if (revision === 2) return equal(rc4(key, padding), user);
  let entry: Uint8Array = createHash('md5').update(padding).update(id).digest();
  for (let round = 0; round < 20; round++) entry = rc4(mask(key, round), entry);
  // the other half is arbitrary
  return equal(entry, user.subarray(0, 16));
}

/** The user's password, padded, as the empty owner's password opens it (algorithm 3 to step d, algorithm 7). */
function openOwnerEntry({ revision, owner }: Encryption, length: number): Uint8Array {
  let key = createHash('md5').update(padding).digest();
  if (revision === 2) return rc4(key.subarray(0, 5), owner);
  for (let round = 0; round < 50; round++) key = createHash('md5').update(key).digest();
  let password = owner;
  for (let round = 19; round >= 0; round--) password = rc4(mask(key.subarray(0, length), round), password);
  return password;
}

function mask(key: Uint8Array, round: number): Uint8Array {
  return key.map((byte) => byte ^ round);
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
