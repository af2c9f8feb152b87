import { createHash } from 'node:crypto';
import { findDigestByOid } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import { decodeOctetString, decodeOid } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { encodeExplicit, encodeOctetString, encodeSequence } from '../der/encode-der.ts';
import type { DerNode } from '../der/read-der.ts';
import { contextTag, tags } from '../der/tags.ts';
import { type IssuerAndSerial, readIssuerAndSerial } from './issuer-and-serial.ts';

/**
 * SigningCertificateV2 with one ESSCertIDv2 of the signer's certificate (RFC 5035 §3): hashAlgorithm is left out because
 * SHA-256 is its DEFAULT, issuerSerial is written (EN 319 122-1 §5.2.2.3).
 */
export function encodeSigningCertificateV2(certificate: Uint8Array, name: IssuerAndSerial): Uint8Array {
  const hash = createHash('sha256').update(certificate).digest();
  // GeneralNames with one directoryName, [4] and EXPLICIT because Name is a CHOICE (RFC 5280 §4.2.1.6).
  const issuerSerial = encodeSequence(encodeSequence(encodeExplicit(4, name.issuer)), name.serialNumber);
  return encodeSequence(encodeSequence(encodeSequence(encodeOctetString(hash), issuerSerial)));
}

/** What the first ESSCertIDv2, that of the signer, says. */
export type EssCertificateId = {
  readonly algorithm: string;
  readonly hash: Uint8Array;
  readonly issuerSerial?: IssuerAndSerial;
};

/** Reads the value of a signing-certificate-v2 attribute. Throws `pki_der_invalid` or, for a weak hash, `pki_cms_invalid`. */
export function parseSigningCertificateV2(value: DerNode): EssCertificateId {
  const attribute = new DerFields(value, 'SigningCertificateV2');
  const first = attribute.take(tags.sequence).children[0];
  attribute.takeIf(tags.sequence); // policies
  attribute.end();
  if (!first) throw new SigillumError('pki_cms_invalid', 'The signing-certificate-v2 attribute is empty.');
  const fields = new DerFields(first, 'ESSCertIDv2');
  const algorithmNode = fields.takeIf(tags.sequence);
  const oid = algorithmNode?.children[0] ? decodeOid(algorithmNode.children[0]) : '2.16.840.1.101.3.4.2.1';
  const algorithm = findDigestByOid(oid);
  if (!algorithm)
    throw new SigillumError('pki_cms_invalid', 'The certificate is named by a hash that is not accepted.');
  const hash = decodeOctetString(fields.take());
  const issuerSerial = fields.takeIf(tags.sequence);
  fields.end();
  return {
    algorithm: algorithm.name,
    hash,
    ...(issuerSerial ? { issuerSerial: readIssuerSerial(issuerSerial) } : {}),
  };
}

function readIssuerSerial(node: DerNode): IssuerAndSerial {
  const fields = new DerFields(node, 'IssuerSerial');
  const [name, ...others] = fields.take(tags.sequence).children;
  const serialNumber = fields.take(tags.integer).bytes;
  fields.end();
  const issuer = name?.tag === contextTag(4) && others.length === 0 ? name.children[0] : undefined;
  if (!issuer)
    throw new SigillumError('pki_cms_invalid', 'The certificate is named by something other than its issuer.');
  return { issuer: issuer.bytes, serialNumber };
}

/** Whether the id names that certificate: by hash and, when it is there, by issuer and serial too. */
export function matchesCertificate(id: EssCertificateId, certificate: Uint8Array): boolean {
  if (!equalBytes(createHash(id.algorithm).update(certificate).digest(), id.hash)) return false;
  if (!id.issuerSerial) return true;
  const name = readIssuerAndSerial(certificate);
  return equalBytes(name.issuer, id.issuerSerial.issuer) && equalBytes(name.serialNumber, id.issuerSerial.serialNumber);
}

/** Whether the first ESSCertID of a SigningCertificate (RFC 2634 §5.4) has the certificate's SHA-1 hash. */
export function isNamedBySha1(value: DerNode, certificate: Uint8Array): boolean {
  const hash = value.children[0]?.children[0]?.children[0];
  return hash !== undefined && equalBytes(decodeOctetString(hash), createHash('sha1').update(certificate).digest());
}
