import { randomBytes } from 'node:crypto';
import { type PreparedSignature, type SealOptions as PadesOptions, sealDocument } from '@sigillum/pades';
import type { Services } from '../services.ts';
import type { AdmittedSeal } from './admit.ts';
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
    const options = await toPadesOptions(admitted, services.now());
    const sealed = await sealDocument({
      input: { source: document.source, prefixHash: document.digestState },
      credential: toSigningCredential(services, credential),
      options,
      level,
      revocation: services.revocation,
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
    throw clock.step === 'prepare' ? error : asOurFault(error);
  } finally {
    clock.leave();
    services.logger.debug('seal made', { request_id: request.requestId, seal: seal.publicId });
  }
}

async function toPadesOptions({ options }: AdmittedSeal, signingTime: Date): Promise<PadesOptions> {
  const { reason, location, contact_info: contactInfo, name, field: fieldName, certify } = options;
  return {
    signingTime,
    ...(reason === undefined ? {} : { reason }),
    ...(location === undefined ? {} : { location }),
    ...(contactInfo === undefined ? {} : { contactInfo }),
    ...(name === undefined ? {} : { name }),
    ...(fieldName === undefined ? {} : { fieldName }),
    ...(certify === undefined ? {} : { certify }),
  };
}
