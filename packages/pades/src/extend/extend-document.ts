import { isSigillumError } from '@sigillum/errors';
import { openPdf } from '@sigillum/pdf';
import { equalBytes, type TimeStampToken } from '@sigillum/pki';
import type { PrepareInput } from '../prepare/prepare-input.ts';
import { unknownTokenSize } from '../seal/estimate-contents-size.ts';
import type { RevocationRequest } from '../seal/revocation-source.ts';
import { type RaiseHooks, type RaisePorts, raiseLevel } from '../seal/raise-level.ts';
import { isAtLeast, type SealLevel } from '../seal/seal-level.ts';
import type { JudgedDocument } from '../validate/judge-document.ts';
import type { ProvableChain } from '../validate/judge-signature.ts';
import { examineSignatures } from '../validate/validate-signatures.ts';
import type { ValidationOptions } from '../validate/validation-options.ts';
import { assertExtendable, chooseExtendable, findChainsToComplete, type LeftAlone } from './choose-extendable.ts';

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
  /** The lowest level before, of the signatures that were extended. */
  readonly from: SealLevel;
  readonly to: SealLevel;
  /** Signatures that can't be extended, beside those that were. */
  readonly leftAlone: readonly LeftAlone[];
  /** Undefined for b-lt. */
  readonly documentTimeStampToken: TimeStampToken | undefined;
};

/**
 * Extends every signature of a document that is valid, whoever made it (EN 319 142-1 §6.3): b-lt adds validation data where the file
 * doesn't prove its chains yet; b-lta adds that, new data about the last time-stamp's chain, and a document time-stamp over
 * all. Asked for b-lta again it renews: that is how a file outlives the certificates of its time-stamps.
 *
 * The document is validated first. Issuers that neither CMS nor DSS holds come from the revocation source. A signature that
 * isn't valid PAdES with a time-stamp, such as one of a stranger under a root that isn't ours, is left alone and named.
 *
 * @throws SigillumError `extension_*` when no signature can be extended, `pdf_*`, and what the ports throw (`revocation_*`, `tsa_unavailable`)
 */
export async function extendDocument(request: ExtensionRequest): Promise<ExtendedDocument> {
  const { input, to, ports, hooks, signal } = request;
  const now = ports.now();
  const judged = await examine(request, now);
  const { from, extendable, leftAlone } = assertExtendable(judged.report);
  const { size } = input.source;
  if (to === 'b-lt' && isAtLeast(from, to)) {
    return { increment: new Uint8Array(), size, from, to: from, leftAlone, documentTimeStampToken: undefined };
  }
  const chains = judged.chains.filter(({ of, signature, state, provenAt, isStoredAfter }) => {
    if (!extendable.has(signature)) return false;
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
  return { increment: updates, size: size + updates.length, from, to, leftAlone, documentTimeStampToken: token };
}

/** Looks a first time, and again with issuers' certificates that the file lacks, where those may put a signature right. */
async function examine(request: ExtensionRequest, now: Date): Promise<JudgedDocument> {
  const { input, roots, ports, judge, signal } = request;
  // what can't be read at all is told by its own code
  openPdf(input.source);
  const examineInput = judge ?? ((options: ValidationOptions) => examineSignatures(input.source, options));
  const judged = await examineInput({ roots, now });
  const candidates = findChainsToComplete(judged);
  if (candidates.length === 0) return judged;
  const refusals: unknown[] = [];
  const certificates: Uint8Array[] = [];
  for (const chains of candidates) {
    signal?.throwIfAborted();
    try {
      certificates.push(...(await ports.revocation.collect(mergeChains(chains), signal)).certificates);
    } catch (error) {
      // a stranger's chain is no reason to leave ours alone
      if (!isSigillumError(error) || !error.code.startsWith('revocation_')) throw error;
      refusals.push(error);
    }
  }
  const again = certificates.length === 0 ? judged : await examineInput({ roots, now, certificates });
  if (refusals.length > 0 && chooseExtendable(again.report).extendable.size === 0) throw refusals[0];
  return again;
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
