import type { SignatureAlgorithm } from '@sigillum/algorithms';
import { codeRegistry, SigillumError } from '@sigillum/errors';
import { type Credential, encodeId } from '@sigillum/store';
import type { Services } from '../services.ts';

/** The signer refuses less than this; asking anyway would only spend its time. */
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
 * @throws SigillumError of the signer with its 5xx code; `seal_signing_refused` for everything the signer refuses,
 * because a key or a policy that doesn't fit is our fault and not the caller's
 */
export async function signAttributes(services: Services, request: SignRequest): Promise<Uint8Array> {
  const { credential, algorithm, remainingMs } = request;
  if (remainingMs < minTimeoutMs) throw new SigillumError('seal_timeout', 'The seal took too long. Try again.');
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

function asOurFault(error: unknown): unknown {
  if (!(error instanceof SigillumError) || codeRegistry[error.code].status >= 500) return error;
  return new SigillumError('seal_signing_refused', 'The signer refused to sign with this credential.', {
    cause: error,
  });
}
