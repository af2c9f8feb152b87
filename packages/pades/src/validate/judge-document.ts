import { findUnlistedBytes, type PdfDocument } from '@sigillum/pdf';
import { parseCertificate } from '@sigillum/pki';
import { checkPages } from './check-pages.ts';
import { compareRevisions } from './compare-revisions.ts';
import { Findings } from './findings.ts';
import { findSignatures } from './find-signatures.ts';
import { judgeSignature, type ProvableChain } from './judge-signature.ts';
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
    revocation: new RevocationStore(dss, now),
  };
  checkFileFrame(document, findings);
  const revisions = readRevisions(document);
  checkPages(revisions.views[0] ?? document, findings);
  const signatures: ReadSignature[] = findSignatures(revisions, findings).map((found) => {
    const own = new Findings();
    const dictionary = readSignatureDictionary(source, document.base, found, own);
    const revision = dictionary.end === undefined ? undefined : findRevision(revisions, dictionary.end, own);
    return { found, dictionary, revision, findings: own };
  });
  signatures.sort((a, b) => (a.dictionary.end ?? source.size) - (b.dictionary.end ?? source.size));
  checkRanges(source, signatures);
  const steps = compareSteps(revisions, signatures, typeof options.only !== 'object', findings);
  const { stamps, proofs } = checkTimeStamps(source, signatures, trust);
  const common = {
    document,
    steps,
    stamps,
    trust: { ...trust, proofs },
    profile: options.profile ?? 'baseline',
    requiresRevocation: options.requiresRevocation ?? false,
    stored: dss.certificates,
  };
  const judged = signatures.map((signature) => judgeSignature({ ...common, signature }));
  const reports = judged.map(({ report }) => report);
  checkAnythingSigned(reports, findings);
  const chosen = chooseReports(reports, options.only ?? 'all');
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
  return { report, chains: judged.flatMap(({ chains }) => chains) };
}

function chooseReports(reports: readonly SignatureReport[], choice: SignatureChoice): readonly SignatureReport[] {
  if (choice === 'all') return reports;
  if (choice === 'last') return reports.slice(reports.findLastIndex(({ kind }) => kind === 'signature'));
  return reports.filter(({ field }) => field === choice.field);
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
  const first = signatures.find(({ revision }) => revision === oldest)?.dictionary.end ?? 0;
  if (oldest > validationLimits.laterRevisions) {
    findings.add('too_many_signatures');
    return steps;
  }
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
    steps.set(index, compareRevisions(before, after, floor, policy));
  }
  if (oldest > 0 || (oldest === 0 && first < revisions.document.source.size)) {
    const at = findUnlistedBytes(revisions.document, oldest, first);
    if (at !== undefined) findings.add('unsigned_bytes', `At byte ${at}.`);
  }
  return steps;
}
