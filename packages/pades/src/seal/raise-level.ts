import { concatBytes, equalBytes, parseSignedData, type TimeStampToken } from '@sigillum/pki';
import { addDocumentTimeStamp } from '../extend/add-document-time-stamp.ts';
import { addValidationData } from '../extend/add-validation-data.ts';
import { appendToInput } from '../extend/append-to-input.ts';
import type { PrepareInput } from '../prepare/prepare-input.ts';
import type { Random } from '../prepare/seal-options.ts';
import type { RevocationData, RevocationRequest, RevocationSource } from './revocation-source.ts';
import type { TimeStampSource } from './time-stamp-source.ts';

export type RaisePorts = {
  readonly timeStamps: TimeStampSource;
  readonly revocation: RevocationSource;
  now(): Date;
  readonly random: Random;
};

/** Called after each step and awaited; what a hook throws ends the work. */
export type RaiseHooks = {
  collected?(data: RevocationData): void | Promise<void>;
  documentTimeStamped?(token: TimeStampToken): void | Promise<void>;
};

export type RaiseRequest = {
  /** The signed file. */
  readonly input: PrepareInput;
  readonly to: 'b-lt' | 'b-lta';
  /** The chains whose validation data goes in, each with the certificates that the file holds already. */
  readonly chains: readonly RevocationRequest[];
  /** Bytes of the last token of the TSA. */
  readonly lastTokenSize: number;
  readonly ports: RaisePorts;
  readonly hooks?: RaiseHooks | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Adds validation data (B-LT) and, for B-LTA, a document time-stamp over it. When that comes from an authority whose
 * chain was not asked about, as after a fail-over, its validation data follows in an update of its own.
 *
 * @returns what follows the file, and the token of the document time-stamp
 */
export async function raiseLevel(
  request: RaiseRequest,
): Promise<{ readonly updates: Uint8Array; readonly token: TimeStampToken | undefined }> {
  const { ports, hooks, signal, to } = request;
  const updates: Uint8Array[] = [];
  let { input } = request;
  const append = (update: Uint8Array): void => {
    if (update.length === 0) return;
    updates.push(update);
    input = appendToInput(input, update);
  };
  const collect = async (chains: readonly RevocationRequest[]): Promise<void> => {
    if (chains.length === 0) return;
    signal?.throwIfAborted();
    const data = await ports.revocation.collect(chains, signal);
    await hooks?.collected?.(data);
    append(addValidationData(input.source, data, ports.random));
  };
  await collect(request.chains);
  if (to === 'b-lt') return { updates: concatBytes(updates), token: undefined };
  const { update, token } = await addDocumentTimeStamp(input, request.lastTokenSize, ports, signal);
  append(update);
  await hooks?.documentTimeStamped?.(token);
  const isKnown = request.chains.some(({ certificates: [leaf] }) => leaf && equalBytes(leaf, token.signerCertificate));
  if (!isKnown) await collect([{ certificates: listTokenCertificates(token), at: ports.now() }]);
  return { updates: concatBytes(updates), token };
}

/** The authority's certificate, then what else the token has: what it lacks is for the source to find. */
export function listTokenCertificates(token: TimeStampToken): readonly Uint8Array[] {
  const { signerCertificate, der } = token;
  const others = parseSignedData(der).certificates.filter((other) => !equalBytes(other, signerCertificate));
  return [signerCertificate, ...others];
}
