import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { SigillumError } from '@sigillum/errors';
import type { PdfRef } from '../objects/pdf-object.ts';
import { rc4 } from './rc4.ts';

/** What a crypt filter does (ISO 32000-2 table 25): its `/CFM` is None, V2, AESV2 or AESV3. */
export type CryptMethod = 'identity' | 'rc4' | 'aes-128' | 'aes-256';

/** Block of AES and length of the initialization vector that stands before the data. */
const block = 16;

/** Decrypts the bytes of a string or stream of an object (§7.6.3). */
export function decryptBytes(method: CryptMethod, fileKey: Uint8Array, ref: PdfRef, bytes: Uint8Array): Uint8Array {
  if (method === 'identity') return bytes;
  const key = makeObjectKey(method, fileKey, ref);
  if (method === 'rc4') return rc4(key, bytes);
  // writers leave empty what is empty
  if (bytes.length === 0) return bytes;
  if (bytes.length < 2 * block || bytes.length % block !== 0) throw damaged(ref);
  const decipher = createDecipheriv(toCipher(method), key, bytes.subarray(0, block));
  try {
    return join(decipher.update(bytes.subarray(block)), decipher.final());
  } catch (cause) {
    throw damaged(ref, cause);
  }
}

/** The opposite of {@link decryptBytes}; with AES an initialization vector of `random` goes first. */
export function encryptBytes(
  method: CryptMethod,
  fileKey: Uint8Array,
  ref: PdfRef,
  bytes: Uint8Array,
  random: (length: number) => Uint8Array,
): Uint8Array {
  if (method === 'identity') return bytes;
  const key = makeObjectKey(method, fileKey, ref);
  if (method === 'rc4') return rc4(key, bytes);
  const vector = random(block);
  const cipher = createCipheriv(toCipher(method), key, vector);
  return join(vector, cipher.update(bytes), cipher.final());
}

/** Algorithm 1: each object has its own key, but with AES-256 (algorithm 1.A) it is that of the file. */
function makeObjectKey(method: CryptMethod, fileKey: Uint8Array, { number, generation }: PdfRef): Uint8Array {
  if (method === 'aes-256') return fileKey;
  const hash = createHash('md5').update(fileKey);
  hash.update(Uint8Array.of(number, number >> 8, number >> 16, generation, generation >> 8));
  if (method === 'aes-128') hash.update('sAlT', 'latin1');
  // AES-128 needs 16 bytes whatever the length of the file's key
  const length = method === 'aes-128' ? 16 : Math.min(16, fileKey.length + 5);
  return hash.digest().subarray(0, length);
}

function toCipher(method: 'aes-128' | 'aes-256'): string {
  return method === 'aes-128' ? 'aes-128-cbc' : 'aes-256-cbc';
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function damaged({ number }: PdfRef, cause?: unknown): SigillumError {
  return new SigillumError(
    'pdf_encryption_damaged',
    `The PDF is encrypted, but a string or stream of object ${number} can not be decrypted. Save it again and try again.`,
    { cause },
  );
}
