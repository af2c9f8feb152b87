import { SigillumError } from '@sigillum/errors';
import { openPdf } from '@sigillum/pdf';
import { equalBytes, type TimeStampToken } from '@sigillum/pki';
import type { PrepareInput } from '../prepare/prepare-input.ts';
import { unknownTokenSize } from '../seal/estimate-contents-size.ts';
import type { RevocationRequest } from '../seal/revocation-source.ts';
import { type RaiseHooks, type RaisePorts, raiseLevel } from '../seal/raise-level.ts';
import { isAtLeast, type SealLevel, sealLevels } from '../seal/seal-level.ts';
import type { CheckCode } from '../validate/checks.ts';
import type { JudgedDocument } from '../validate/judge-document.ts';
import type { ProvableChain } from '../validate/judge-signature.ts';
import { examineSignatures } from '../validate/validate-signatures.ts';
import type { ValidationOptions } from '../validate/validation-options.ts';
import type { SignatureReport, ValidationReport } from '../validate/validation-report.ts';

export type ExtensionRequest = {
  readonly input: PrepareInput;
  readonly to: 'b-lt' | 'b-lta';
  /** Trust anchors for signers and time-stamp authorities, DER. */
  readonly roots: readonly Uint8Array[];
  readonly ports: RaisePorts;
  /** Judges the input's signatures: `examineSignatures` elsewhere, such as in another thread. Here when left out. */
  readonly judge?: ((options: ValidationOptions) => Promise<JudgedDocument>) | undefined;
  /** Bytes of the last token of the TSA that is asked first, when there was one. */
  readonly lastTokenSize?: number | undefined;
  readonly hooks?: RaiseHooks | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type ExtendedDocument = {
  /** What follows the input's bytes; empty when the document already was what was asked for. */
  readonly increment: Uint8Array;
  /** Bytes of the extended file. */
  readonly size: number;
  /** The lowest level of its signatures before. */
  readonly from: SealLevel;
  readonly to: SealLevel;
  /** Undefined for b-lt. */
  readonly documentTimeStampToken: TimeStampToken | undefined;
};

/**
 * Extends every signature of a document, whoever made them (EN 319 142-1 §6.3): b-lt adds validation data where the file
 * doesn't prove its chains yet; b-lta adds that, new data about the last time-stamp's chain, and a document time-stamp over
 * all. Asked for b-lta again it renews: that is how a file outlives the certificates of its time-stamps.
 *
 * The document is validated first. Issuers that neither CMS nor DSS holds come from the revocation source.
 *
 * @throws SigillumError `extension_*`, `pdf_*`, and what the ports throw (`revocation_*`, `tsa_unavailable`)
 */
export async function extendDocument(request: ExtensionRequest): Promise<ExtendedDocument> {
  const { input, to, ports, hooks, signal } = request;
  const now = ports.now();
  const judged = await examine(request, now);
  const from = assertExtendable(judged.report);
  const { size } = input.source;
  if (to === 'b-lt' && isAtLeast(from, to)) {
    return { increment: new Uint8Array(), size, from, to: from, documentTimeStampToken: undefined };
  }
  const chains = judged.chains.filter(({ of, state, provenAt, isStoredAfter }) => {
    // what the new time-stamp is to prove must be good until then: the time-stamps that nothing else covers
    const isLast = of !== 'signature' && provenAt.getTime() === now.getTime();
    return state !== 'good' || (of !== 'document_time_stamp' && !isStoredAfter) || (to === 'b-lta' && isLast);
  });
  const lastTokenSize = request.lastTokenSize ?? unknownTokenSize;
  const { updates, token } = await raiseLevel({
    input,
    to,
    chains: mergeChains(chains),
    lastTokenSize,
    ports,
    hooks,
    signal,
  });
  return { increment: updates, size: size + updates.length, from, to, documentTimeStampToken: token };
}

/** Findings that issuers' certificates from elsewhere may put right. */
const chainCodes = new Set<CheckCode>(['chain_untrusted', 'certificate_wrong', 'time_stamp_invalid']);

async function examine({ input, roots, ports, judge, signal }: ExtensionRequest, now: Date): Promise<JudgedDocument> {
  // what can't be read at all is told by its own code
  openPdf(input.source);
  const examineInput = judge ?? ((options: ValidationOptions) => examineSignatures(input.source, options));
  const judged = await examineInput({ roots, now });
  if (judged.report.accepted || !lacksIssuersOnly(judged.report)) return judged;
  // whether a chain ends at a root isn't known yet: nothing is asked in the name of a signature that signs nothing
  if (judged.report.signatures.some(({ intact }) => !intact)) return judged;
  signal?.throwIfAborted();
  const { certificates } = await ports.revocation.collect(mergeChains(judged.chains), signal);
  return await examineInput({ roots, now, certificates });
}

/**
 * One request for each signer and each TSU, however many signatures they made: at the latest time at which it must be good.
 * What wasn't revoked then wasn't before.
 */
function mergeChains(chains: readonly ProvableChain[]): readonly RevocationRequest[] {
  const merged = new Map<string, RevocationRequest>();
  for (const { certificates, provenAt } of chains) {
    const [leaf = new Uint8Array()] = certificates;
    const key = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.length).toString('latin1');
    const known = merged.get(key);
    const others = known?.certificates ?? [];
    const added = certificates.filter((one) => !others.some((other) => equalBytes(one, other)));
    const at = known === undefined || known.at < provenAt ? provenAt : known.at;
    merged.set(key, { certificates: [...others, ...added], at });
  }
  return [...merged.values()];
}

