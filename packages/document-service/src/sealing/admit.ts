import type { IncomingMessage } from 'node:http';
import { findSignatureAlgorithm, type SignatureAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { type ApiKey, type Credential, findCredential, findDefaultCredential } from '@sigillum/store';
import type { Services } from '../services.ts';
import { assertMaySeal } from './assert-may-seal.ts';
import { findReplay, type Replay } from './replay.ts';
import { fingerprintRequest, type SealOptions } from './seal-options.ts';
import { spoolDocument, tooLarge } from './spool-document.ts';
import type { SpooledDocument } from './spooled-document.ts';

/** What a caller asks for. The API key is authenticated, the options are valid. */
export type SealRequest = {
  readonly body: IncomingMessage;
  readonly caller: ApiKey;
  readonly requestId: string;
  readonly options: SealOptions;
  readonly idempotencyKey: string | undefined;
};

/** A request that may be sealed now, its document here as a whole. Whoever holds it disposes of the document. */
export type AdmittedSeal = {
  readonly request: SealRequest;
  readonly credential: Credential;
  readonly algorithm: SignatureAlgorithm;
  readonly document: SpooledDocument;
  readonly fingerprint: Uint8Array;
  /** Set when the same request was sealed before: then nothing is sealed again. */
  readonly replay: Replay | undefined;
};

/** The route under which idempotency keys of seals are kept. */
export const sealRoute = 'POST /v1/seals';

/**
 * Step 1: resolves the credential within the caller's organisation and mode, checks that it may seal now, and takes in
 * the document while hashing it with the credential's digest.
 *
 * A repeated request is answered as the first one was, whatever has happened to the credential since; so with an
 * idempotency key the credential's state is asked only after the key.
 */
export async function admitSeal(services: Services, request: SealRequest): Promise<AdmittedSeal> {
  const { options, caller, idempotencyKey } = request;
  if (options.level !== 'b-t') {
    throw new SigillumError('seal_level_unsupported', `The level ${options.level} is not offered yet. Use b-t.`, {
      fields: [{ pointer: '/query/level', detail: 'Must be b-t.' }],
    });
  }
  const credential = await resolveCredential(services, caller, options.credential);
  const algorithm = findSignatureAlgorithm(credential.algorithm);
  if (algorithm === undefined) throw new RangeError(`the credential ${credential.id} has an unknown algorithm`);
  if (idempotencyKey === undefined) assertMaySeal(credential, services, services.now());
  assertAnnouncedSize(request.body, services.limits.document_bytes);

  const document = await spoolDocument(request.body, {
    directory: services.spoolDirectory,
    algorithm: algorithm.digest,
    maxBytes: services.limits.document_bytes,
    inMemoryBytes: services.limits.in_memory_bytes,
    idleMs: services.limits.upload_idle_ms,
  });
  try {
    const named = options.credential === undefined ? undefined : credential.id;
    const fingerprint = fingerprintRequest(document.sha256, options, named);
    const replay =
      idempotencyKey === undefined
        ? undefined
        : await findReplay(services, { ...tenantOf(caller), route: sealRoute, key: idempotencyKey }, fingerprint);
    // Again after an upload that may have taken minutes.
    if (replay === undefined) assertMaySeal(credential, services, services.now());
    return { request, credential, algorithm, document, fingerprint, replay };
  } catch (error) {
    await document.dispose();
    throw error;
  }
}

/** Whose request it is, without the key itself. */
export function tenantOf({ organisationId, mode }: ApiKey): Pick<ApiKey, 'organisationId' | 'mode'> {
  return { organisationId, mode };
}

async function resolveCredential(services: Services, caller: ApiKey, named: string | undefined): Promise<Credential> {
  if (named !== undefined) {
    const found = await findCredential(services.db, caller, named);
    if (found !== undefined) return found;
    throw new SigillumError('credential_not_found', 'There is no credential of this name or id.', {
      fields: [{ pointer: '/query/credential', detail: 'Is not the name or id of a credential.' }],
    });
  }
  const found = await findDefaultCredential(services.db, caller);
  if (found !== undefined) return found;
  throw new SigillumError('credential_required', 'There is no default credential: name one with ?credential=.', {
    fields: [{ pointer: '/query/credential', detail: 'Is needed, because there is no default.' }],
  });
}

/** Refuses before the first byte of the body what its own header says is too large. */
function assertAnnouncedSize(body: IncomingMessage, maxBytes: number): void {
  const announced = body.headers['content-length'];
  if (announced !== undefined && Number(announced) > maxBytes) throw tooLarge(maxBytes);
}
