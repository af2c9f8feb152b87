import { type ErrorCode, isErrorCode, SigillumError } from '@sigillum/errors';
import {
  findIdempotencyKey,
  findSeal,
  type IdempotencyRecord,
  type IdempotencyScope,
  type Seal,
} from '@sigillum/store';
import type { Services } from '../services.ts';

/** Seconds after which the first request is probably done. */
const retryAfterSeconds = 1;

/** A seal that was completed before under the same key, with what was kept of it: its increment, or its JSON answer. */
export type Replay = { readonly seal: Seal; readonly kept: Uint8Array };

/**
 * What the idempotency key says about this request.
 *
 * @returns the earlier seal when it was completed; undefined when the key is free
 * @throws SigillumError `idempotency_key_reused` for another document or other options, `idempotency_key_in_flight`, or
 * the 4xx that the first request was answered
 */
export async function findReplay(
  services: Services,
  scope: IdempotencyScope,
  fingerprint: Uint8Array,
): Promise<Replay | undefined> {
  const record = await findIdempotencyKey(services.db, scope, services.now());
  if (record === undefined) return undefined;
  if (!Buffer.from(record.fingerprint).equals(fingerprint)) {
    throw new SigillumError(
      'idempotency_key_reused',
      'This idempotency key was used for another document or other options. Use a new key for each request.',
    );
  }
  if (record.state === 'in_flight') throw inFlight();
  if (record.problem !== undefined) throw toError(record.problem);
  return readReplay(services, scope, record);
}

/** The error for a key whose first request still runs. */
export function inFlight(): SigillumError {
  return new SigillumError(
    'idempotency_key_in_flight',
    'The first request with this key still runs. Try again shortly.',
    {
      retryAfterSeconds,
    },
  );
}

async function readReplay(services: Services, scope: IdempotencyScope, record: IdempotencyRecord): Promise<Replay> {
  const seal = await findSeal(services.db, scope, record.sealId);
  if (seal?.incrementSha256 === undefined) {
    throw new SigillumError('blob_missing', 'The seal was made, but what it added to the document is no longer kept.');
  }
  return { seal, kept: await services.blobs.get(seal.incrementSha256) };
}

function toError(problem: NonNullable<IdempotencyRecord['problem']>): SigillumError {
  const code: ErrorCode = isErrorCode(problem.code) ? problem.code : 'internal_error';
  return new SigillumError(code, problem.detail, { fields: problem.fields });
}
