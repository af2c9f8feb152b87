import { findSignatureAlgorithm, type SignatureAlgorithm } from '@sigillum/algorithms';
import type { AppearanceRequest } from '@sigillum/appearances';
import { SigillumError } from '@sigillum/errors';
import { type ApiKey, type Credential, findCredential, findDefaultCredential } from '@sigillum/store';
import { parseFields } from '../http/parse-fields.ts';
import type { Services } from '../services.ts';
import { normaliseAppearance, readAppearance } from './appearance-options.ts';
import { assertMaySeal } from './assert-may-seal.ts';
import { getRevocation } from './get-revocation.ts';
import { fingerprintRequest } from './fingerprint.ts';
import { receiveDocument } from './receive-document.ts';
import { findReplay } from './replay.ts';
import { resolveRetain } from './resolve-retain.ts';
import { type SealOptions, sealOptionsSchema } from './seal-options.ts';
import type { AdmittedWork, DocumentRequest } from './work.ts';

/** A document that may be sealed now with this credential. */
export type AdmittedSeal = AdmittedWork & {
  readonly options: SealOptions;
  readonly appearance: AppearanceRequest | undefined;
  /** Where the options stood, for problems that are found later. */
  readonly optionsPointer: string;
  readonly credential: Credential;
  readonly algorithm: SignatureAlgorithm;
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
export async function admitSeal(
  services: Services,
  request: DocumentRequest,
  signal: AbortSignal,
): Promise<AdmittedSeal> {
  const { caller, idempotencyKey } = request;
  const body = await request.openBody(signal);
  try {
    const options = parseFields(body.options, sealOptionsSchema, body.optionsPointer);
    const appearance = readAppearance(options.appearance, `${body.optionsPointer}/appearance`);
    if (options.level !== 'b-t') getRevocation(services, `${body.optionsPointer}/level`);
    const retainSeconds = resolveRetain(options.retain, request.answer, services.limits, body.optionsPointer);
    const { credential, algorithm } = await resolveCredential(
      services,
      caller,
      options.credential,
      `${body.optionsPointer}/credential`,
    );
    if (idempotencyKey === undefined) assertMaySeal(credential, services, services.now());
    const document = await receiveDocument(services, body, algorithm.digest, signal);
    try {
      const fingerprint = fingerprintRequest(
        Buffer.from(document.sha256).toString('hex'),
        {
          ...options,
          appearance: normaliseAppearance(appearance),
          retain: retainSeconds === 0 ? undefined : retainSeconds,
        },
        options.credential === undefined ? undefined : credential.id,
      );
      const scope = { ...tenantOf(caller), route: sealRoute, key: idempotencyKey ?? '' };
      const replay = idempotencyKey === undefined ? undefined : await findReplay(services, scope, fingerprint);
      // Again after an upload that may have taken minutes.
      if (replay === undefined) assertMaySeal(credential, services, services.now());
      return {
        request,
        kind: 'seal',
        route: sealRoute,
        level: options.level,
        options,
        appearance,
        optionsPointer: body.optionsPointer,
        credential,
        algorithm,
        document,
        retainSeconds,
        fingerprint,
        replay,
      };
    } catch (error) {
      await document.dispose();
      throw error;
    }
  } catch (error) {
    body.abandon();
    throw error;
  }
}

/** Whose request it is, without the key itself. */
export function tenantOf({ organisationId, mode }: ApiKey): Pick<ApiKey, 'organisationId' | 'mode'> {
  return { organisationId, mode };
}

/**
 * The credential that a call names, or the default one, with its algorithm.
 * @param pointer where the name stands, for the problem
 */
export async function resolveCredential(
  services: Services,
  caller: ApiKey,
  named: string | undefined,
  pointer: string,
): Promise<{ readonly credential: Credential; readonly algorithm: SignatureAlgorithm }> {
  const credential =
    named === undefined
      ? await findDefaultCredential(services.db, caller)
      : await findCredential(services.db, caller, named);
  if (credential === undefined) throw named === undefined ? noDefault(pointer) : notFound(pointer);
  const algorithm = findSignatureAlgorithm(credential.algorithm);
  if (algorithm === undefined) throw new RangeError(`the credential ${credential.id} has an unknown algorithm`);
  return { credential, algorithm };
}

function notFound(pointer: string): SigillumError {
  return new SigillumError('credential_not_found', 'There is no credential of this name or id.', {
    fields: [{ pointer, detail: 'Is not the name or id of a credential.' }],
  });
}

function noDefault(pointer: string): SigillumError {
  return new SigillumError('credential_required', 'There is no default credential: name one with credential.', {
    fields: [{ pointer, detail: 'Is needed, because there is no default.' }],
  });
}
