import { getSignatureAlgorithm, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { buildPath, type Certificate, equalBytes, parseCertificate, TimeStampRefusal } from '@sigillum/pki';
import type { KeyManifest } from './key-manifest.ts';

/** A TSU: one key, one certificate, and what goes into tokens beside it. Only {@link openTimeStampUnit} makes one. */
export type TimeStampUnit = {
  readonly keyId: string;
  readonly algorithm: SignatureAlgorithmName;
  readonly certificate: Certificate;
  /** DER, issuing CA first. */
  readonly chain: readonly Uint8Array[];
};

/**
 * Checks that key, certificate and chain belong together and may make time-stamps (RFC 3161 §2.3, EN 319 422 §6):
 * critical EKU timeStamping alone, critical keyUsage with digitalSignature, the manifest's key, no PSS, a chain that
 * holds, and the development mark exactly where the configuration says so. Throws `tsa_certificate_unusable`.
 *
 * @param now the certificate must be valid at this time.
 */
export function openTimeStampUnit(input: {
  readonly manifest: KeyManifest;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly chain: readonly Uint8Array[];
  readonly development: boolean;
  readonly now: Date;
}): TimeStampUnit {
  const certificate = parseCertificate(input.certificate);
  const { algorithm } = input.manifest;
  const unit = { keyId: input.manifest.key_id, algorithm, certificate, chain: input.chain };
  assertPurpose(certificate);
  const { keys, scheme } = getSignatureAlgorithm(algorithm);
  if (!equalBytes(Buffer.from(input.manifest.spki, 'base64'), certificate.spki)) {
    throw unusable('is not one of the key in the manifest');
  }
  if (!certificate.keySpec || !keys.includes(certificate.keySpec))
    throw unusable(`has a key that ${algorithm} can't use`);
  // openssl ts can't verify PSS, and clients of that kind are the reason to run a TSA.
  if (scheme === 'rsassa-pss') throw unusable('has a key for RSASSA-PSS, which too few clients can verify');
  if (certificate.keySpec === 'rsa-2048') throw unusable('has an RSA key below 3072 bits');
  assertMark(certificate, input.development);
  const reason = findReasonAgainst(unit, input.now);
  if (reason !== undefined) throw unusable(reason);
  assertChain(unit, input.now);
  return unit;
}

/** Why the TSU may not sign at that time, or undefined. The private key may end long before the certificate. */
export function findReasonAgainst({ certificate }: TimeStampUnit, time: Date): string | undefined {
  const { notBefore, notAfter, privateKeyUsagePeriod } = certificate;
  if (time < notBefore) return 'is not valid yet';
  if (time > notAfter) return 'has expired';
  if (privateKeyUsagePeriod?.notBefore && time < privateKeyUsagePeriod.notBefore)
    return 'has a key whose use has not begun';
  if (privateKeyUsagePeriod?.notAfter && time > privateKeyUsagePeriod.notAfter) return 'has a key whose use has ended';
  return undefined;
}

/** Refuses with `systemFailure` while the TSU may not sign. */
export function assertMaySignAt(unit: TimeStampUnit, time: Date): void {
  const reason = findReasonAgainst(unit, time);
  if (reason !== undefined) {
    throw new TimeStampRefusal('systemFailure', `The certificate of this time-stamp unit ${reason}.`);
  }
}

function assertPurpose({ extendedKeyUsage, keyUsage }: Certificate): void {
  const [purpose, ...others] = extendedKeyUsage?.purposes ?? [];
  if (!extendedKeyUsage?.critical || purpose !== 'timeStamping' || others.length > 0) {
    throw unusable('does not have timeStamping as its only and critical purpose');
  }
  if (!keyUsage?.critical || !keyUsage.usages.includes('digitalSignature')) {
    throw unusable('does not have a critical key usage with digitalSignature');
  }
}

function assertMark(certificate: Certificate, development: boolean): void {
  if (certificate.isDevelopment === development) return;
  throw unusable(
    development
      ? 'is not a development one, but the configuration says development: true'
      : 'is a development one: its time-stamps would have no legal value. Say development: true, or use another',
  );
}

function assertChain(unit: TimeStampUnit, at: Date): void {
  const issuers = unit.chain.map((der) => parseCertificate(der));
  const last = issuers.at(-1);
  if (!last) throw unusable('comes without the certificate of its CA');
  try {
    buildPath({ leaf: unit.certificate, candidates: issuers, roots: [last], at });
  } catch (error) {
    if (!isSigillumError(error, 'pki_path_invalid')) throw error;
    throw unusable('does not lead to its CA', error);
  }
}

function unusable(why: string, cause?: unknown): SigillumError {
  return new SigillumError('tsa_certificate_unusable', `The certificate of the time-stamp unit ${why}.`, { cause });
}
