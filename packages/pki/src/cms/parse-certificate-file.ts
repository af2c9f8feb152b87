import { SigillumError } from '@sigillum/errors';
import { decodeOid } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { contextTag, tags } from '../der/tags.ts';
import { decodePem } from '../pem/pem.ts';
import { cmsOids } from './oids.ts';

/** A file with issuers' certificates holds the CA's own and its cross-certificates. */
const maxCertificates = 32;

/**
 * The certificates in a file as AIA caIssuers points to (RFC 5280 §4.2.2.1): one certificate in DER, a certs-only CMS in DER
 * (RFC 5652 §5.1 without signers, RFC 5280's p7c), or PEM, which the RFC doesn't know and servers give all the same. They
 * are not looked into. Throws `pki_der_invalid`, `pki_pem_invalid` or `pki_certificate_invalid`.
 */
export function parseCertificateFile(bytes: Uint8Array): readonly Uint8Array[] {
  const certificates =
    bytes[0] === tags.sequence ? readDerFile(bytes) : decodePem(Buffer.from(bytes).toString('latin1'));
  if (certificates.length > maxCertificates) {
    throw new SigillumError('pki_certificate_invalid', `The file holds more than ${maxCertificates} certificates.`);
  }
  return certificates;
}

function readDerFile(bytes: Uint8Array): readonly Uint8Array[] {
  const file = readDer(bytes);
  const type = file.children[0];
  // A certificate begins with its TBSCertificate, a ContentInfo with an OID.
  if (type?.tag !== tags.oid) return [file.bytes];
  if (decodeOid(type) !== cmsOids.signedData) {
    throw new SigillumError('pki_certificate_invalid', 'The file is neither a certificate nor a list of certificates.');
  }
  return readSignedData(file.children[1]?.children[0]);
}

function readSignedData(node: DerNode | undefined): readonly Uint8Array[] {
  if (!node) throw new SigillumError('pki_der_invalid', 'SignedData lacks a part.');
  const fields = new DerFields(node, 'SignedData');
  fields.take(tags.integer);
  fields.take(tags.set);
  fields.take(tags.sequence);
  const certificates = fields.takeIf(contextTag(0))?.children ?? [];
  return certificates.filter(({ tag }) => tag === tags.sequence).map((certificate) => certificate.bytes);
}