function lacksIssuersOnly({ findings, signatures }: ValidationReport): boolean {
  const failures = [...findings, ...signatures.flatMap((signature) => signature.findings)].filter(
    ({ severity }) => severity !== 'note',
  );
  return failures.length > 0 && failures.every(({ code }) => chainCodes.has(code));
}

/** Refuses what can't be extended; returns the lowest level that there is. */
function assertExtendable(report: ValidationReport): SealLevel {
  const signatures = report.signatures.filter(({ kind }) => kind === 'signature');
  if (signatures.length === 0 && report.readable) {
    throw new SigillumError('extension_unsigned', 'The document has no signature that could be extended.');
  }
  const foreign = signatures.find((signature) => !isBaseline(signature));
  if (foreign !== undefined && isIntactButForProfile(report)) {
    const why = foreign.findings.find(({ severity }) => severity === 'profile')?.sentence ?? '';
    throw new SigillumError(
      'extension_not_pades',
      `${nameOf(foreign)} is not PAdES baseline, and only such can be extended. ${why}`.trim(),
    );
  }
  if (!report.accepted) {
    throw new SigillumError('extension_signature_invalid', `The document can't be extended. ${report.summary}`);
  }
  const levels = signatures.map(levelOf);
  const unstamped = signatures.find((signature) => levelOf(signature) === 'b-b');
  if (unstamped !== undefined) {
    throw new SigillumError(
      'extension_no_time_stamp',
      `${nameOf(unstamped)} has no time-stamp: nothing proves when it was made, so it can't be extended.`,
    );
  }
  return sealLevels.find((level) => levels.includes(level)) ?? 'b-b';
}

function isBaseline({ findings }: SignatureReport): boolean {
  return findings.every(({ severity }) => severity !== 'profile');
}

function isIntactButForProfile({ findings, signatures }: ValidationReport): boolean {
  return [...findings, ...signatures.flatMap((signature) => signature.findings)].every(
    ({ severity }) => severity !== 'failure',
  );
}

function levelOf({ format }: SignatureReport): SealLevel {
  return sealLevels.find((level) => format === `PAdES-BASELINE-${level.slice(2).toUpperCase()}`) ?? 'b-b';
}

function nameOf({ field }: SignatureReport): string {
  return `The signature in the field "${(field ?? '').slice(0, 128)}"`;
}
