import { SigillumError } from '@sigillum/errors';

/** The labels of RFC 7468 that the product reads and writes. */
export type PemLabel = 'CERTIFICATE' | 'X509 CRL' | 'PRIVATE KEY' | 'PUBLIC KEY';

/** A PEM file holds at most this many objects: a chain has three or four, a bundle of roots some hundreds. */
const maxObjects = 1000;

/** One object in the strict text form of RFC 7468 §3: 64 characters a line, a line feed at the end. */
export function encodePem(label: PemLabel, der: Uint8Array): string {
  const lines =
    Buffer.from(der.buffer, der.byteOffset, der.byteLength)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/**
 * Every object of that label (`CERTIFICATE` by default) in a PEM text, in its order; other labels and text between
 * objects are passed over (RFC 7468 §2). Throws `pki_pem_invalid` when there is none, or when one is malformed.
 */
export function decodePem(text: string, label: PemLabel = 'CERTIFICATE'): Uint8Array[] {
  const objects: Uint8Array[] = [];
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  for (let start = text.indexOf(begin); start >= 0; start = text.indexOf(begin, start)) {
    const stop = text.indexOf(end, start);
    if (stop < 0) throw new SigillumError('pki_pem_invalid', `The PEM text lacks the line "${end}".`);
    const base64 = text.slice(start + begin.length, stop).replace(/[ \t\r\n]/g, '');
    if (base64 === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) {
      throw new SigillumError('pki_pem_invalid', `The PEM text has a ${label} that is not base64.`);
    }
    if (objects.length === maxObjects) {
      throw new SigillumError('pki_pem_invalid', `The PEM text has more than ${maxObjects} objects.`);
    }
    objects.push(new Uint8Array(Buffer.from(base64, 'base64')));
    start = stop + end.length;
  }
  if (objects.length === 0) throw new SigillumError('pki_pem_invalid', `The PEM text has no ${label} in it.`);
  return objects;
}
