import type { DigestName } from '@sigillum/algorithms';
import { isSigillumError } from '@sigillum/errors';
import {
  type Certificate,
  equalBytes,
  hashContent,
  type KnownCertificates,
  type MessageImprint,
  type PathBudget,
  parseSignedData,
  parseTstInfo,
  readIssuerAndSerial,
  type TimeStampToken,
  verifySigner,
  verifyTimeStampToken,
} from '@sigillum/pki';
import { hasKnownAlgorithms } from './check-algorithms.ts';
import { checkBag, findCertificate, isStrongKey, readCertificates } from './check-certificates.ts';
import type { Findings } from './findings.ts';
import { readCms } from './read-cms.ts';
import { type ExistenceProof, nothingKnown, type RevocationFacts, type RevocationStore } from './revocation-store.ts';

export type TimeStampTrust = {
  readonly roots: readonly Certificate[];
  /** Certificates from elsewhere in the document. */
  readonly others: readonly Certificate[];
  readonly now: Date;
  /** Those of the file: each is read once, however many time-stamps there are. */
  readonly known: KnownCertificates;
  /** What all paths of the file may cost together. */
  readonly pathBudget: PathBudget;
  readonly revocation: RevocationStore;
  /** Time-stamps over the document that are believed; which of them cover this one is for the caller to say. */
  readonly proofs: readonly ExistenceProof[];
};

/** What a token says, and whether it may be believed. */
export type CheckedTimeStamp = {
  readonly intact: boolean;
  readonly token: TimeStampToken | undefined;
  readonly genTime: Date | undefined;
  readonly authority: Certificate | undefined;
  readonly bag: readonly Certificate[];
  /** From the authority to the root; empty when it isn't trusted. */
  readonly path: readonly Certificate[];
  readonly revocation: RevocationFacts;
  /** Until when its certificates must be good: the next proof of its existence, or now. */
  readonly provenAt: Date;
};

/**
 * Checks a time-stamp token (RFC 3161, RFC 5816, EN 319 422): imprint, signature, ESS certificate, the one purpose, the
 * path at its time, and that nothing in it that isn't signed was changed.
 *
 * @param digest what the token must be over, by the token's own algorithm
 * @param end where in the file it ends: proofs over that prove that it existed
 */
export function checkTimeStamp(
  der: Uint8Array,
  digest: (name: DigestName) => Uint8Array,
  trust: TimeStampTrust,
  end: number,
  findings: Findings,
): CheckedTimeStamp {
  const provenAt = findProvenTime(end, trust);
  const nothing: CheckedTimeStamp = {
    intact: false,
    token: undefined,
    genTime: undefined,
    authority: undefined,
    bag: [],
    path: [],
    revocation: nothingKnown,
    provenAt,
  };
  const own = new Set(findings.list.map(({ code }) => code));
  const cms = readCms(der, findings);
  if (cms === undefined) return nothing;
  const bag = readCertificates(cms.certificates, findings);
  const [signer] = cms.signers;
  if (cms.signers.length !== 1 || signer === undefined) findings.add('time_stamp_invalid', 'It has several signers.');
  // RFC 5652 §5.1: content of another type than id-data makes version 3
  if (cms.version !== 3) findings.add('cms_malformed', 'The time-stamp says a version that it is not of.');
  if (cms.hasRevocation || (signer?.unsignedTypes.length ?? 0) > 0 || signer?.unsignedIsEmpty) {
    findings.add('time_stamp_invalid', 'It carries what nobody signed.');
  }
  if (signer !== undefined && !hasKnownAlgorithms(cms, signer))
    findings.add('cms_algorithms_wrong', 'of the time-stamp');
  try {
    const signedData = parseSignedData(der);
    const content = signedData.content ?? new Uint8Array();
    const info = parseTstInfo(content);
    const imprint: MessageImprint = { algorithm: info.imprint.algorithm, digest: digest(info.imprint.algorithm) };
    if (!equalBytes(imprint.digest, info.imprint.digest)) {
      findings.add('time_stamp_imprint_wrong');
      return { ...nothing, genTime: info.genTime, bag };
    }
    const token = verifyTimeStampToken(der, {
      imprint,
      roots: trust.roots.map((root) => root.der),
      certificates: trust.others.map((other) => other.der),
      now: trust.now,
      acceptsSha1CertificateId: true,
      known: trust.known,
      budget: trust.pathBudget,
    });
    const path = token.path.flatMap((certificate) => findCertificate(certificate) ?? []);
    if (path.some(({ publicKey }) => !isStrongKey(publicKey))) findings.add('algorithm_weak', 'of the time-stamp');
    checkBag(bag, path, trust.roots, findings);
    const authority = path[0];
    // EN 319 102-1 §5.6.2: once a certificate has ended, only a later time-stamp tells that the token was made before
    if (path.slice(0, -1).some(({ notAfter }) => notAfter < provenAt)) findings.add('time_stamp_expired');
    const use = { at: info.genTime, provenAt, proofs: trust.proofs };
    const revocation = trust.revocation.check(path, use, true);
    if (revocation.state === 'revoked') findings.add('time_stamp_revoked', revocation.revoked);
    const isFine = findings.list.every(({ code }) => own.has(code));
    const { genTime } = info;
    return { intact: true, token: isFine ? token : undefined, genTime, authority, bag, path, revocation, provenAt };
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    findings.add('time_stamp_invalid', error.message);
    return { ...nothing, ...findUntrustedSigner(der, bag), bag };
  }
}

/** The earliest time at which what ends there is proved to have existed; now when nothing proves it. */
export function findProvenTime(
  end: number,
  { proofs, now }: { readonly proofs: readonly ExistenceProof[]; readonly now: Date },
): Date {
  return proofs.reduce((earliest, proof) => (proof.end > end && proof.time < earliest ? proof.time : earliest), now);
}

/** Who says to have made a token that isn't trusted, and whether at least hash and signature are right. */
function findUntrustedSigner(
  der: Uint8Array,
  bag: readonly Certificate[],
): Pick<CheckedTimeStamp, 'authority' | 'intact'> {
  let authority: Certificate | undefined;
  try {
    const signedData = parseSignedData(der);
    const { content, signer } = signedData;
    authority = bag.find((candidate) => {
      const { issuer, serialNumber } = readIssuerAndSerial(candidate.der);
      return equalBytes(issuer, signer.sid.issuer) && equalBytes(serialNumber, signer.sid.serialNumber);
    });
    if (content === undefined || authority === undefined) return { authority, intact: false };
    verifySigner(signedData, hashContent(content), authority.publicKey);
    return { authority, intact: true };
  } catch {
    // what can't be verified is not intact, whatever the reason
    return { authority, intact: false };
  }
}
