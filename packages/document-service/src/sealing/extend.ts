import { randomBytes } from 'node:crypto';
import { extendDocument } from '@sigillum/pades';
import { parseFields } from '../http/parse-fields.ts';
import type { Services } from '../services.ts';
import { tenantOf } from './admit.ts';
import { extensionOptionsSchema } from './extension-options.ts';
import { fingerprintRequest } from './fingerprint.ts';
import { getRevocation } from './get-revocation.ts';
import { receiveDocument } from './receive-document.ts';
import type { PendingSeal } from './record-intent.ts';
import { findReplay } from './replay.ts';
import { resolveRetain } from './resolve-retain.ts';
import { StepClock } from './step-clock.ts';
import type { AdmittedWork, DocumentRequest, MadeWork } from './work.ts';

/** A sealed document that is to be extended. */
export type AdmittedExtension = AdmittedWork & { readonly level: 'b-lt' | 'b-lta' };

/** The route under which idempotency keys of extensions are kept. */
const extensionRoute = 'POST /v1/extensions';

/** The document time-stamp is over SHA-256, whatever the signatures are over. */
const digest = 'sha256';

/** Step 1 of an extension: takes in the document. */
export async function admitExtension(
  services: Services,
  request: DocumentRequest,
  signal: AbortSignal,
): Promise<AdmittedExtension> {
  const body = await request.openBody(signal);
  try {
    const options = parseFields(body.options, extensionOptionsSchema, body.optionsPointer);
    getRevocation(services, `${body.optionsPointer}/level`);
    const retainSeconds = resolveRetain(options.retain, request.answer, services.limits, body.optionsPointer);
    const document = await receiveDocument(services, body, digest, signal);
    try {
      const given = { level: options.level, retain: retainSeconds === 0 ? undefined : retainSeconds };
      const fingerprint = fingerprintRequest(Buffer.from(document.sha256).toString('hex'), given, undefined);
      const { idempotencyKey: key, caller } = request;
      const scope = { ...tenantOf(caller), route: extensionRoute, key: key ?? '' };
      return {
        request,
        kind: 'extension',
        route: extensionRoute,
        level: options.level,
        credential: undefined,
        document,
        retainSeconds,
        fingerprint,
        replay: key === undefined ? undefined : await findReplay(services, scope, fingerprint),
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

/** The extension itself: `extendDocument` of `@sigillum/pades` with our ports. */
export async function makeExtension(
  services: Services,
  { document, level }: AdmittedExtension,
  extension: PendingSeal,
  signal: AbortSignal,
): Promise<MadeWork> {
  const clock = new StepClock(services, extension.publicId);
  await clock.enter('prepare');
  try {
    const {
      increment,
      from,
      leftAlone,
      documentTimeStampToken: token,
    } = await extendDocument({
      input: { source: document.source, prefixHash: document.digestState },
      to: level,
      roots: services.roots,
      judge: (options) => services.judging.judge(document.source, options, signal),
      ports: {
        timeStamps: services.timeStamps,
        revocation: getRevocation(services, '/query/level'),
        now: services.now,
        random: (length) => randomBytes(length),
      },
      lastTokenSize: services.timeStamps.lastTokenSize,
      hooks: {
        collected: () => clock.enter(level === 'b-lta' ? 'document-time-stamp' : 'assemble'),
        documentTimeStamped: () => clock.enter('assemble'),
      },
      signal,
    });
    return {
      increment,
      outcome: {
        fromLevel: from,
        leftAlone: leftAlone.map(({ field, code, reason }) => ({ field_name: field, code, detail: reason })),
        documentTimeStamp: token && { time: token.genTime, serial: token.serialNumber },
      },
    };
  } finally {
    clock.leave();
  }
}
