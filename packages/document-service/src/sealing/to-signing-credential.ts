import type { SigningCredential } from '@sigillum/pades';
import type { Credential } from '@sigillum/store';
import { getSignatureAlgorithm, type SignatureAlgorithmName } from '@sigillum/algorithms';
import type { Services } from '../services.ts';

/**
 * A credential as a CMS shows it. The root stays out: who trusts it has it, who hasn't it gains nothing (RFC 5652
 * §10.2.3).
 */
export function toSigningCredential(
  { knownCertificates }: Pick<Services, 'knownCertificates'>,
  credential: Pick<Credential, 'certificate' | 'chain' | 'algorithm'>,
): SigningCredential {
  const isSelfIssued = (der: Uint8Array): boolean => {
    const { subject, issuer } = knownCertificates.parse(der);
    return Buffer.from(subject.der).equals(issuer.der);
  };
  return {
    certificate: credential.certificate,
    chain: credential.chain.filter((der) => !isSelfIssued(der)),
    algorithm: getSignatureAlgorithm(credential.algorithm as SignatureAlgorithmName).name,
  };
}
