import { createHash } from 'node:crypto';
import type { DigestName } from '@sigillum/algorithms';
import type { PdfDocument } from '@sigillum/pdf';
import type { Certificate } from '@sigillum/pki';
import { checkChain } from './check-chain.ts';
import { type CheckedSignature, checkSignature } from './check-signature.ts';
import { type CheckedTimeStamp, checkTimeStamp, type TimeStampTrust } from './check-time-stamp.ts';
import { digestRange } from './digest-range.ts';
import type { DssFacts } from './read-dss-certificates.ts';
import { readCertification } from './read-change-policy.ts';
import type { ReadSignature } from './read-signature.ts';
import { reachIndication } from './reach-indication.ts';
import { type RevisionChange, worseLevel } from './revision-change.ts';
import { validationLimits } from './validation-limits.ts';
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
  readonly dss: DssFacts;
};

type Time = { readonly source: SignatureReport['time']['source']; readonly at: Date };

/** One signature or document time-stamp: from facts to its indication. */
export function judgeSignature(input: SignatureCase): SignatureReport {
  const { document, signature, profile } = input;
  const { dictionary, found, findings } = signature;
  const after = describeChanges(input);
  const judged = dictionary.isTimeStamp ? judgeTimeStamp(input) : judgeSigner(input);
  const end = dictionary.end;
  const coversWholeFile = end !== undefined && signature.revision === 0 && end >= document.source.size - 2;
  if (!coversWholeFile) findings.add('whole_file_not_covered');
  const { indication, subIndication } = reachIndication(findings.list, profile);
  return {
    kind: dictionary.isTimeStamp ? 'document_time_stamp' : 'signature',
    field: found.field.name.replaceAll(/\p{Cc}/gu, '?'),
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
}

type Judged = {
  readonly intact: boolean;
  readonly format: string | undefined;
  readonly signer: Certificate | undefined;
  readonly chain: readonly string[];
  readonly algorithm: string | undefined;
  readonly time: Time | undefined;
  readonly timeStamps: readonly TimeStampFacts[];
};

const nothing: Judged = {
  intact: false,
  format: undefined,
  signer: undefined,
  chain: [],
  algorithm: undefined,
  time: undefined,
  timeStamps: [],
};

function judgeTimeStamp({ signature, stamps }: SignatureCase): Judged {
  const stamp = stamps.get(signature);
  if (stamp === undefined) return nothing;
  const { genTime } = stamp;
  const earlier = [...stamps].filter(([other]) => (other.dictionary.end ?? 0) < (signature.dictionary.end ?? 0));
  for (const [, other] of earlier) checkOrder(other.genTime, genTime, signature);
  return {
    ...nothing,
    intact: stamp.intact,
    format: 'RFC 3161',
    signer: stamp.authority ?? stamp.bag[0],
    chain: stamp.path.map(({ subject }) => subject.text),
    time: genTime && stamp.token ? { source: 'document_time_stamp', at: genTime } : undefined,
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
  const stamps = checked.timeStamps.slice(0, maxTimeStamps).map((token) => {
    const hash = (name: DigestName) => createHash(name).update(checked.signature).digest();
    return checkTimeStamp(token, hash, { ...trust, others }, findings);
  });
  if (checked.timeStamps.length > maxTimeStamps) findings.add('time_stamp_invalid', 'There are too many.');
  const time = findTime(input, stamps);
  const at = time?.at ?? trust.now;
  const bag = checked.bag;
  const path = checked.signer && checkChain(checked.signer, bag, trust, at, findings);
  checkTimes(input, checked, stamps, at);
  if (time === undefined) findings.add('time_stamp_absent');
  return {
    intact: checked.intact,
    format: describeFormat(input, time),
    signer: checked.signer,
    chain: path?.map(({ subject }) => subject.text) ?? [],
    algorithm: checked.algorithm,
    time,
    timeStamps: stamps.map((stamp) => ({
      kind: 'signature_time_stamp',
      valid: stamp.token !== undefined,
      genTime: stamp.genTime?.toISOString(),
      authority: (stamp.authority ?? stamp.bag[0])?.subject.text,
    })),
  };
}

/** Time-stamps in one signature: a second authority's at most, in practice. */
const maxTimeStamps = 8;

/** The best signature time (EN 319 102-1 §5.6.2.4): the earliest time-stamp that proves that the signature existed. */
function findTime({ signature, stamps }: SignatureCase, own: readonly CheckedTimeStamp[]): Time | undefined {
  const times: Time[] = own.flatMap(({ token }) =>
    token ? [{ source: 'signature_time_stamp' as const, at: token.genTime }] : [],
  );
  for (const [other, { token }] of stamps) {
    const isLater = (other.dictionary.end ?? 0) > (signature.dictionary.end ?? Number.POSITIVE_INFINITY);
    if (token && isLater) times.push({ source: 'document_time_stamp', at: token.genTime });
  }
  return times.sort((a, b) => a.at.getTime() - b.at.getTime())[0];
}

function checkTimes(
  { signature, stamps }: SignatureCase,
  { signer }: CheckedSignature,
  own: readonly CheckedTimeStamp[],
  at: Date,
): void {
  const { findings, dictionary } = signature;
  const { signingTime } = dictionary;
  const add = (why: string): void => findings.add('time_order_wrong', why);
  if (signingTime !== undefined) {
    if (signingTime.getTime() > at.getTime() + validationLimits.timeDifferenceMs)
      add('/M lies after the time that is proved.');
    if (signer !== undefined && (signingTime < wholeSecond(signer.notBefore) || signingTime > signer.notAfter)) {
      add("/M lies outside the validity of the signer's certificate.");
    }
    for (const { genTime } of own) {
      if (genTime === undefined) continue;
      if (Math.abs(genTime.getTime() - signingTime.getTime()) > validationLimits.timeDifferenceMs) {
        add('/M and the time-stamp are more than five minutes apart.');
      }
    }
  }
  for (const [other, { genTime }] of stamps) {
    if ((other.dictionary.end ?? 0) <= (dictionary.end ?? 0)) continue;
    for (const stamp of own) checkOrder(stamp.genTime, genTime, signature);
  }
}

/** /M has no fractions of a second. */
function wholeSecond(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}

function checkOrder(earlier: Date | undefined, later: Date | undefined, { findings }: ReadSignature): void {
  if (earlier === undefined || later === undefined) return;
  if (earlier.getTime() > later.getTime() + validationLimits.clockDifferenceMs) {
    findings.add('time_order_wrong', 'A later time-stamp says an earlier time.');
  }
}

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

/** B-B, B-T, B-LT or B-LTA by what is there; whether a DSS is complete isn't asked. */
function describeFormat({ signature, stamps, dss }: SignatureCase, time: Time | undefined): string {
  const { subFilter, end } = signature.dictionary;
  const isBaseline = signature.findings.list.every(({ severity }) => severity !== 'profile');
  if (subFilter !== 'ETSI.CAdES.detached' || !isBaseline) return 'not PAdES baseline';
  if (time === undefined) return 'PAdES-BASELINE-B';
  if (!dss.hasRevocation) return 'PAdES-BASELINE-T';
  const isArchived = [...stamps.keys()].some(
    ({ dictionary }) => (dictionary.end ?? 0) > (end ?? Number.POSITIVE_INFINITY),
  );
  return isArchived ? 'PAdES-BASELINE-LTA' : 'PAdES-BASELINE-LT';
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
