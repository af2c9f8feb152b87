import { SigillumError } from '@sigillum/errors';
import type { Certificate, CertificateList, OcspVerdict, RevokedCertificate } from '@sigillum/pki';

/** One verified answer, as it is remembered. */
export type RevocationPiece = {
  readonly der: Uint8Array;
  readonly bytes: number;
  readonly fetchedAt: number;
} & (
  | { readonly kind: 'ocsp'; readonly verdict: OcspVerdict }
  | { readonly kind: 'crl'; readonly list: CertificateList }
);

/** What is asked of a piece. */
export type FreshnessRule = {
  readonly now: Date;
  /** How long what was fetched is used again, in ms. */
  readonly maxAgeMs: number;
  /** thisUpdate may not lie before. */
  readonly notBefore: Date | undefined;
};

/** How long an answer holds that doesn't say until when. */
const withoutEndMs = 3_600_000;

/** How far another clock may run ahead of ours. */
const maxAheadMs = 300_000;

/** Checks that a piece is not from the future and has not passed. Throws `revocation_stale`. */
export function assertCurrent(piece: RevocationPiece, now: Date): void {
  const { thisUpdate, nextUpdate } = getTimes(piece);
  if (thisUpdate.getTime() > now.getTime() + maxAheadMs) throw stale(piece, 'has a time in the future');
  // Without nextUpdate newer information is there at any time (RFC 6960 §4.2.2.1), so an old answer is none.
  const end = nextUpdate?.getTime() ?? thisUpdate.getTime() + withoutEndMs;
  if (end < now.getTime()) throw stale(piece, 'has passed its next update');
}

/**
 * Checks that a piece says something about this certificate today: current, made within the certificate's life, not older
 * than asked for. Throws `revocation_stale`.
 */
export function assertFresh(piece: RevocationPiece, certificate: Certificate, rule: FreshnessRule): void {
  assertCurrent(piece, rule.now);
  const made = getTimes(piece).thisUpdate.getTime();
  if (rule.notBefore && made < floorToSecond(rule.notBefore)) throw stale(piece, 'is older than asked for');
  if (made < certificate.notBefore.getTime()) throw stale(piece, 'is older than the certificate');
  // Issuers forget what has expired: silence then says nothing.
  if (made > certificate.notAfter.getTime()) throw stale(piece, 'was made after the certificate had expired');
}

/** Whether a remembered piece may be used again. */
export function isReusable(piece: RevocationPiece, certificate: Certificate, rule: FreshnessRule): boolean {
  if (piece.fetchedAt < rule.now.getTime() - rule.maxAgeMs) return false;
  try {
    assertFresh(piece, certificate, rule);
    return true;
  } catch {
    return false;
  }
}

/** When and why a certificate was revoked; undefined when it is good. */
export function findRevocation(piece: RevocationPiece, certificate: Certificate): RevokedCertificate | undefined {
  if (piece.kind === 'crl') return piece.list.revoked.get(certificate.serialNumber);
  const { certificateStatus } = piece.verdict;
  return certificateStatus.status === 'revoked'
    ? { time: certificateStatus.time, reason: certificateStatus.reason }
    : undefined;
}

/** Times in certificates, CRLs and responses are whole seconds: what was made in the same second isn't older. */
function floorToSecond(time: Date): number {
  return Math.floor(time.getTime() / 1000) * 1000;
}

function getTimes(piece: RevocationPiece): { readonly thisUpdate: Date; readonly nextUpdate: Date | undefined } {
  return piece.kind === 'ocsp' ? piece.verdict : piece.list;
}

function stale(piece: RevocationPiece, why: string): SigillumError {
  return new SigillumError('revocation_stale', `The ${piece.kind === 'ocsp' ? 'OCSP response' : 'CRL'} ${why}.`);
}
