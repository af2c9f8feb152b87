import { createHash } from 'node:crypto';
import type { DigestName } from '@sigillum/algorithms';
import type { PdfDocument } from '@sigillum/pdf';
import { type Certificate, equalBytes } from '@sigillum/pki';
import { checkChain } from './check-chain.ts';
import { checkSignature } from './check-signature.ts';
import { type CheckedTimeStamp, checkTimeStamp, type TimeStampTrust } from './check-time-stamp.ts';
import { digestRange } from './digest-range.ts';
import { type BestTime, checkOrder, checkTimes, findBestTime } from './judge-times.ts';
import { readCertification } from './read-change-policy.ts';
import type { ReadSignature } from './read-signature.ts';
import { reachIndication } from './reach-indication.ts';
import { type RevisionChange, worseLevel } from './revision-change.ts';
import { nothingKnown, type RevocationFacts } from './revocation-store.ts';
import type {
  CertificateFacts,
  ChangeLevel,
  SignatureReport,
  TimeStampFacts,
  ValidationProfile,
} from './validation-report.ts';

export type SignatureCase = {
  readonly document: PdfDocument;
  readonly signature: ReadSignature;
  readonly steps: ReadonlyMap<number, readonly RevisionChange[]>;
  readonly stamps: ReadonlyMap<ReadSignature, CheckedTimeStamp>;
  readonly trust: TimeStampTrust;
  readonly profile: ValidationProfile;
  readonly requiresRevocation: boolean;
  /** Certificates of the document security store. */
  readonly stored: readonly Certificate[];
  /** Where the store's dictionary stands. */
  readonly storeOffset: number;
};

/** A chain of the file and whose it is: what extending works on. */
export type ProvableChain = JudgedChain & {
  /** The place of its signature in the report's list. */
  readonly signature: number;
};

/** A chain, and whether the file proves that nothing in it was revoked. */
export type JudgedChain = {
  readonly of: 'signature' | 'signature_time_stamp' | 'document_time_stamp';
  /** Leaf first, then what the file holds that may be its issuers. DER. */
  readonly certificates: readonly Uint8Array[];
  /** The time at which it must be good. */
  readonly provenAt: Date;
  readonly state: RevocationFacts['state'];
  /** Whether the store was written after the signature: what other validators ask of B-LT. */
  readonly isStoredAfter: boolean;
};

export type JudgedSignature = { readonly report: SignatureReport; readonly chains: readonly JudgedChain[] };

/** One signature or document time-stamp: from facts to its indication. */
export function judgeSignature(input: SignatureCase): JudgedSignature {
  const { document, signature, profile } = input;
  const { dictionary, found, findings } = signature;
  const after = describeChanges(input);
  const judged = dictionary.isTimeStamp ? judgeTimeStamp(input) : judgeSigner(input);
  const isUnknown = judged.revocation !== 'good' && judged.revocation !== 'revoked';
  if (input.requiresRevocation && isUnknown) findings.add('revocation_unknown', judged.missing.join(', '));
  const end = dictionary.end;
  const coversWholeFile = end !== undefined && signature.revision === 0 && end >= document.source.size - 2;
  if (!coversWholeFile) findings.add('whole_file_not_covered');
  const { indication, subIndication } = reachIndication(findings.list, profile);
  const report: SignatureReport = {
    kind: dictionary.isTimeStamp ? 'document_time_stamp' : 'signature',
    field: printableName(found.field.name),
    subFilter: dictionary.subFilter?.replaceAll(/[^!-~]/g, '?').slice(0, 64),
    format: judged.format,
    indication,
    subIndication,
    accepted: indication === 'TOTAL-PASSED',
    intact: judged.intact,
    byteRange: dictionary.byteRange,
    coversWholeFile,
    changedSince: after.level,
    changes: after.changes,
    signedRevisionSize: signature.revision === undefined ? undefined : end,
    signer: judged.signer && describeCertificate(judged.signer),
    trustedChain: judged.chain.length > 0,
    chain: judged.chain,
    revocation: judged.revocation,
    algorithm: judged.algorithm,
    time: {
      source: judged.time?.source ?? (dictionary.signingTime === undefined ? 'none' : 'claimed'),
      value: (judged.time?.at ?? dictionary.signingTime)?.toISOString(),
      claimed: dictionary.signingTime?.toISOString(),
    },
    timeStamps: judged.timeStamps,
    certifies: found.dict && readCertification(document, found.dict),
    findings: findings.list,
  };
  return { report, chains: judged.chains };
}

