import { createHash } from 'node:crypto';
import { type DigestName, findDigestByOid, getDigestAlgorithm } from '@sigillum/algorithms';
import { equalBytes } from '../der/compare-bytes.ts';
import { decodeBitString, decodeOctetString, decodeOid } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { encodeNull, encodeOctetString, encodeOid, encodeSequence, encodeUnsignedInteger } from '../der/encode-der.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { tags } from '../der/tags.ts';
import type { Certificate } from '../x509/certificate.ts';
import { formatSerialNumber } from '../x509/parse-certificate.ts';

/**
 * The hash that names an issuer in a CertID. SHA-1 is a name here, not a proof: a responder whose answer names another
 * issuer by a collision would still have to sign it with this issuer's authority. It isn't in the table of algorithms.
 */
export type CertificateIdHash = 'sha1' | DigestName;

const sha1Oid = '1.3.14.3.2.26';

/** CertID, read (RFC 6960 §4.1.1). */
export type OcspCertificateId = {
  /** hashAlgorithm, dotted. */
  readonly hashOid: string;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** Lowercase hex of the number without a leading zero octet. */
  readonly serialNumber: string;
};

/** The CertID of a certificate: hashes of its issuer's name and key, and its serial number. */
export function encodeCertificateId(
  certificate: Certificate,
  issuer: Certificate,
  hash: CertificateIdHash,
): Uint8Array {
  const oid = hash === 'sha1' ? sha1Oid : getDigestAlgorithm(hash).oid;
  return encodeSequence(
    // NULL is what every client writes, and some responders compare the bytes
    encodeSequence(encodeOid(oid), encodeNull()),
    encodeOctetString(digest(hash, certificate.issuer.der)),
    encodeOctetString(digest(hash, readKeyBits(issuer.spki))),
    encodeUnsignedInteger(Buffer.from(certificate.serialNumber, 'hex')),
  );
}

export function readCertificateId(node: DerNode): OcspCertificateId {
  const fields = new DerFields(node, 'CertID');
  const [oid] = fields.take(tags.sequence).children;
  const issuerNameHash = decodeOctetString(fields.take());
  const issuerKeyHash = decodeOctetString(fields.take());
  const serialNumber = formatSerialNumber(fields.take(tags.integer));
  fields.end();
  return { hashOid: oid ? decodeOid(oid) : '', issuerNameHash, issuerKeyHash, serialNumber };
}

/** Whether a CertID names this certificate of this issuer. False for a hash that isn't known. */
export function isCertificateIdOf(id: OcspCertificateId, certificate: Certificate, issuer: Certificate): boolean {
  const hash = id.hashOid === sha1Oid ? 'sha1' : findDigestByOid(id.hashOid)?.name;
  return (
    hash !== undefined &&
    id.serialNumber === certificate.serialNumber &&
    equalBytes(id.issuerNameHash, digest(hash, certificate.issuer.der)) &&
    equalBytes(id.issuerKeyHash, digest(hash, readKeyBits(issuer.spki)))
  );
}

/** KeyHash of a ResponderID: SHA-1 of the key, whatever else is in use (RFC 6960 §4.2.1). */
export function hashResponderKey(spki: Uint8Array): Uint8Array {
  return digest('sha1', readKeyBits(spki));
}

/** The value of subjectPublicKey, without tag, length and the count of unused bits. */
function readKeyBits(spki: Uint8Array): Uint8Array {
  const fields = new DerFields(readDer(spki), 'SubjectPublicKeyInfo');
  fields.take(tags.sequence);
  return decodeBitString(fields.take(tags.bitString));
}

function digest(hash: CertificateIdHash, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(bytes).digest());
}
