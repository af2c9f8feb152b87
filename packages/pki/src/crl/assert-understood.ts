import { SigillumError } from '@sigillum/errors';
import { crlExtensionOids } from '../x509/extension-oids.ts';
import type { Extension } from '../x509/parse-extensions.ts';

/** A delta CRL is refused by its OID too: nothing binds a CA to mark it critical but the standard. */
export function assertUnderstood(what: string, extensions: readonly Extension[]): void {
  const strange = extensions.find(
    ({ oid, critical }) =>
      oid === crlExtensionOids.deltaCrlIndicator || (critical && oid !== crlExtensionOids.issuingDistributionPoint),
  );
  if (strange?.oid === crlExtensionOids.deltaCrlIndicator) {
    throw new SigillumError('pki_crl_unsupported', 'The CRL holds only what changed since another one (delta CRL).');
  }
  if (strange) throw new SigillumError('pki_crl_unsupported', `${what} has the critical extension ${strange.oid}.`);
}
