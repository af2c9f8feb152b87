import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** The URI SAN of the daemon's certificate. */
export const hashSignerUri = 'spiffe://sigillum.internal/hash-signer';

/**
 * The URI names in a certificate's subjectAltName as Node prints it. A value that Node had to quote (it holds a comma
 * or a quote) is none of our names, so quoted entries never match.
 */
export function listUriNames(subjectAltName: string | undefined): string[] {
  if (subjectAltName === undefined) return [];
  return subjectAltName
    .split(', ')
    .filter((entry) => entry.startsWith('URI:'))
    .map((entry) => entry.slice('URI:'.length));
}

/** Checks host name or address as TLS clients do, then that the one URI SAN is the expected service. */
export function checkSignerIdentity(
  host: string,
  certificate: PeerCertificate,
  expectedUri: string,
): Error | undefined {
  const wrongHost = checkServerIdentity(host, certificate);
  if (wrongHost) return wrongHost;
  const names = listUriNames(certificate.subjectaltname);
  return names.length === 1 && names[0] === expectedUri
    ? undefined
    : new Error('the server certificate does not name the expected service');
}
