import { SigillumError } from '@sigillum/errors';
import { type SealLevel, sealLevels } from '../seal/seal-level.ts';
import type { CheckCode } from '../validate/checks.ts';
import type { JudgedDocument } from '../validate/judge-document.ts';
import type { ProvableChain } from '../validate/judge-signature.ts';
import type { Finding, SignatureReport, ValidationReport } from '../validate/validation-report.ts';

/** A signature or document time-stamp that was not extended, and why. */
export type LeftAlone = {
  readonly field: string;
  readonly code: 'extension_signature_invalid' | 'extension_not_pades' | 'extension_no_time_stamp';
  /** A sentence for a person. */
  readonly reason: string;
};

export type Extendable = {
  /** Places in the report's list of signatures. */
  readonly extendable: ReadonlySet<number>;
  readonly leftAlone: readonly LeftAlone[];
  /** The lowest level among the signatures that can be extended. */
  readonly from: SealLevel;
};

/** What can be extended: what is valid, PAdES baseline and has a time-stamp, in a file that is sound otherwise. */
export function chooseExtendable({ findings, signatures }: ValidationReport): Extendable {
  const isSound = findings.every(({ severity }) => severity !== 'failure');
  const uncovered = findUncovered(signatures);
  const extendable = new Set<number>();
  const leftAlone: LeftAlone[] = [];
  for (const [index, signature] of signatures.entries()) {
    const why = isSound ? findObstacle(signature, uncovered.has(index)) : undefined;
    if (isSound && why === undefined) extendable.add(index);
    else if (why !== undefined) leftAlone.push(why);
  }
  const levels = signatures.flatMap((signature, index) =>
    signature.kind === 'signature' && extendable.has(index) ? [levelOf(signature)] : [],
  );
  return { extendable, leftAlone, from: sealLevels.find((level) => levels.includes(level)) ?? 'b-b' };
}

/** The same, where there is at least one signature to extend. */
export function assertExtendable(report: ValidationReport): Extendable {
  const signatures = report.signatures.filter(({ kind }) => kind === 'signature');
  if (signatures.length === 0 && report.readable) {
    throw new SigillumError('extension_unsigned', 'The document has no signature that could be extended.');
  }
  const chosen = chooseExtendable(report);
  if (report.signatures.some(({ kind }, index) => kind === 'signature' && chosen.extendable.has(index))) return chosen;
  const isSound = report.findings.every(({ severity }) => severity !== 'failure');
  const own = signatures.map((signature) => findObstacle(signature));
  const [told] = own;
  if (isSound && told !== undefined && own.every((one) => one?.code === told.code)) {
    if (told.code !== 'extension_signature_invalid') throw new SigillumError(told.code, told.reason);
  }
  throw new SigillumError('extension_signature_invalid', `The document can't be extended. ${report.summary}`);
}

/** Findings that issuers' certificates from elsewhere may put right. */
const chainCodes = new Set<CheckCode>(['chain_untrusted', 'certificate_wrong', 'time_stamp_invalid']);

/**
 * The chains of signatures that lack nothing but issuers, one list for each. Whether they end at a root isn't known yet:
 * nothing is asked in the name of a signature that signs nothing.
 */
export function findChainsToComplete({ report, chains }: JudgedDocument): readonly (readonly ProvableChain[])[] {
  if (report.findings.some(({ severity }) => severity === 'failure')) return [];
  return report.signatures.flatMap(({ intact, findings }, index) => {
    const failures = findings.filter(({ severity }) => severity !== 'note');
    if (!intact || failures.length === 0 || !failures.every(({ code }) => chainCodes.has(code))) return [];
    const own = chains.filter(({ signature }) => signature === index);
    return own.length === 0 ? [] : [own];
  });
}

/**
 * Signatures after which a form was filled without permission: a later signature stands for that, but only one that is valid.
 * The file's own verdict needs no such rule, since it is about all of them.
 */
function findUncovered(signatures: readonly SignatureReport[]): ReadonlySet<number> {
  const uncovered = new Set<number>();
  let isCovered = false;
  for (const [index, { kind, findings, changedSince }] of [...signatures.entries()].toReversed()) {
    const isPermitted = signatures.slice(0, index + 1).some(({ certifies }) => certifies !== undefined);
    if (!isCovered && !isPermitted && !ownChanges.has(changedSince)) uncovered.add(index);
    else if (kind === 'signature' && findings.every(({ severity }) => severity !== 'failure')) isCovered = true;
  }
  return uncovered;
}

/** What adds signatures and their validation data changes nothing else. */
const ownChanges = new Set<SignatureReport['changedSince']>(['none', 'lta_update', 'new_signatures']);

function findObstacle(signature: SignatureReport, isUncovered = false): LeftAlone | undefined {
  // half a character can't be stored
  const field = (signature.field ?? '').slice(0, 128).toWellFormed();
  const name = `The ${signature.kind === 'signature' ? 'signature' : 'time-stamp'} in the field "${field}"`;
  const failures = sentences(signature.findings, 'failure');
  if (failures !== '') {
    return { field, code: 'extension_signature_invalid', reason: `${name} is not valid. ${failures}` };
  }
  if (isUncovered) {
    const reason = `${name} is followed by changes of the form that no valid signature covers.`;
    return { field, code: 'extension_signature_invalid', reason };
  }
  const missing = sentences(signature.findings, 'profile');
  if (missing !== '') {
    const reason = `${name} is not PAdES baseline, and only such can be extended. ${missing}`;
    return { field, code: 'extension_not_pades', reason };
  }
  if (signature.kind === 'signature' && levelOf(signature) === 'b-b') {
    const reason = `${name} has no time-stamp: nothing proves when it was made, so it can't be extended.`;
    return { field, code: 'extension_no_time_stamp', reason };
  }
  return undefined;
}

function sentences(findings: readonly Finding[], severity: Finding['severity']): string {
  const told = findings.filter((finding) => finding.severity === severity).map(({ sentence }) => sentence);
  return [...new Set(told)].slice(0, maxSentences).join(' ');
}

/** Reasons told about one signature. */
const maxSentences = 2;

function levelOf({ format }: SignatureReport): SealLevel {
  return sealLevels.find((level) => format === `PAdES-BASELINE-${level.slice(2).toUpperCase()}`) ?? 'b-b';
}
