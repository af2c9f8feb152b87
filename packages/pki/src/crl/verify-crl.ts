import { SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import type { Certificate } from '../x509/certificate.ts';
import { verifySignedData } from '../x509/verify-signed-data.ts';
import type { CertificateList } from './certificate-list.ts';
import { isInCrlScope } from './crl-scope.ts';

/**
 * Checks that a CRL is `issuer`'s: name, key identifier, right to sign CRLs, signature (RFC 5280 §6.3.3 f, g), and that it
 * speaks of `certificate`. A CRL of a part of its issuer's certificates is refused where no certificate is given: its
 * silence would be taken for an answer. Whether it is fresh is for the caller, who knows the time. Throws
 * `pki_crl_invalid`.
 */
export function verifyCrl(crl: CertificateList, issuer: Certificate, certificate?: Certificate): void {
  const refuse = (why: string): never => {
    throw new SigillumError('pki_crl_invalid', `The CRL of "${crl.issuer.text}" ${why}.`);
  };
  if (!equalBytes(crl.issuer.der, issuer.subject.der)) refuse('comes from another issuer');
  if (crl.akid && issuer.skid && !equalBytes(crl.akid, issuer.skid)) refuse("names another key of its issuer's");
  if (issuer.keyUsage && !issuer.keyUsage.usages.includes('cRLSign')) refuse('comes from a CA that may not sign CRLs');
  if (certificate ? !isInCrlScope(crl.scope, certificate) : crl.scope !== undefined) {
    refuse(certificate ? 'does not speak of this certificate' : 'speaks of a part of its certificates only');
  }
  if (!verifySignedData(crl.tbs, crl.signatureAlgorithm, crl.signature, issuer.publicKey)) {
    refuse('has a signature that its issuer did not make');
  }
}
