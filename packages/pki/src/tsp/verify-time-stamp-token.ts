import { isSigillumError, SigillumError } from '@sigillum/errors';
import { cmsOids } from '../cms/oids.ts';
import { parseSignedData, type SignedData } from '../cms/parse-signed-data.ts';
import { readIssuerAndSerial } from '../cms/issuer-and-serial.ts';
import { isNamedBySha1, matchesCertificate, parseSigningCertificateV2 } from '../cms/signing-certificate.ts';
import { hashContent, verifySigner } from '../cms/verify-signer.ts';
import { equalBytes } from '../der/compare-bytes.ts';
import { buildPath, type PathBudget } from '../path/build-path.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { KnownCertificates } from '../x509/known-certificates.ts';
import { parseCertificate } from '../x509/parse-certificate.ts';
import type { MessageImprint } from './message-imprint.ts';
import { TimeStampToken } from './time-stamp-token.ts';
import { parseTstInfo, type TstInfo } from './tst-info.ts';

export type TimeStampExpectation = {
  /** What was sent to be time-stamped. */
  readonly imprint: MessageImprint;
  /** Content octets of the nonce sent; when given the token must repeat it. */
  readonly nonce?: Uint8Array | undefined;
  /** When given, the token's policy must be this one. */
  readonly policy?: string | undefined;
  /** Trust anchors, DER. */
  readonly roots: readonly Uint8Array[];
  /** Certificates that help where the token has none (certReq false), DER. */
  readonly certificates?: readonly Uint8Array[] | undefined;
  /** When given, genTime may not lie more than a minute after it. */
  readonly now?: Date | undefined;
  /**
   * Whether a token may name its certificate by SHA-1 (ESSCertID, RFC 2634): the form that RFC 3161 knows and that many
   * authorities still write. For validating what others made; our own tokens must not.
   */
  readonly acceptsSha1CertificateId?: boolean | undefined;
  /** Saves reading and checking the same certificates with each token. */
  readonly known?: KnownCertificates | undefined;
  /** Steps for finding the path; shared where many tokens of one file are verified. */
  readonly budget?: PathBudget | undefined;
};

/** How far a TSA's clock may run ahead of ours before its time is a time in the future. */
const maxAheadMs = 60_000;

/**
 * Verifies a time-stamp token in full (RFC 3161 §2.4.2, RFC 5816): imprint, nonce and policy are the expected ones, the
 * signer's certificate is the one that ESSCertIDv2 names (not 'the first in the bag'; the SHA-1 attribute of RFC 2634
 * alone is not accepted), its key made the signature, its only purpose, critical, is timeStamping, and a path of
 * certificates valid at genTime leads to one of the roots. Throws `pki_timestamp_token_invalid`, with the cause.
 *
 * @example verifyTimeStampToken(der, { imprint: { algorithm: 'sha256', digest }, nonce, roots: [root], now: new Date() });
 */
export function verifyTimeStampToken(token: Uint8Array, expected: TimeStampExpectation): TimeStampToken {
  try {
    return verify(token, expected);
  } catch (error) {
    if (isSigillumError(error, 'pki_timestamp_token_invalid') || !isSigillumError(error)) throw error;
    throw invalid(error.message, error);
  }
}

function verify(der: Uint8Array, expected: TimeStampExpectation): TimeStampToken {
  const signedData = parseSignedData(der);
  if (signedData.contentType !== cmsOids.tstInfo || !signedData.content) throw invalid('It holds no TSTInfo.');
  const info = parseTstInfo(signedData.content);
  assertExpected(info, expected);
  const signerDer = getSigner(signedData, expected);
  const { known } = expected;
  const parse = known ? (bytes: Uint8Array): Certificate => known.parse(bytes) : parseCertificate;
  const signer = parse(signerDer);
  verifySigner(signedData, hashContent(signedData.content), signer.publicKey);
  assertTimeStamping(signer);
  const path = buildPath({
    leaf: signer,
    candidates: parseReadable([...signedData.certificates, ...(expected.certificates ?? [])], parse),
    roots: expected.roots.map((root) => parse(root)),
    at: info.genTime,
    known,
    budget: expected.budget,
  });
  return new TimeStampToken({
    der,
    genTime: info.genTime,
    accuracyMs: info.accuracyMs,
    serialNumber: info.serialNumber,
    policy: info.policy,
    imprint: info.imprint,
    nonce: info.nonce,
    signerCertificate: signerDer,
    path: path.map((certificate) => certificate.der),
  });
}

