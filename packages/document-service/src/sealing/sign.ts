import type { SignatureAlgorithm } from '@sigillum/algorithms';
import { codeRegistry, SigillumError } from '@sigillum/errors';
import { type Credential, encodeId } from '@sigillum/store';
import type { Services } from '../services.ts';

/** No signer answers in less; what it wants itself (hash-signer's `min_timeout_ms`) it says. */
const minTimeoutMs = 250;

/** The longest wait that the signer's contract allows. */
const maxTimeoutMs = 60_000;

/** One digest to be signed, and what hash-signer's audit line says about it. */
export type SignRequest = {
  readonly credential: Credential;
  readonly algorithm: SignatureAlgorithm;
  readonly requestId: string;
  readonly context: {
    readonly sealId: string;
    readonly content: { readonly document_sha256?: string; readonly purpose_detail?: string };
  };
  /** Of the signed attributes, which were made here. */
  readonly digest: Uint8Array;
  /** Until the seal's own deadline. */
  readonly remainingMs: number;
};

/**
 * Step 4: one `signDigests` for the signed attributes. The answer is verified by the caller with the credential's public
 * key. hash-signer's audit line repeats organisation, seal and document from the context.
 *
 * @throws SigillumError of the signer with its 5xx code; `seal_timeout` when less time is left than the signer takes;
 * `signer_overloaded` beyond the key's rates; `seal_signing_refused` for everything else that the signer refuses, because
 * a key or a policy that doesn't fit is our fault and not the caller's
 */
export async function signAttributes(services: Services, request: SignRequest): Promise<Uint8Array> {
  const { credential, algorithm, remainingMs } = request;
  if (remainingMs < minTimeoutMs) throw tookTooLong();
  const context = {
    organisation: encodeId('org', credential.organisationId),
    seal_id: request.context.sealId,
    ...request.context.content,
  };
  const [result] = await services.signer
    .signDigests({
      requestId: request.requestId,
      timeoutMs: Math.min(Math.floor(remainingMs), maxTimeoutMs),
      keyId: credential.keyId,
      algorithm: algorithm.name,
      digests: [{ digest: request.digest, context }],
    })
    .catch((error: unknown) => {
      throw asOurFault(error);
    });
  if (result === undefined) throw new SigillumError('signer_answer_invalid', 'The signer answered nothing.');
  if ('code' in result) {
    throw asOurFault(new SigillumError(result.code, 'The signer did not sign. Try again.', { retryAfterSeconds: 1 }));
  }
  return result.signature;
}

function tookTooLong(cause?: unknown): SigillumError {
  return new SigillumError('seal_timeout', 'The seal took too long. Try again.', { cause, retryAfterSeconds: 1 });
}

function asOurFault(error: unknown): unknown {
  if (!(error instanceof SigillumError) || codeRegistry[error.code].status >= 500) return error;
  // Preparing has eaten up the seal's time: nothing is wrong with key or policy.
  if (error.code === 'signer_deadline_too_short') return tookTooLong(error);
  // A key that is used too often is room that comes back.
  if (error.code === 'signer_rate_exceeded' || error.code === 'signer_daily_limit_reached') {
    const { retryAfterSeconds = 1 } = error;
    const message = 'The key of this credential has no room for more seals now. Try again later.';
    return new SigillumError('signer_overloaded', message, { cause: error, retryAfterSeconds });
  }
  return new SigillumError('seal_signing_refused', 'The signer refused to sign with this credential.', {
    cause: error,
  });
}
