import { isSigillumError, SigillumError } from '@sigillum/errors';
import type { KnownCertificates, TimeStampToken } from '@sigillum/pki';
import { appendToInput } from '../extend/append-to-input.ts';
import type { PrepareInput } from '../prepare/prepare-input.ts';
import { prepareSignature } from '../prepare/prepare-signature.ts';
import type { PreparedSignature } from '../prepare/prepared-signature.ts';
import type { Random, SealOptions } from '../prepare/seal-options.ts';
import { assertLevelReachable } from './assert-level-reachable.ts';
import { type AttributesToSign, createSignedAttributes } from './attributes-to-sign.ts';
import { estimateContentsSize, unknownTokenSize } from './estimate-contents-size.ts';
import { type Freshness, listSealChains } from './list-seal-chains.ts';
import { type RaiseHooks, raiseLevel } from './raise-level.ts';
import type { RevocationSource } from './revocation-source.ts';
import { isAtLeast, type SealLevel } from './seal-level.ts';
import { assembleSeal, raiseSeal, type SealedDocument } from './sealed-document.ts';
import { acceptSignature, getTimeStampImprint, type SignedDigest } from './signed-digest.ts';
import type { SigningCredential } from './signing-credential.ts';
import type { TimeStampSource } from './time-stamp-source.ts';
import { assembleUnstamped, type UnstampedDocument } from './unstamped-document.ts';

export type SealPorts = {
  /** Signs `toSign.digest` with the credential's key. What it answers is verified here. */
  sign(toSign: AttributesToSign, signal?: AbortSignal): Promise<Uint8Array>;
  readonly timeStamps: TimeStampSource;
  now(): Date;
  readonly random: Random;
};

/** Called after each step and awaited; what a hook throws ends the seal. For metrics, and to interrupt it in tests. */
export type SealHooks = RaiseHooks & {
  prepared?(prepared: PreparedSignature): void | Promise<void>;
  signed?(signed: SignedDigest): void | Promise<void>;
  timeStamped?(token: TimeStampToken): void | Promise<void>;
  /** With all that its level asks for. */
  assembled?(sealed: SealedDocument): void | Promise<void>;
};

type CommonRequest = {
  readonly input: PrepareInput;
  readonly credential: SigningCredential;
  readonly options: SealOptions;
  readonly hooks?: SealHooks | undefined;
  /** Saves reading the same certificate with each document. */
  readonly known?: KnownCertificates | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type SealRequest = CommonRequest & {
  /** `b-t` when left out. */
  readonly level?: Exclude<SealLevel, 'b-b'> | undefined;
  readonly ports: SealPorts;
  /** Where the validation data of b-lt and b-lta comes from. */
  readonly revocation?: RevocationSource | undefined;
  /** The source's own rule when left out. */
  readonly freshness?: Freshness | undefined;
  /** Bytes of CMS to reserve at the first attempt, when somebody else knows best. Estimated when left out. */
  readonly contentsSize?: number | undefined;
  /** Bytes of the last token of the TSA that is asked first, when there was one. */
  readonly lastTokenSize?: number | undefined;
};

/** A signature without a time-stamp: only for callers of this library who ask for it by name. */
export type UnstampedSealRequest = CommonRequest & {
  readonly level: 'b-b';
  readonly ports: Omit<SealPorts, 'timeStamps'>;
};

/** The second attempt knows the real size of the token; a third covers a fail-over to a TSA with larger ones. */
const maxAttempts = 3;

/**
 * Steps 3 to 6 of a seal: prepare, sign, time-stamp, assemble; then what its level asks for: validation data of the chains
 * of signer and TSA, and a document time-stamp over it. A file that can't take all of them is refused before it is signed. When the CMS or the token turns out larger than the room left for
 * it, its steps are done again with more room. It never truncates, and never gives less than the level asked for: it throws
 * what the sources threw (`tsa_unavailable`, `revocation_*`).
 */
export function sealDocument(request: SealRequest): Promise<SealedDocument>;
/** A signature without a time-stamp. */
export function sealDocument(request: UnstampedSealRequest): Promise<UnstampedDocument>;
export async function sealDocument(
  request: SealRequest | UnstampedSealRequest,
): Promise<SealedDocument | UnstampedDocument> {
  if (request.level === 'b-b') return signWithoutTimeStamp(request);
  const sealed = await sealWithTimeStamp(request);
  const raised = await raise(request, sealed);
  await request.hooks?.assembled?.(raised);
  return raised;
}

async function signWithoutTimeStamp(request: UnstampedSealRequest): Promise<UnstampedDocument> {
  // no token can surprise us: a CMS that is longer than its estimate is a mistake of ours
  const contentsSize = estimateContentsSize(request.credential, 0, request.known);
  return assembleUnstamped(await sign(request, contentsSize));
}

async function sealWithTimeStamp(request: SealRequest): Promise<SealedDocument> {
  const { credential, known } = request;
  let contentsSize =
    request.contentsSize ?? estimateContentsSize(credential, request.lastTokenSize ?? unknownTokenSize, known);
  for (let attempt = 1; ; attempt++) {
    const signed = await sign(request, contentsSize);
    request.signal?.throwIfAborted();
    const token = await request.ports.timeStamps.request(getTimeStampImprint(signed), request.signal);
    await request.hooks?.timeStamped?.(token);
    request.signal?.throwIfAborted();
    const sealed = assembleIfItFits(signed, token, attempt === maxAttempts);
    if (sealed) return sealed;
    contentsSize = Math.max(contentsSize * 2, estimateContentsSize(credential, token.der.length, known));
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

async function sign(
  { input, credential, options, level = 'b-t', ports, hooks, known, signal }: SealRequest | UnstampedSealRequest,
  contentsSize: number,
): Promise<SignedDigest> {
  signal?.throwIfAborted();
  const provides = { timeStamp: isAtLeast(level, 'b-t'), revocation: isAtLeast(level, 'b-lt') };
  const prepared = prepareSignature(input, { ...options, contentsSize, signer: credential, provides }, ports.random);
  assertLevelReachable(input, prepared, level);
  await hooks?.prepared?.(prepared);
  signal?.throwIfAborted();
  const times = { signingTime: options.signingTime, now: ports.now() };
  const toSign = createSignedAttributes(prepared, credential, times, known);
  const signature = await ports.sign(toSign, signal);
  const signed = acceptSignature(prepared, toSign, credential, signature);
  await hooks?.signed?.(signed);
  return signed;
}

async function raise(request: SealRequest, sealed: SealedDocument): Promise<SealedDocument> {
  const { level = 'b-t', input, revocation, ports, hooks, signal } = request;
  if (level === 'b-t') return sealed;
  if (revocation === undefined) {
    throw new SigillumError('pades_option_invalid', 'This level needs a source of revocation data.');
  }
  const { updates, token } = await raiseLevel({
    input: appendToInput(input, sealed.increment),
    to: level,
    chains: listSealChains(request.credential, sealed.timeStampToken, ports.now(), request.freshness),
    lastTokenSize: sealed.timeStampToken.der.length,
    ports: { ...ports, now: () => ports.now(), revocation },
    hooks,
    signal,
  });
  return raiseSeal(sealed, level, updates, token);
}
