import { equalBytes } from '../der/compare-bytes.ts';
import type { Certificate } from './certificate.ts';
import { type CertificateProfileName, getCertificateProfile } from './certificate-profile.ts';
import { developmentMark } from './development-mark.ts';
import { extensionOids } from './extension-oids.ts';
import { computeKeyIdentifier } from './key-identifier.ts';

const dayMs = 86_400_000;

/**
 * Lints a certificate against its profile: every rule that the profile states, and nothing more than it states.
 * Returns a sentence for each problem; none means that the certificate is as its profile wants it.
 */
export function listProfileProblems(
  certificate: Certificate,
  profileName: CertificateProfileName,
  issuer: Certificate | undefined,
): readonly string[] {
  const profile = getCertificateProfile(profileName);
  const problems: string[] = [];
  const expect = (right: boolean, problem: string) => {
    if (!right) problems.push(problem);
  };
  expect(
    certificate.keySpec !== undefined && profile.keys.includes(certificate.keySpec),
    'the kind of key is not allowed',
  );
  for (const type of profile.subject) {
    expect(
      certificate.subject.attributes.filter((attribute) => attribute.type === type).length === 1,
      `the subject needs one ${type}`,
    );
  }
  const identifier = certificate.subject.attributes.find(({ type }) => type === 'organization_identifier')?.value;
  // EN 319 412-1 §5.1.4: three characters of type, country, hyphen, identifier
  expect(
    identifier === undefined || /^([A-Z]{3}|[A-Z]{2}:)[A-Z]{2}-.+$/.test(identifier),
    'organization_identifier is not like NTRFR-123456789',
  );
  const { basicConstraints, keyUsage, extendedKeyUsage } = certificate;
  expect(
    profile.ca
      ? basicConstraints?.critical === true &&
          basicConstraints.ca &&
          basicConstraints.pathLength === profile.ca.pathLength
      : basicConstraints === undefined,
    'basicConstraints are wrong',
  );
  expect(keyUsage?.critical === true && sameSet(keyUsage.usages, profile.keyUsage), 'keyUsage is wrong');
  expect(
    profile.extendedKeyUsage
      ? extendedKeyUsage?.critical === profile.extendedKeyUsage.critical &&
          sameSet(extendedKeyUsage.purposes, profile.extendedKeyUsage.purposes)
      : extendedKeyUsage === undefined,
    'extendedKeyUsage is wrong',
  );
  const authority = profile.selfSigned ? certificate : issuer;
  expect(
    certificate.skid !== undefined && equalBytes(certificate.skid, computeKeyIdentifier(certificate.spki)),
    'subjectKeyIdentifier is wrong',
  );
  expect(
    certificate.akid !== undefined && authority?.skid !== undefined && equalBytes(certificate.akid, authority.skid),
    'authorityKeyIdentifier is wrong',
  );
  const isPublished = profile.publication === 'required';
  expect(certificate.caIssuersUrls.length === (isPublished ? 1 : 0), 'caIssuers is wrong');
  expect(certificate.crlUrls.length === (isPublished ? 1 : 0), 'the CRL distribution point is wrong');
  // RFC 5280 §4.2.1.13, §4.2.2.1 and DSS fetch plain HTTP; https would need a path before there is one.
  expect(
    [...certificate.caIssuersUrls, ...certificate.crlUrls].every(
      (url) => url.startsWith('http://') && URL.canParse(url),
    ),
    'a publication URL is not an http URL',
  );
  expect(certificate.ocspUrls.length === 0, 'an OCSP responder is named though there is none');
  const names = certificate.subjectAlternativeNames;
  expect(names.uris.length === (profile.uriName === 'required' ? 1 : 0), 'the number of URI names is wrong');
  expect(
    names.uris.every((uri) => /^spiffe:\/\/[a-z0-9.-]+(\/[a-zA-Z0-9._-]+)+$/.test(uri)),
    'a URI name is not a SPIFFE id',
  );
  expect(
    names.dnsNames.length + names.ipAddresses.length > 0 === (profile.hostNames === 'required'),
    'host names are missing or too many',
  );
  const period = certificate.privateKeyUsagePeriod;
  expect((period !== undefined) === (profile.privateKeyUsagePeriod === 'required'), 'privateKeyUsagePeriod is wrong');
  expect(
    period === undefined ||
      (period.notBefore !== undefined &&
        period.notAfter !== undefined &&
        period.notBefore < period.notAfter &&
        period.notBefore >= certificate.notBefore &&
        period.notAfter <= certificate.notAfter),
    'privateKeyUsagePeriod does not lie within the validity',
  );
  const days = (certificate.notAfter.getTime() - certificate.notBefore.getTime()) / dayMs;
  expect(days > 0 && days <= profile.maxDays, `the validity is not between 0 and ${profile.maxDays} days`);
  if (issuer) {
    const pathLength = issuer.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY;
    expect(!profile.ca || pathLength > 0, 'its issuer may have no CA below it');
    expect(certificate.notBefore >= issuer.notBefore, 'it begins before its issuer');
    expect(certificate.notAfter <= issuer.notAfter, 'it ends after its issuer');
    expect(
      certificate.isDevelopment === issuer.isDevelopment,
      `"${developmentMark}" stands in one of issuer and subject`,
    );
  }
  expect(/^[4-7][0-9a-f]{31}$/.test(certificate.serialNumber), 'the serial number is not positive with 128 bits');
  const known: ReadonlySet<string> = new Set(Object.values(extensionOids));
  expect(
    certificate.extensions.every(({ oid }) => known.has(oid)),
    'an extension is there that no profile has',
  );
  return problems;
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item) => right.includes(item));
}