function assertExpected(info: TstInfo, expected: TimeStampExpectation): void {
  const { imprint } = expected;
  if (info.imprint.algorithm !== imprint.algorithm || !equalBytes(info.imprint.digest, imprint.digest)) {
    throw invalid('It is the time-stamp of something else.');
  }
  if (expected.nonce && !(info.nonce && equalBytes(info.nonce, expected.nonce))) {
    throw invalid('It does not repeat the nonce.');
  }
  if (expected.policy !== undefined && info.policy !== expected.policy) {
    throw invalid(`Its policy is ${info.policy}, not ${expected.policy}.`);
  }
  if (expected.now && info.genTime.getTime() > expected.now.getTime() + maxAheadMs) {
    throw invalid('Its time lies in the future.');
  }
}

/** The certificate that both SignerInfo.sid and the signed ESSCertIDv2 name. */
function getSigner(
  signedData: SignedData,
  { certificates = [], acceptsSha1CertificateId }: TimeStampExpectation,
): Uint8Array {
  const { sid, attributes } = signedData.signer;
  const attribute = attributes.get(cmsOids.signingCertificateV2);
  const older = acceptsSha1CertificateId ? attributes.get(cmsOids.signingCertificate) : undefined;
  if (!attribute && !older) throw invalid('Its signed attributes do not name the certificate by SHA-2 (ESSCertIDv2).');
  const bag = [...signedData.certificates, ...certificates];
  // with both attributes, both must name it
  const tests: ((certificate: Uint8Array) => boolean)[] = [];
  if (attribute) {
    const id = parseSigningCertificateV2(attribute);
    tests.push((certificate) => matchesCertificate(id, certificate));
  }
  if (older) tests.push((certificate) => isNamedBySha1(older, certificate));
  const found = bag.find((certificate) => tests.every((test) => test(certificate)));
  if (!found) throw invalid('The certificate that it names is missing.');
  const name = readIssuerAndSerial(found);
  if (!equalBytes(name.issuer, sid.issuer) || !equalBytes(name.serialNumber, sid.serialNumber)) {
    throw invalid('It names two different certificates as its signer.');
  }
  return found;
}

/** RFC 3161 §2.3: one purpose, timeStamping, and critical. EN 319 422 §6.3: keyUsage, where present, allows to sign. */
function assertTimeStamping(certificate: Certificate): void {
  const { extendedKeyUsage, keyUsage } = certificate;
  const [purpose, ...others] = extendedKeyUsage?.purposes ?? [];
  if (!extendedKeyUsage?.critical || purpose !== 'timeStamping' || others.length > 0) {
    throw invalid('Its certificate is not one for time-stamps alone.');
  }
  if (keyUsage && !keyUsage.usages.some((usage) => usage === 'digitalSignature' || usage === 'nonRepudiation')) {
    throw invalid('The key of its certificate may not sign.');
  }
}

/** A certificate that can't be read can't be part of a path; it doesn't spoil the token. */
function parseReadable(certificates: readonly Uint8Array[], parse: (der: Uint8Array) => Certificate): Certificate[] {
  return certificates.flatMap((certificate) => {
    try {
      return [parse(certificate)];
    } catch (error) {
      if (isSigillumError(error)) return [];
      throw error;
    }
  });
}

function invalid(why: string, cause?: unknown): SigillumError {
  return new SigillumError('pki_timestamp_token_invalid', `The time-stamp is not valid. ${why}`, { cause });
}
