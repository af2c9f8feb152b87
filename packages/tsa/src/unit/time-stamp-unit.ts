import { getSignatureAlgorithm, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { buildPath, type Certificate, equalBytes, parseCertificate } from '@sigillum/pki';
import type { KeyManifest } from '@sigillum/signer-rpc';

/** A TSU: one key, one certificate, and what goes into tokens beside it. Only {@link openTimeStampUnit} makes one. */
export type TimeStampUnit = {
  /** For people and metrics, such as `tsu-2027`. */
  readonly name: string;
  readonly keyId: string;
  readonly algorithm: SignatureAlgorithmName;
  readonly certificate: Certificate;
  /** DER, issuing CA first. */
  readonly chain: readonly Uint8Array[];
  /** The operator asserts that tokens are qualified (EN 319 422 §9.1). */
  readonly qualified: boolean;
  /** It signs from here … */
  readonly begins: Date;
  /** … until before here, the margin already taken off. */
  readonly ends: Date;
};

/**
 * Checks that key, certificate and chain belong together and may make time-stamps (RFC 3161 §2.3, EN 319 422 §6):
 * critical EKU timeStamping alone, critical keyUsage for signatures alone, no CA, the manifest's key, no PSS, a certificate
 * that ends before its algorithm does, a chain that holds, and the development mark exactly where the configuration says
 * so. Whether it may sign at a time is asked with each token, not here. Throws `tsa_certificate_unusable`, and
 * `config_invalid` for a key with another purpose.
 */
export function openTimeStampUnit(input: {
  readonly name: string;
  readonly manifest: Pick<KeyManifest, 'key_id' | 'algorithm' | 'purpose' | 'spki'>;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly chain: readonly Uint8Array[];
  readonly development: boolean;
  readonly qualified: boolean;
  /** The operator's own window inside that of the certificate. */
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
  /** It stops signing this long before the end of its private-key usage period. */
  readonly marginMs: number;
}): TimeStampUnit {
  const certificate = parseCertificate(input.certificate);
  const { algorithm, purpose } = input.manifest;
  if (purpose !== 'timestamp') {
    throw new SigillumError('config_invalid', `The key of the manifest has the purpose ${purpose}, not timestamp.`);
  }
  assertPurpose(certificate);
  const { keys, scheme, endDates } = getSignatureAlgorithm(algorithm);
  if (!equalBytes(Buffer.from(input.manifest.spki, 'base64'), certificate.spki)) {
    throw unusable('is not one of the key in the manifest');
  }
  if (!certificate.keySpec || !keys.includes(certificate.keySpec))
    throw unusable(`has a key that ${algorithm} can't use`);
  // openssl ts can't verify PSS, and clients of that kind are the reason to run a TSA.
  if (scheme === 'rsassa-pss') throw unusable('has a key for RSASSA-PSS, which too few clients can verify');
  if (certificate.keySpec === 'rsa-2048') throw unusable('has an RSA key below 3072 bits');
  const endOfAlgorithm = endDates[certificate.keySpec];
  if (endOfAlgorithm !== undefined && certificate.notAfter >= new Date(endOfAlgorithm))
    throw unusable(`is valid beyond ${endOfAlgorithm}, when ${algorithm} with such a key ends`);
  assertMark(certificate, input.development);
  if (input.qualified && certificate.isDevelopment)
    throw unusable('is a development one: its time-stamps can not be called qualified');
  const { notBefore, notAfter, privateKeyUsagePeriod: use } = certificate;
  const unit = {
    name: input.name,
    keyId: input.manifest.key_id,
    algorithm,
    certificate,
    chain: input.chain,
    qualified: input.qualified,
    begins: latest([notBefore, use?.notBefore, input.from]),
    ends: new Date(earliest([notAfter, use?.notAfter, input.until]).getTime() - input.marginMs),
  };
  if (unit.begins >= unit.ends) throw unusable('leaves no time to sign in: see from, until and unit_margin_minutes');
  assertChain(unit);
  return unit;
}

/** Why the unit may not sign at that time, or undefined. */
export function findReasonAgainst({ begins, ends, certificate }: TimeStampUnit, time: Date): string | undefined {
  if (time < begins) return time < certificate.notBefore ? 'is not valid yet' : 'has a key whose use has not begun';
  if (time < ends) return undefined;
  return time > certificate.notAfter ? 'has expired' : 'has a key whose use has ended';
}

function latest(times: readonly (Date | undefined)[]): Date {
  return new Date(Math.max(...times.map((time) => time?.getTime() ?? Number.NEGATIVE_INFINITY)));
}

function earliest(times: readonly (Date | undefined)[]): Date {
  return new Date(Math.min(...times.map((time) => time?.getTime() ?? Number.POSITIVE_INFINITY)));
}

function assertPurpose({ extendedKeyUsage, keyUsage, basicConstraints }: Certificate): void {
  const [purpose, ...others] = extendedKeyUsage?.purposes ?? [];
  if (!extendedKeyUsage?.critical || purpose !== 'timeStamping' || others.length > 0) {
    throw unusable('does not have timeStamping as its only and critical purpose');
  }
  if (!keyUsage?.critical || !keyUsage.usages.includes('digitalSignature')) {
    throw unusable('does not have a critical key usage with digitalSignature');
  }
  // RFC 3161 §2.1: a key for nothing but time-stamps.
  if (basicConstraints?.ca === true) throw unusable('is one of a CA');
  if (keyUsage.usages.some((usage) => usage !== 'digitalSignature' && usage !== 'nonRepudiation')) {
    throw unusable('has a key usage beside signatures');
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

/** The chain must hold when the unit begins: later than now for a unit that waits for its turn. */
function assertChain(unit: TimeStampUnit): void {
  const issuers = unit.chain.map((der) => parseCertificate(der));
  const last = issuers.at(-1);
  if (!last) throw unusable('comes without the certificate of its CA');
  try {
    buildPath({ leaf: unit.certificate, candidates: issuers, roots: [last], at: unit.begins });
  } catch (error) {
    if (!isSigillumError(error, 'pki_path_invalid')) throw error;
    throw unusable('does not lead to its CA', error);
  }
}

function unusable(why: string, cause?: unknown): SigillumError {
  return new SigillumError('tsa_certificate_unusable', `The certificate of the time-stamp unit ${why}.`, { cause });
}
