import type { KeyObject } from 'node:crypto';
import { isSigillumError } from '@sigillum/errors';
import { type Certificate, type DerNode, equalBytes, parseCertificate, tags, isIssuedBy } from '@sigillum/pki';
import type { Findings } from './findings.ts';

/** The certificates of a CMS; one that can't be read, or is of another kind, is a finding: nothing signs the bag. */
export function readCertificates(nodes: readonly DerNode[], findings: Findings): readonly Certificate[] {
  return nodes.flatMap((node) => {
    const certificate = node.tag === tags.sequence ? findCertificate(node.bytes) : undefined;
    if (certificate === undefined) findings.add('certificate_malformed');
    return certificate === undefined ? [] : [certificate];
  });
}

/** A certificate, when the bytes are one. */
export function findCertificate(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (isSigillumError(error)) return undefined;
    throw error;
  }
}

/**
 * Every certificate of the bag is on the path, or is signed by one that is known, or is a cross-certificate of a CA on the
 * path whose issuer isn't known. Anything else was changed on the way.
 */
export function checkBag(
  bag: readonly Certificate[],
  path: readonly Certificate[],
  roots: readonly Certificate[],
  findings: Findings,
): void {
  const known = [...roots, ...path, ...bag];
  for (const certificate of bag) {
    if (path.some(({ der }) => equalBytes(der, certificate.der))) continue;
    const issuers = known.filter(({ subject }) => equalBytes(subject.der, certificate.issuer.der));
    const isFine =
      issuers.length > 0 ? issuers.some((issuer) => isIssuedBy(certificate, issuer)) : isCross(certificate, path);
    if (!isFine) findings.add('certificate_wrong', certificate.subject.text.slice(0, 200));
  }
}

function isCross(certificate: Certificate, path: readonly Certificate[]): boolean {
  const twins = path.filter(({ spki }) => equalBytes(spki, certificate.spki));
  return (
    twins.length > 0 &&
    twins.every(({ serialNumber, subject }) => {
      return serialNumber !== certificate.serialNumber && equalBytes(subject.der, certificate.subject.der);
    })
  );
}

/** RSA from 2048 bits, the NIST curves. */
export function isStrongKey(key: KeyObject): boolean {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ec')
    return ['prime256v1', 'secp384r1', 'secp521r1'].includes(details?.namedCurve ?? '');
  const isRsa = key.asymmetricKeyType === 'rsa' || key.asymmetricKeyType === 'rsa-pss';
  return isRsa && (details?.modulusLength ?? 0) >= 2048;
}

/** Purposes of keys that sign something else than documents. */
const otherPurposes = new Set(['serverAuth', 'timeStamping', 'OCSPSigning', '1.3.6.1.5.5.7.3.3']);

/** Whether a certificate's key is one to sign documents with: an end entity's, with nonRepudiation, for no other purpose. */
export function maySignDocuments({ keyUsage, extendedKeyUsage, basicConstraints }: Certificate): boolean {
  if (basicConstraints?.ca === true || !keyUsage?.usages.includes('nonRepudiation')) return false;
  const purposes = extendedKeyUsage?.purposes ?? [];
  return purposes.length === 0 || purposes.some((purpose) => !otherPurposes.has(purpose));
}
