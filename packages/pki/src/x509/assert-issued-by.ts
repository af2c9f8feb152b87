import { SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import type { Certificate } from './certificate.ts';
import { verifySignedData } from './verify-signed-data.ts';

/**
 * Checks one step of a path: `issuer` is a CA that may sign certificates, its name and key identifier are the ones
 * that `certificate` names, and its key made the signature (RFC 5280 §6.1.3, §6.1.4). Validity times and path length
 * belong to the path. Throws `pki_path_invalid`.
 */
export function assertIssuedBy(certificate: Certificate, issuer: Certificate): void {
  const refuse = (why: string): never => {
    throw new SigillumError('pki_path_invalid', `The certificate "${certificate.subject.text}" ${why}.`);
  };
  if (!equalBytes(certificate.issuer.der, issuer.subject.der)) refuse('names another issuer');
  if (certificate.akid && issuer.skid && !equalBytes(certificate.akid, issuer.skid)) {
    refuse("names another key of its issuer's");
  }
  if (!issuer.basicConstraints?.ca) refuse('comes from an issuer that is not a CA');
  if (issuer.keyUsage && !issuer.keyUsage.usages.includes('keyCertSign')) {
    refuse('comes from an issuer that may not sign certificates');
  }
  if (!verifySignedData(certificate.tbs, certificate.signatureAlgorithm, certificate.signature, issuer.publicKey)) {
    refuse('has a signature that its issuer did not make');
  }
}
