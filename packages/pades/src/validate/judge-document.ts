import { findUnlistedBytes, KnownReferences, type PdfDocument } from '@sigillum/pdf';
import { KnownCertificates, parseCertificate } from '@sigillum/pki';
import { checkPages } from './check-pages.ts';
import { checkUsageRights } from './check-usage-rights.ts';
import { compareRevisions } from './compare-revisions.ts';
import { Findings } from './findings.ts';
import { type DroppedSignature, findSignatures } from './find-signatures.ts';
import { judgeSignature, printableName, type ProvableChain } from './judge-signature.ts';
import { readChangePolicy } from './read-change-policy.ts';
import { readDss } from './read-dss.ts';
import { checkFileFrame, findRevision, readRevision, readRevisions, type Revisions } from './read-revisions.ts';
import { readSignatureDictionary } from './read-signature-dictionary.ts';
import type { RevisionChange } from './revision-change.ts';
import { RevocationStore } from './revocation-store.ts';
import { checkRanges, checkTimeStamps, type ReadSignature } from './read-signature.ts';
import { summarize } from './summarize.ts';
import { validationLimits } from './validation-limits.ts';
import type { SignatureChoice, ValidationOptions } from './validation-options.ts';
import type { SignatureReport, ValidationReport } from './validation-report.ts';

export type JudgedDocument = { readonly report: ValidationReport; readonly chains: readonly ProvableChain[] };

/** Facts first: structure, signatures, revisions and times; then each signature's verdict, then the file's. */
export function judgeDocument(document: PdfDocument, options: ValidationOptions): JudgedDocument {
  const findings = new Findings();
  const { source } = document;
  const dss = readDss(document);
  const { certificates = [], now } = options;
  const trust = {
    roots: options.roots.map((root) => parseCertificate(root)),
    others: [...dss.certificates, ...certificates.map((certificate) => parseCertificate(certificate))],
    now,
    known: new KnownCertificates(validationLimits.knownCertificates),
    pathBudget: { steps: validationLimits.pathSteps },
    revocation: new RevocationStore(dss, now),
  };
  checkFileFrame(document, findings);
  const revisions = readRevisions(document);
  checkPages(revisions.views[0] ?? document, findings);
  checkUsageRights(document, findings);
  const { found: all, dropped } = findSignatures(revisions, findings);
  const signatures: ReadSignature[] = all.map((found) => {
    const own = new Findings();
    const dictionary = readSignatureDictionary(source, document.base, found, own);
    const revision = dictionary.end === undefined ? undefined : findRevision(revisions, dictionary.end, own);
    return { found, dictionary, revision, findings: own };
  });
  signatures.sort((a, b) => placeOf(document, a) - placeOf(document, b));
  checkRanges(source, signatures);
  const steps = compareSteps(revisions, signatures, typeof options.only !== 'object', findings);
  const choice = options.only ?? 'all';
  // a signature that is gone is one of all; whoever asks about one asks what happened since that one
  const chosenOnes = chooseSignatures(signatures, choice);
  checkSince(revisions, chosenOnes, choice === 'all' ? dropped : listLater(dropped, chosenOnes), findings);
  const { stamps, proofs } = checkTimeStamps(source, signatures, trust);
  const common = {
    document,
    steps,
    stamps,
    trust: { ...trust, proofs },
    profile: options.profile ?? 'baseline',
    requiresRevocation: options.requiresRevocation ?? false,
    stored: dss.certificates,
    storeOffset: dss.offset,
  };
  const judged = signatures.map((signature) => judgeSignature({ ...common, signature }));
  const reports = judged.map(({ report }) => report);
  checkAnythingSigned(reports, findings);
  const chosen = chooseReports(reports, choice);
  const accepted = !findings.hasFailure && chosen.length > 0 && chosen.every((report) => report.accepted);
  const isRevocationKnown = reports.length > 0 && reports.every(({ revocation }) => revocation !== 'unknown');
  const report: ValidationReport = {
    version: 1,
    readable: true,
    accepted,
    profile: common.profile,
    summary: summarize(accepted, findings.list, chosen),
    validatedAt: now.toISOString(),
    fileSize: source.size,
    revisions: revisions.views.length,
    findings: findings.list,
    signatures: reports,
    notChecked: [...(isRevocationKnown ? [] : ['revocation']), 'trust_lists'],
  };
  return {
    report,
    chains: judged.flatMap(({ chains }, index) => chains.map((chain) => ({ ...chain, signature: index }))),
  };
}

