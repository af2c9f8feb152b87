import type { PeerCertificate } from 'node:tls';
import { listUriNames } from '@sigillum/signer-rpc';

/** id-kp-clientAuth (RFC 5280 §4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/**
 * The name of a client whose certificate chains to our root: its single URI SAN, provided that the certificate is
 * for clients. `undefined` when it names nobody, or more than one.
 */
export function findClientName(
  certificate: Pick<PeerCertificate, 'subjectaltname' | 'ext_key_usage'>,
): string | undefined {
  if (!certificate.ext_key_usage?.includes(CLIENT_AUTH)) return undefined;
  const names = listUriNames(certificate.subjectaltname);
  return names.length === 1 ? names[0] : undefined;
}
