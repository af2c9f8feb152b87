import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { type Certificate, type CertificateRequest, issueCertificate, parseCertificate } from '@sigillum/pki';
import { createFileSigner, exportSpki } from '../keys/ceremony-key.ts';

/**
 * Issues the certificate with a throw-away key in the place of the CA's, so that everything but the signature is
 * looked at before the CA's key is asked to sign. Returns what would be issued; throws `pki_profile_violated`.
 */
export async function lintRequest(request: CertificateRequest): Promise<Certificate> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const publicKey = createPublicKey(privateKey);
  const spki = exportSpki(privateKey);
  const standIn: CertificateRequest = request.issuer
    ? { ...request, issuer: { ...request.issuer, spki, publicKey } }
    : { ...request, spki };
  return parseCertificate(await issueCertificate(standIn, createFileSigner(privateKey)));
}
