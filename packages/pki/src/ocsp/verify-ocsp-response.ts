import { isSigillumError, SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import { assertIssuedBy } from '../x509/assert-issued-by.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { KnownCertificates } from '../x509/known-certificates.ts';
import { parseCertificate } from '../x509/parse-certificate.ts';
import { verifySignedData } from '../x509/verify-signed-data.ts';
import { hashResponderKey, isCertificateIdOf } from './ocsp-certificate-id.ts';
import { ocspOids } from './ocsp-oids.ts';
import type { OcspCertificateStatus, OcspResponse, OcspSingleResponse } from './ocsp-response.ts';

export type OcspExpectation = {
  /** The certificate that was asked about. */
  readonly certificate: Certificate;
  /** Its issuer, whom the caller trusts already. */
  readonly issuer: Certificate;
  /** The nonce that was sent: an answer that has one must repeat it. */
  readonly nonce?: Uint8Array | undefined;
  /** Whether an answer without a nonce is refused; most responders of the public answer without. */
  readonly demandsNonce?: boolean | undefined;
  /** When given, the answer must be fresh then: thisUpdate not after it, nextUpdate not before it. */
  readonly now?: Date | undefined;
  /** Certificates that may be the responder's beside those in the response, DER: a DSS keeps them apart. */
  readonly certificates?: readonly Uint8Array[] | undefined;
  /** Saves reading and checking the same responder with each response. */
  readonly known?: KnownCertificates | undefined;
};

/** What a verified response says about the certificate. */
export type OcspVerdict = {
  readonly certificateStatus: OcspCertificateStatus;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  readonly producedAt: Date;
  /** Who signed: the issuer, or a responder that the issuer has authorised. */
  readonly responder: Certificate;
  /** Whether the status of the responder itself must be asked: it is neither the issuer nor marked nocheck (RFC 6960 §4.2.2.2.1). */
  readonly responderNeedsStatus: boolean;
};

/** Certificates of the responder's name or key that are tried: an old and a new one, with room. */
const maxResponders = 8;

/** How far a responder's clock may run ahead of ours: five minutes, as most clients grant. */
const maxAheadMs = 300_000;

/**
 * Verifies a response in full (RFC 6960 §3.2, §4.2.2.2): it speaks of this certificate, was signed by its issuer or by a
 * responder to whom the issuer itself gave a certificate for OCSP signing that was valid at producedAt, repeats the nonce,
 * and, when `now` is given, is fresh. No status is an error, also not `revoked`. Throws `pki_ocsp_invalid`.
 *
 * @example const { certificateStatus } = verifyOcspResponse(parseOcspResponse(der), { certificate, issuer, now });
 */
export function verifyOcspResponse(response: OcspResponse, expected: OcspExpectation): OcspVerdict {
  const { certificate, issuer, now } = expected;
  if (response.criticalExtensions.length > 0) {
    throw invalid(`It has the critical extension ${response.criticalExtensions.join(', ')}.`);
  }
  const single = selectSingle(response, certificate, issuer);
  const responder = getResponder(response, expected);
  assertNonce(response, expected);
  const { thisUpdate, nextUpdate } = single;
  const { producedAt } = response;
  if (nextUpdate && nextUpdate < thisUpdate) throw invalid('Its times contradict each other.');
  if (now) {
    const limit = now.getTime() + maxAheadMs;
    if (thisUpdate.getTime() > limit || producedAt.getTime() > limit) throw invalid('Its time lies in the future.');
    if (nextUpdate && nextUpdate < now) throw invalid('It has expired.');
  }
  return {
    certificateStatus: single.certificateStatus,
    thisUpdate,
    nextUpdate,
    producedAt,
    responder,
    responderNeedsStatus: !isSameKeyAndName(responder, issuer) && !hasNoCheck(responder),
  };
}

/** The statement about this certificate; when it stands there several times, the latest. */
function selectSingle(response: OcspResponse, certificate: Certificate, issuer: Certificate): OcspSingleResponse {
  const [latest] = response.responses
    .filter(({ certificateId }) => isCertificateIdOf(certificateId, certificate, issuer))
    .toSorted((left, right) => right.thisUpdate.getTime() - left.thisUpdate.getTime());
  if (!latest) throw invalid('It speaks of another certificate.');
  if (latest.criticalExtensions.length > 0) {
    throw invalid(`It has the critical extension ${latest.criticalExtensions.join(', ')}.`);
  }
  return latest;
}

/** RFC 6960 §4.2.2.2: the issuer with its own key, or one that holds a certificate made by this very issuer for it. */
function getResponder(response: OcspResponse, expected: OcspExpectation): Certificate {
  const { issuer, known, certificates = [] } = expected;
  const isSignedBy = (candidate: Certificate): boolean =>
    verifySignedData(response.tbs, response.signatureAlgorithm, response.signature, candidate.publicKey);
  const namesIssuer = isNamed(response, issuer);
  if (namesIssuer && isSignedBy(issuer)) return issuer;
  // A responder may bear its CA's name: then one of the certificates must be its own.
  let reason = namesIssuer ? 'Its signature is wrong.' : 'The certificate of its responder is missing.';
  let tried = 0;
  for (const der of [...response.certificates, ...certificates]) {
    const candidate = readCandidate(der, known);
    if (!candidate || !isNamed(response, candidate)) continue;
    const unfit = findUnfitness(candidate, response.producedAt);
    if (unfit === undefined && ++tried > maxResponders)
      throw invalid('Too many certificates are said to be its responder.');
    // The issuer's key is a known one; those of certificates that it didn't sign are never used.
    const problem = unfit ?? findIntrusion(candidate, expected);
    if (problem === undefined && isSignedBy(candidate)) return candidate;
    reason = problem ?? 'Its signature is wrong.';
  }
  throw invalid(reason);
}

function isNamed({ responderId }: OcspResponse, candidate: Certificate): boolean {
  return responderId.kind === 'name'
    ? equalBytes(responderId.name.der, candidate.subject.der)
    : equalBytes(responderId.keyHash, hashResponderKey(candidate.spki));
}

/** Why a certificate is not one that answers may be signed with. */
function findUnfitness(responder: Certificate, at: Date): string | undefined {
  if (!responder.extendedKeyUsage?.purposes.includes('OCSPSigning'))
    return 'Its responder may not sign OCSP responses.';
  const usages = responder.keyUsage?.usages;
  if (usages && !usages.includes('digitalSignature') && !usages.includes('nonRepudiation')) {
    return "The key of its responder's certificate may not sign.";
  }
  if (responder.unknownCriticalExtensions.length > 0) {
    return "Its responder's certificate has a critical extension that is not understood.";
  }
  if (at < responder.notBefore || at > responder.notAfter) return "Its responder's certificate was not valid then.";
  return undefined;
}

/** Why a certificate is not the issuer's own word. */
function findIntrusion(responder: Certificate, expected: OcspExpectation): string | undefined {
  try {
    if (expected.known) expected.known.assertIssuedBy(responder, expected.issuer);
    else assertIssuedBy(responder, expected.issuer);
    return undefined;
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    return `Its responder was not authorised by the issuer. ${error.message}`;
  }
}

/** A certificate that can't be read is nobody's; it doesn't spoil the response. */
function readCandidate(der: Uint8Array, known: KnownCertificates | undefined): Certificate | undefined {
  try {
    return known ? known.parse(der) : parseCertificate(der);
  } catch (error) {
    if (isSigillumError(error)) return undefined;
    throw error;
  }
}

function assertNonce(response: OcspResponse, { nonce, demandsNonce }: OcspExpectation): void {
  if (!nonce) return;
  if (!response.nonce) {
    if (demandsNonce) throw invalid('It does not repeat the nonce.');
    return;
  }
  if (!equalBytes(response.nonce, nonce)) throw invalid('It has another nonce than the one that was sent.');
}

function isSameKeyAndName(left: Certificate, right: Certificate): boolean {
  return equalBytes(left.spki, right.spki) && equalBytes(left.subject.der, right.subject.der);
}

function hasNoCheck(certificate: Certificate): boolean {
  return certificate.extensions.some(({ oid }) => oid === ocspOids.noCheck);
}

function invalid(why: string): SigillumError {
  return new SigillumError('pki_ocsp_invalid', `The OCSP response can't be used. ${why}`);
}