type Judged = {
  readonly intact: boolean;
  readonly format: string | undefined;
  readonly signer: Certificate | undefined;
  readonly chain: readonly string[];
  readonly algorithm: string | undefined;
  readonly time: BestTime | undefined;
  readonly timeStamps: readonly TimeStampFacts[];
  /** The worst of the signer's chain and those of its time-stamps. */
  readonly revocation: RevocationFacts['state'];
  readonly missing: readonly string[];
  readonly chains: readonly JudgedChain[];
};

const nothing: Judged = {
  intact: false,
  format: undefined,
  signer: undefined,
  chain: [],
  algorithm: undefined,
  time: undefined,
  timeStamps: [],
  revocation: 'unknown',
  missing: [],
  chains: [],
};

function judgeTimeStamp(input: SignatureCase): Judged {
  const { signature, stamps } = input;
  const stamp = stamps.get(signature);
  if (stamp === undefined) return nothing;
  const { genTime } = stamp;
  const earlier = [...stamps].filter(([other]) => (other.dictionary.end ?? 0) < (signature.dictionary.end ?? 0));
  for (const [, other] of earlier) checkOrder(other.genTime, genTime, signature.findings);
  return {
    ...nothing,
    intact: stamp.intact,
    format: 'RFC 3161',
    signer: stamp.authority ?? stamp.bag[0],
    chain: stamp.path.map(({ subject }) => subject.text),
    time: genTime && stamp.token ? { source: 'document_time_stamp', at: genTime } : undefined,
    revocation: stamp.revocation.state,
    missing: stamp.revocation.missing,
    chains: describeChain('document_time_stamp', stamp, input),
  };
}

function judgeSigner(input: SignatureCase): Judged {
  const { document, signature, trust } = input;
  const { dictionary, findings } = signature;
  const { contents, byteRange } = dictionary;
  if (contents === undefined || byteRange === undefined) return nothing;
  const digests = new Map<DigestName, Uint8Array>();
  const digest = (name: DigestName): Uint8Array => {
    const known = digests.get(name) ?? digestRange(document.source, byteRange, name);
    digests.set(name, known);
    return known;
  };
  const checked = checkSignature(contents, digest, findings);
  if (checked === undefined) return nothing;
  const others = [...trust.others, ...checked.bag];
  const end = dictionary.end ?? Number.POSITIVE_INFINITY;
  const stamps = checked.timeStamps.slice(0, maxTimeStamps).map((token) => {
    const hash = (name: DigestName) => createHash(name).update(checked.signature).digest();
    return checkTimeStamp(token, hash, { ...trust, others }, end, findings);
  });
  if (checked.timeStamps.length > maxTimeStamps) findings.add('time_stamp_invalid', 'There are too many.');
  const time = findBestTime(end, input.stamps, stamps);
  const at = time?.at ?? trust.now;
  const path = checked.signer && checkChain(checked.signer, checked.bag, trust, at, findings);
  const own = path && trust.revocation.check(path, { at, provenAt: at, proofs: trust.proofs }, false);
  if (own?.state === 'revoked') findings.add('certificate_revoked', own.revoked);
  checkTimes(signature, checked, input.stamps, stamps, at);
  if (time === undefined) findings.add('time_stamp_absent');
  const facts = [own ?? nothingKnown, ...stamps.map(({ revocation }) => revocation)];
  return {
    intact: checked.intact,
    format: describeFormat(input, time, facts),
    signer: checked.signer,
    chain: path?.map(({ subject }) => subject.text) ?? [],
    algorithm: checked.algorithm,
    time,
    timeStamps: stamps.map((stamp) => ({
      kind: 'signature_time_stamp',
      valid: stamp.token !== undefined,
      genTime: stamp.genTime?.toISOString(),
      authority: (stamp.authority ?? stamp.bag[0])?.subject.text,
      revocation: stamp.revocation.state,
    })),
    revocation: worstOf(facts),
    missing: facts.flatMap(({ missing }) => missing),
    chains: [
      ...(checked.signer === undefined
        ? []
        : [
            {
              of: 'signature' as const,
              certificates: listFirst(checked.signer, [...checked.bag, ...input.stored]),
              provenAt: at,
              state: own?.state ?? 'unknown',
              isStoredAfter: isStoredAfter(input),
            },
          ]),
      ...stamps.flatMap((stamp) => describeChain('signature_time_stamp', stamp, input)),
    ],
  };
}

