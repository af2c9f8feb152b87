import { SigillumError } from '@sigillum/errors';
import { DerFields } from '../der/der-fields.ts';
import { readDer } from '../der/read-der.ts';
import { contextTag, tags } from '../der/tags.ts';
import type { Certificate } from '../x509/certificate.ts';

/** What names a certificate in CMS: issuer Name and serial INTEGER, both as DER elements. */
export type IssuerAndSerial = { readonly issuer: Uint8Array; readonly serialNumber: Uint8Array };

/** The same of a certificate that has been read. */
export function getIssuerAndSerial({ issuer, serialNumberDer }: Certificate): IssuerAndSerial {
  return { issuer: issuer.der, serialNumber: serialNumberDer };
}

/** Issuer and serial number of a certificate, byte for byte as they stand in it (RFC 5280 §4.1). */
export function readIssuerAndSerial(certificate: Uint8Array): IssuerAndSerial {
  const tbs = readDer(certificate).children[0];
  if (!tbs) throw new SigillumError('pki_der_invalid', 'The certificate is empty.');
  const fields = new DerFields(tbs, 'TBSCertificate');
  fields.takeIf(contextTag(0));
  const serialNumber = fields.take(tags.integer).bytes;
  fields.take(tags.sequence);
  return { serialNumber, issuer: fields.take(tags.sequence).bytes };
}
