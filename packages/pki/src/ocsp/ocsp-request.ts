import { SigillumError } from '@sigillum/errors';
import { encodeExplicit, encodeOctetString, encodeSequence } from '../der/encode-der.ts';
import type { Certificate } from '../x509/certificate.ts';
import { encodeExtension } from '../x509/encode-extensions.ts';
import { type CertificateIdHash, encodeCertificateId } from './ocsp-certificate-id.ts';
import { ocspOids } from './ocsp-oids.ts';

export type OcspRequest = {
  /** The certificate whose status is asked. */
  readonly certificate: Certificate;
  /** Its issuer. */
  readonly issuer: Certificate;
  /**
   * The hash in the CertID. Default SHA-1: it is the one that every responder knows (RFC 5019 §2.1.1); ask again with
   * `sha256` when a responder answers that it doesn't know the certificate.
   */
  readonly hash?: CertificateIdHash;
  /** 1 to 128 random bytes, 32 as a rule (RFC 9654 §2.1). Left out, a responder may answer from its store. */
  readonly nonce?: Uint8Array | undefined;
};

/**
 * OCSPRequest for one certificate, unsigned (RFC 6960 §4.1.1). Throws `pki_request_invalid` for a nonce of a wrong length.
 *
 * @example const body = encodeOcspRequest({ certificate, issuer, nonce: randomBytes(32) });
 */
export function encodeOcspRequest(request: OcspRequest): Uint8Array {
  const { certificate, issuer, hash = 'sha1', nonce } = request;
  if (nonce && (nonce.length < 1 || nonce.length > 128)) {
    throw new SigillumError('pki_request_invalid', 'The nonce of an OCSP request has 1 to 128 bytes.');
  }
  const extensions = nonce
    ? [encodeExplicit(2, encodeSequence(encodeExtension(ocspOids.nonce, false, encodeOctetString(nonce))))]
    : [];
  const single = encodeSequence(encodeCertificateId(certificate, issuer, hash));
  return encodeSequence(encodeSequence(encodeSequence(single), ...extensions));
}
