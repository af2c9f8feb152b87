import { isSigillumError } from '@sigillum/errors';
import type { KnownCertificates, TimeStampToken } from '@sigillum/pki';
import { type PrepareInput, prepareSignature } from '../prepare/prepare-signature.ts';
import type { PreparedSignature } from '../prepare/prepared-signature.ts';
import type { Random, SealOptions } from '../prepare/seal-options.ts';
import { type AttributesToSign, createSignedAttributes } from './attributes-to-sign.ts';
import { estimateContentsSize, unknownTokenSize } from './estimate-contents-size.ts';
import { assembleSeal, type SealedDocument } from './sealed-document.ts';
import { acceptSignature, getTimeStampImprint, type SignedDigest } from './signed-digest.ts';
import type { SigningCredential } from './signing-credential.ts';
import type { TimeStampSource } from './time-stamp-source.ts';

export type SealPorts = {
  /** Signs `toSign.digest` with the credential's key. What it answers is verified here. */
  sign(toSign: AttributesToSign, signal?: AbortSignal): Promise<Uint8Array>;
  readonly timeStamps: TimeStampSource;
  now(): Date;
  readonly random: Random;
};

/** Called after each step and awaited; what a hook throws ends the seal. For metrics, and to interrupt it in tests. */
export type SealHooks = {
  prepared?(prepared: PreparedSignature): void | Promise<void>;
  signed?(signed: SignedDigest): void | Promise<void>;
  timeStamped?(token: TimeStampToken): void | Promise<void>;
  assembled?(sealed: SealedDocument): void | Promise<void>;
};

export type SealRequest = {
  readonly input: PrepareInput;
  readonly credential: SigningCredential;
  readonly options: SealOptions;
  /** Bytes of the last token of the TSA that is asked first, when there was one. */
  readonly lastTokenSize?: number | undefined;
  readonly ports: SealPorts;
  readonly hooks?: SealHooks | undefined;
  /** Saves reading the same certificate with each document. */
  readonly known?: KnownCertificates | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** The second attempt knows the real size of the token; a third covers a fail-over to a TSA with larger ones. */
const maxAttempts = 3;

/**
 * Steps 3 to 6 of a seal: prepare, sign, time-stamp, assemble. When the CMS turns out larger than the room left for it,
 * all four are done again with more room. It never truncates, and never leaves out the time-stamp: without one it throws
 * what the source threw (`tsa_unavailable`).
 */
export async function sealDocument(request: SealRequest): Promise<SealedDocument> {
  const { credential } = request;
  let contentsSize = estimateContentsSize(credential, request.lastTokenSize ?? unknownTokenSize);
  for (let attempt = 1; ; attempt++) {
    const { signed, token } = await signOnce(request, contentsSize);
    const sealed = assembleIfItFits(signed, token, attempt === maxAttempts);
    if (sealed) {
      await request.hooks?.assembled?.(sealed);
      return sealed;
    }
    contentsSize = Math.max(contentsSize * 2, estimateContentsSize(credential, token.der.length));
  }
}

function assembleIfItFits(signed: SignedDigest, token: TimeStampToken, isLast: boolean): SealedDocument | undefined {
  try {
    return assembleSeal(signed, token);
  } catch (error) {
    if (isSigillumError(error, 'pades_contents_overflow') && !isLast) return undefined;
    throw error;
  }
}

async function signOnce(
  { input, credential, options, ports, hooks, known, signal }: SealRequest,
  contentsSize: number,
): Promise<{ signed: SignedDigest; token: TimeStampToken }> {
  signal?.throwIfAborted();
  const prepared = prepareSignature(input, { ...options, contentsSize }, ports.random);
  await hooks?.prepared?.(prepared);
  signal?.throwIfAborted();
  const times = { signingTime: options.signingTime, now: ports.now() };
  const toSign = createSignedAttributes(prepared, credential, times, known);
  const signature = await ports.sign(toSign, signal);
  const signed = acceptSignature(prepared, toSign, credential, signature);
  await hooks?.signed?.(signed);
  signal?.throwIfAborted();
  const token = await ports.timeStamps.request(getTimeStampImprint(signed), signal);
  await hooks?.timeStamped?.(token);
  signal?.throwIfAborted();
  return { signed, token };
}
