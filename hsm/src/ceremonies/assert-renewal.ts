import { SigillumError } from '@sigillum/errors';
import { type Certificate, equalBytes } from '@sigillum/pki';

/** PrivateKeyUsagePeriod moves with the validity (RFC 3280 §4.2.1.4). */
const movingExtensions: ReadonlySet<string> = new Set(['2.5.29.16']);

/**
 * Compares a certificate with the one that it replaces: the same holder, key, issuer and extensions, a new serial
 * number, and a later end. Throws `ceremony_renewal_differs` naming everything that is different.
 */
export function assertRenewal(previous: Certificate, next: Certificate): void {
  const problems: string[] = [];
  const expect = (right: boolean, problem: string) => {
    if (!right) problems.push(problem);
  };
  expect(equalBytes(previous.subject.der, next.subject.der), 'the subject');
  expect(equalBytes(previous.issuer.der, next.issuer.der), 'the issuer');
  expect(equalBytes(previous.spki, next.spki), 'the public key');
  expect(previous.serialNumber !== next.serialNumber, 'the serial number, which must be new');
  expect(next.notAfter > previous.notAfter, 'the end, which must be later');
  const oids = (certificate: Certificate) => certificate.extensions.map(({ oid }) => oid).join(' ');
  expect(oids(previous) === oids(next), 'the set of extensions');
  for (const extension of next.extensions) {
    const before = previous.extensions.find(({ oid }) => oid === extension.oid);
    expect(
      before !== undefined &&
        before.critical === extension.critical &&
        (movingExtensions.has(extension.oid) || equalBytes(before.value, extension.value)),
      `the extension ${extension.oid}`,
    );
  }
  if (problems.length > 0) {
    throw new SigillumError(
      'ceremony_renewal_differs',
      `The new certificate differs from the one it replaces in: ${problems.join(', ')}.`,
    );
  }
}
