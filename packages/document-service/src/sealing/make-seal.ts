import { randomBytes } from 'node:crypto';
import { type AppearanceContext, createAppearance } from '@sigillum/appearances';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import {
  type PreparedSignature,
  type SealAppearance,
  sealDocument,
  type SealOptions as PadesOptions,
} from '@sigillum/pades';
import type { Services } from '../services.ts';
import type { AdmittedSeal } from './admit.ts';
import { pointInto } from './appearance-options.ts';
import { asOurFault } from './as-our-fault.ts';
import type { PendingSeal } from './record-intent.ts';
import { signAttributes } from './sign.ts';
import { StepClock } from './step-clock.ts';
import { toSigningCredential } from './to-signing-credential.ts';
import type { MadeWork } from './work.ts';

/**
 * Steps 3 to 6: prepare, sign, time-stamp, what the level asks for, assemble. The order and the checks between them are
 * `@sigillum/pades`'s; this is where its ports meet the signer, the time-stamp authorities, the sources of revocation data,
 * the clock and the step gate.
 */
export async function makeSeal(
  services: Services,
  admitted: AdmittedSeal,
  seal: PendingSeal,
  signal: AbortSignal,
): Promise<MadeWork> {
  const { credential, algorithm, document, request, level } = admitted;
  const deadline = performance.now() + services.limits.seal_ms;
  const clock = new StepClock(services, seal.publicId);
  const context = {
    sealId: seal.publicId,
    content: { document_sha256: Buffer.from(document.sha256).toString('hex') },
  };
  let prepared: PreparedSignature | undefined;
  await clock.enter('prepare');
  try {
    const options = await toPadesOptions(services, admitted, seal, services.now());
    const sealed = await sealDocument({
      input: { source: document.source, prefixHash: document.digestState },
      credential: toSigningCredential(services, credential),
      options,
      level,
      revocation: services.revocation,
      freshness: services.freshness,
      lastTokenSize: services.timeStamps.lastTokenSize,
      known: services.knownCertificates,
      ports: {
        sign: (toSign) =>
          signAttributes(services, {
            credential,
            algorithm,
            requestId: request.requestId,
            context,
            digest: toSign.digest,
            remainingMs: deadline - performance.now(),
          }),
        timeStamps: services.timeStamps,
        now: services.now,
        random: (length) => randomBytes(length),
      },
      hooks: {
        prepared: async (value) => {
          prepared = value;
          await clock.enter('sign');
        },
        signed: () => clock.enter('time-stamp'),
        timeStamped: () => clock.enter(level === 'b-t' ? 'assemble' : 'revocation'),
        collected: () => clock.enter(level === 'b-lta' ? 'document-time-stamp' : 'assemble'),
        documentTimeStamped: () => clock.enter('assemble'),
      },
      signal,
    });
    if (prepared === undefined) throw new RangeError('a document was sealed without being prepared');
    const { documentTimeStampToken: token } = sealed;
    return {
      increment: sealed.increment,
      outcome: {
        signingTime: sealed.signingTime,
        genTime: sealed.genTime,
        timeStampSerial: sealed.timeStampToken.serialNumber,
        documentTimeStamp: token && { time: token.genTime, serial: token.serialNumber },
        fieldName: sealed.fieldName,
        earlierSignatures: prepared.earlierSignatures.map(({ fieldName, state }) => ({
          field_name: fieldName ?? null,
          state,
        })),
      },
    };
  } catch (error) {
    throw clock.step === 'prepare' ? pointToOptions(error, admitted.optionsPointer) : asOurFault(error);
  } finally {
    clock.leave();
    services.logger.debug('seal made', { request_id: request.requestId, seal: seal.publicId });
  }
}

/** Options where problems of preparing point. */
const optionPointers: ReadonlySet<string> = new Set(
  ['appearance', 'certify', 'contact_info', 'field', 'location', 'name', 'reason'].map((option) => `/${option}`),
);

function pointToOptions(error: unknown, optionsPointer: string): unknown {
  if (!isSigillumError(error) || !error.fields.some(({ pointer }) => optionPointers.has(pointer))) return error;
  return new SigillumError(error.code, error.message, {
    cause: error.cause,
    fields: error.fields.map((field) =>
      optionPointers.has(field.pointer) ? { ...field, pointer: optionsPointer + field.pointer } : field,
    ),
  });
}

async function toPadesOptions(
  services: Services,
  admitted: AdmittedSeal,
  seal: PendingSeal,
  signingTime: Date,
): Promise<PadesOptions> {
  const { reason, location, contact_info: contactInfo, name, field: fieldName, certify } = admitted.options;
  const appearance = await makeAppearance(services, admitted, seal, signingTime);
  return {
    signingTime,
    ...(reason === undefined ? {} : { reason }),
    ...(location === undefined ? {} : { location }),
    ...(contactInfo === undefined ? {} : { contactInfo }),
    ...(name === undefined ? {} : { name }),
    ...(fieldName === undefined ? {} : { fieldName }),
    ...(certify === undefined ? {} : { certify }),
    ...(appearance === undefined ? {} : { appearance }),
  };
}

/** A visible seal says what the signature dictionary says, and by default the name in the certificate. */
async function makeAppearance(
  { fonts, knownCertificates }: Services,
  { appearance, options, credential, document, optionsPointer }: AdmittedSeal,
  { publicId }: PendingSeal,
  now: Date,
): Promise<SealAppearance | undefined> {
  if (appearance === undefined) return undefined;
  const { attributes, text } = knownCertificates.parse(credential.certificate).subject;
  const context: AppearanceContext = {
    now,
    signer: options.name ?? attributes.find(({ type }) => type === 'common_name')?.value ?? text,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
    ...(options.location === undefined ? {} : { location: options.location }),
    ...(options.contact_info === undefined ? {} : { contact: options.contact_info }),
    fields: { id: publicId },
  };
  const pointer = `${optionsPointer}/appearance`;
  const pointIn = (error: unknown): unknown =>
    isSigillumError(error) && error.fields.length > 0 ? pointInto(error, pointer) : error;
  const draw = await createAppearance(document.source, appearance, context, fonts).catch((error: unknown) => {
    throw pointIn(error);
  });
  return (...place) => {
    try {
      return draw(...place);
    } catch (error) {
      throw pointIn(error);
    }
  };
}