function chooseReports(reports: readonly SignatureReport[], choice: SignatureChoice): readonly SignatureReport[] {
  if (choice === 'all') return reports;
  if (choice === 'last') return reports.slice(reports.findLastIndex(({ kind }) => kind === 'signature'));
  return reports.filter(({ field }) => field === choice.field);
}

/** The same choice among what was read. */
function chooseSignatures(signatures: readonly ReadSignature[], choice: SignatureChoice): readonly ReadSignature[] {
  if (choice === 'all') return signatures;
  if (choice === 'last') return signatures.slice(signatures.findLastIndex(({ dictionary }) => !dictionary.isTimeStamp));
  return signatures.filter(({ found }) => printableName(found.field.name) === choice.field);
}

/** Where a signature ends; where its dictionary stands when it doesn't say: that was written with it, and not before. */
function placeOf(document: PdfDocument, { dictionary, found }: ReadSignature): number {
  const { ref } = found.field;
  const entry = found.entry ?? (ref && document.findEntry(ref.number));
  const home = entry?.type === 'compressed' ? document.findEntry(entry.container) : entry;
  return dictionary.end ?? (home?.type === 'plain' ? home.offset + document.base : document.source.size);
}

/** Signatures that the revisions of the chosen ones still had. */
function listLater(
  dropped: readonly DroppedSignature[],
  chosen: readonly ReadSignature[],
): readonly DroppedSignature[] {
  // without a revision nobody knows what came before it
  if (chosen.length === 0 || chosen.some(({ revision }) => revision === undefined)) return dropped;
  const oldest = Math.max(...chosen.map(({ revision }) => revision ?? 0));
  return dropped.filter(({ revision }) => revision <= oldest);
}

/** What happened since the first of the chosen signatures: a signature that is gone, bytes that no table lists. */
function checkSince(
  { document }: Revisions,
  chosen: readonly ReadSignature[],
  dropped: readonly DroppedSignature[],
  findings: Findings,
): void {
  const oldest = Math.max(-1, ...chosen.map(({ revision }) => revision ?? -1));
  const [gone] = dropped;
  if (gone !== undefined) findings.add('signature_dropped', `Object ${gone.number}.`);
  const first = chosen.find(({ revision }) => revision === oldest)?.dictionary.end ?? 0;
  if (oldest > validationLimits.laterRevisions) return;
  if (oldest > 0 || (oldest === 0 && first < document.source.size)) {
    const at = findUnlistedBytes(document, oldest, first);
    if (at !== undefined) findings.add('unsigned_bytes', `At byte ${at}.`);
  }
}

function checkAnythingSigned(reports: readonly SignatureReport[], findings: Findings): void {
  if (reports.length === 0) findings.add('pdf_unsigned');
  else if (reports.every(({ kind }) => kind === 'document_time_stamp')) findings.add('pdf_only_time_stamped');
}

/** What each update after the first signed revision did, by the index of its section. */
function compareSteps(
  revisions: Revisions,
  signatures: readonly ReadSignature[],
  /** Whether the verdict is about all signatures, so that a later one may stand for what came before it. */
  countsAll: boolean,
  findings: Findings,
): ReadonlyMap<number, readonly RevisionChange[]> {
  const steps = new Map<number, readonly RevisionChange[]>();
  const oldest = Math.max(-1, ...signatures.map(({ revision }) => revision ?? -1));
  if (oldest > validationLimits.laterRevisions) {
    findings.add('too_many_signatures');
    return steps;
  }
  const known = new KnownReferences();
  for (let index = oldest - 1; index >= 0; index--) {
    const after = revisions.views[index];
    if (after === undefined || revisions.views[index + 1] === undefined) break;
    const signed = signatures.find(({ revision }) => revision === index + 1)?.dictionary.end;
    const before = readRevision(revisions, index + 1, signed);
    const earlier = signatures.filter(({ revision }) => (revision ?? -1) > index);
    const floor = Math.max(before.sections[0]?.offset ?? 0, ...earlier.map(({ dictionary }) => dictionary.end ?? 0));
    const isSigned = signatures.some(
      ({ revision, dictionary }) => countsAll && revision !== undefined && revision <= index && !dictionary.isTimeStamp,
    );
    const policy = readChangePolicy(
      before,
      earlier.map(({ found }) => found),
      isSigned,
    );
    steps.set(index, compareRevisions(before, after, floor, policy, known));
  }
  return steps;
}
