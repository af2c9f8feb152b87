import { createPublicKey, type KeyObject } from 'node:crypto';
import type { KeySpecName } from '@sigillum/algorithms';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { decodeBitString, decodeInteger } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { decodeTime } from '../der/der-time.ts';
import { equalBytes } from '../der/compare-bytes.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { contextTag, primitiveContextTag, tags } from '../der/tags.ts';
import type { Certificate } from './certificate.ts';
import { hasDevelopmentMark } from './development-mark.ts';
import { parseName } from './distinguished-name.ts';
import { parseExtensions } from './parse-extensions.ts';

/** A certificate has at most this many bytes: ours have about 1 KB, one with an SLH-DSA key and policies 60 KB. */
const maxCertificateLength = 100_000;

/**
 * Reads a certificate. Only its form is checked: whether it may be trusted is for {@link assertIssuedBy} and the
 * path. Throws `pki_certificate_invalid`.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > maxCertificateLength) {
    throw new SigillumError('pki_certificate_invalid', `A certificate has more than ${maxCertificateLength} bytes.`);
  }
  try {
    return read(der);
  } catch (error) {
    if (isSigillumError(error, 'pki_der_invalid')) {
      throw new SigillumError('pki_certificate_invalid', `The certificate can't be read: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

function read(der: Uint8Array): Certificate {
  const outer = new DerFields(readDer(der), 'Certificate');
  const tbsNode = outer.take(tags.sequence);
  const signatureAlgorithm = outer.take(tags.sequence);
  const signature = decodeBitString(outer.take(tags.bitString));
  outer.end();

  const tbs = new DerFields(tbsNode, 'TBSCertificate');
  const version = tbs.takeIf(contextTag(0))?.children[0];
  if (!version || decodeInteger(version) !== 2n) {
    throw new SigillumError('pki_certificate_invalid', 'The certificate is not of version 3.');
  }
  const serial = tbs.take(tags.integer);
  // RFC 5280 §4.1.1.2: both algorithm fields are the same.
  if (!equalBytes(tbs.take(tags.sequence).bytes, signatureAlgorithm.bytes)) {
    throw new SigillumError('pki_certificate_invalid', 'The certificate names two different signature algorithms.');
  }
  const issuer = parseName(tbs.take(tags.sequence));
  const validity = new DerFields(tbs.take(tags.sequence), 'Validity');
  const notBefore = decodeTime(validity.take());
  const notAfter = decodeTime(validity.take());
  validity.end();
  const subject = parseName(tbs.take(tags.sequence));
  const spki = tbs.take(tags.sequence).bytes;
  tbs.takeIf(primitiveContextTag(1));
  tbs.takeIf(primitiveContextTag(2));
  const extensions = tbs.takeIf(contextTag(3))?.children[0];
  tbs.end();

  const publicKey = readPublicKey(spki);
  return {
    der,
    tbs: tbsNode.bytes,
    signatureAlgorithm: signatureAlgorithm.bytes,
    signature,
    serialNumber: formatSerialNumber(serial),
    serialNumberDer: serial.bytes,
    subject,
    issuer,
    spki,
    publicKey,
    keySpec: findKeySpecOf(publicKey),
    notBefore,
    notAfter,
    ...parseExtensions(extensions),
    isDevelopment: hasDevelopmentMark(subject),
  };
}

/** Serial numbers as this package spells them: lowercase hex without the octet that only carries the sign. */
export function formatSerialNumber(node: DerNode): string {
  const { buffer, byteOffset, byteLength } = node.content;
  const hex = Buffer.from(buffer, byteOffset, byteLength).toString('hex');
  return hex.length > 2 && hex.startsWith('00') ? hex.slice(2) : hex;
}

/** The kind of a public key, when the product has it. */
export function findKeySpecOf(key: KeyObject): KeySpecName | undefined {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ec') {
    if (details?.namedCurve === 'prime256v1') return 'p256';
    return details?.namedCurve === 'secp384r1' ? 'p384' : undefined;
  }
  if (key.asymmetricKeyType !== 'rsa' || details?.publicExponent !== 65537n) return undefined;
  if (details.modulusLength === 2048) return 'rsa-2048';
  if (details.modulusLength === 3072) return 'rsa-3072';
  return details.modulusLength === 4096 ? 'rsa-4096' : undefined;
}

function readPublicKey(spki: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new SigillumError('pki_certificate_invalid', "The certificate's public key can't be read.", { cause });
  }
}
