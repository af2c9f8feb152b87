import { SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import { assertIssuedBy } from './assert-issued-by.ts';
import type { CertificateRequest } from './certificate-request.ts';
import { createName } from './distinguished-name.ts';
import { listProfileProblems } from './list-profile-problems.ts';
import { parseCertificate } from './parse-certificate.ts';

/**
 * Reads an issued certificate back and compares it with what was asked for and with its profile. Nothing of the
 * encoder is used. Throws `pki_profile_violated` with every problem in its fields.
 */
export function assertCertificateMatches(der: Uint8Array, request: CertificateRequest): void {
  const certificate = parseCertificate(der);
  const issuer = request.issuer ?? certificate;
  const problems = [...listProfileProblems(certificate, request.profile, request.issuer)];
  const expect = (right: boolean, what: string) => {
    if (!right) problems.push(what);
  };
  const sameSecond = (left: Date | undefined, right: Date | undefined) =>
    (left && Math.floor(left.getTime() / 1000)) === (right && Math.floor(right.getTime() / 1000));
  expect(equalBytes(certificate.subject.der, createName(request.subject).der), 'the subject is not the one asked for');
  expect(equalBytes(certificate.spki, request.spki), 'the public key is not the one asked for');
  expect(certificate.serialNumber === Buffer.from(request.serialNumber).toString('hex'), 'the serial number differs');
  expect(sameSecond(certificate.notBefore, request.notBefore), 'notBefore differs');
  expect(sameSecond(certificate.notAfter, request.notAfter), 'notAfter differs');
  expect(same(certificate.caIssuersUrls, [request.caIssuersUrl]), 'the caIssuers URL differs');
  expect(same(certificate.crlUrls, [request.crlUrl]), 'the CRL distribution point differs');
  const names = certificate.subjectAlternativeNames;
  expect(same(names.uris, request.uris ?? []), 'the URI names differ');
  expect(same(names.dnsNames, request.dnsNames ?? []), 'the DNS names differ');
  expect(same(names.ipAddresses, request.ipAddresses ?? []), 'the IP addresses differ');
  const period = certificate.privateKeyUsagePeriod;
  expect(
    sameSecond(period?.notBefore, request.privateKeyUsagePeriod?.notBefore) &&
      sameSecond(period?.notAfter, request.privateKeyUsagePeriod?.notAfter),
    'the private key usage period differs',
  );
  if (problems.length > 0) {
    throw new SigillumError('pki_profile_violated', `The certificate is refused: ${problems.join('; ')}.`, {
      fields: problems.map((detail) => ({ pointer: '', detail })),
    });
  }
  assertIssuedBy(certificate, issuer);
}

function same(actual: readonly string[], expected: readonly (string | undefined)[]): boolean {
  return JSON.stringify(actual) === JSON.stringify(expected.filter((item) => item !== undefined));
}