function describeChain(
  of: ProvableChain['of'],
  { authority, bag, revocation, provenAt }: CheckedTimeStamp,
  input: SignatureCase,
): JudgedChain[] {
  if (authority === undefined) return [];
  const certificates = listFirst(authority, [...bag, ...input.stored]);
  return [{ of, certificates, provenAt, state: revocation.state, isStoredAfter: isStoredAfter(input) }];
}

function isStoredAfter({ signature, storeOffset }: SignatureCase): boolean {
  return storeOffset >= (signature.dictionary.end ?? Number.POSITIVE_INFINITY);
}

function listFirst(leaf: Certificate, others: readonly Certificate[]): readonly Uint8Array[] {
  return [leaf.der, ...others.flatMap(({ der }) => (equalBytes(der, leaf.der) ? [] : [der]))];
}

function worstOf(facts: readonly RevocationFacts[]): RevocationFacts['state'] {
  const states = facts.map(({ state }) => state);
  return (['revoked', 'unknown'] as const).find((state) => states.includes(state)) ?? 'good';
}

/** Time-stamps in one signature: a second authority's at most, in practice. */
const maxTimeStamps = 8;

function describeChanges({ signature, steps }: SignatureCase): { level: ChangeLevel; changes: readonly string[] } {
  let level: ChangeLevel = 'none';
  const changes: string[] = [];
  const first = signature.revision ?? -1;
  for (let index = first - 1; index >= 0; index--) {
    for (const change of steps.get(index) ?? []) {
      level = worseLevel(level, change.level);
      if (changes.length < maxChanges) changes.push(change.what);
      if (change.code !== undefined) signature.findings.add(change.code, `${change.what}.`);
    }
  }
  return { level, changes };
}

/** Changes listed for a person. */
const maxChanges = 50;

/**
 * B-LT when the file's own data prove signer and time-stamps not revoked and the store was written after the signature,
 * B-LTA when a time-stamp over the document that is believed covers those data (EN 319 142-1 §6.1). A store from before
 * may prove as much, but EU DSS calls such a signature B-T, and so do we.
 */
function describeFormat(input: SignatureCase, time: BestTime | undefined, facts: readonly RevocationFacts[]): string {
  const { signature, trust } = input;
  const isBaseline = signature.findings.list.every(({ severity }) => severity !== 'profile');
  if (signature.dictionary.subFilter !== 'ETSI.CAdES.detached' || !isBaseline) return 'not PAdES baseline';
  if (time === undefined) return 'PAdES-BASELINE-B';
  if (worstOf(facts) !== 'good' || !isStoredAfter(input)) return 'PAdES-BASELINE-T';
  const end = Math.max(signature.dictionary.end ?? 0, ...facts.map((fact) => fact.end));
  return trust.proofs.some((proof) => proof.end >= end) ? 'PAdES-BASELINE-LTA' : 'PAdES-BASELINE-LT';
}

function describeCertificate(certificate: Certificate): CertificateFacts {
  return {
    subject: certificate.subject.text,
    issuer: certificate.issuer.text,
    serialNumber: certificate.serialNumber,
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
  };
}

/** The name of a field as reports have it. */
export function printableName(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, '?');
}
