import { randomBytes } from 'node:crypto';
import { codeRegistry, SigillumError } from '@sigillum/errors';
import { type PreparedSignature, type SealedDocument, sealDocument, type SigningCredential } from '@sigillum/pades';
import type { Services } from '../services.ts';
import type { AdmittedSeal } from './admit.ts';
import type { PendingSeal } from './record-intent.ts';
import type { SealStep } from './seal-steps.ts';
import { signAttributes } from './sign.ts';

/** A seal that exists, but that nobody has heard of yet. */
export type MadeSeal = { readonly sealed: SealedDocument; readonly prepared: PreparedSignature };

/**
 * Steps 3 to 6: prepare, sign, time-stamp, assemble. The order and the checks between them are `@sigillum/pades`'s; this
 * is where its ports meet the signer, the time-stamp authorities, the clock and the step gate.
 */
export async function makeSeal(
  services: Services,
  admitted: AdmittedSeal,
  seal: PendingSeal,
  signal: AbortSignal,
): Promise<MadeSeal> {
  const { credential, algorithm, document, request } = admitted;
  const deadline = performance.now() + services.limits.seal_ms;
  const clock = new StepClock(services, seal.publicId);
  let prepared: PreparedSignature | undefined;
  const signing: SigningCredential = {
    certificate: credential.certificate,
    chain: credential.chain.filter((der) => !isSelfIssued(services, der)),
    algorithm: algorithm.name,
  };
  await clock.enter('prepare');
  try {
    const sealed = await sealDocument({
      input: { source: document.source, prefixHash: document.digestState },
      credential: signing,
      options: toPadesOptions(admitted, services.now()),
      lastTokenSize: services.timeStamps.lastTokenSize,
      known: services.knownCertificates,
      ports: {
        sign: (toSign) => signAttributes(services, admitted, seal, toSign, deadline - performance.now()),
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
        timeStamped: () => clock.enter('assemble'),
      },
      signal,
    });
    if (prepared === undefined) throw new RangeError('a document was sealed without being prepared');
    return { sealed, prepared };
  } catch (error) {
    throw clock.step === 'prepare' ? error : asOurFault(error);
  } finally {
    clock.leave();
    services.logger.debug('seal made', { request_id: request.requestId, seal: seal.publicId });
  }
}

/** After preparing, nothing that fails is the caller's doing: a 4xx there would be answered again for a day. */
function asOurFault(error: unknown): unknown {
  if (!(error instanceof SigillumError) || codeRegistry[error.code].status >= 500) return error;
  if (error.code === 'request_aborted') return error;
  if (error.code === 'pades_time_outside') {
    return new SigillumError('seal_time_implausible', error.message, { cause: error, retryAfterSeconds: 5 });
  }
  return new SigillumError('internal_error', 'The seal could not be made. Nothing was given out.', { cause: error });
}

/** The root stays out of the CMS: who trusts it has it, who hasn't it gains nothing (RFC 5652 §10.2.3). */
function isSelfIssued({ knownCertificates }: Services, der: Uint8Array): boolean {
  const { subject, issuer } = knownCertificates.parse(der);
  return Buffer.from(subject.der).equals(issuer.der);
}

function toPadesOptions({ request }: AdmittedSeal, signingTime: Date) {
  const { reason, location, contact_info: contactInfo, name } = request.options;
  return {
    signingTime,
    ...(reason === undefined ? {} : { reason }),
    ...(location === undefined ? {} : { location }),
    ...(contactInfo === undefined ? {} : { contactInfo }),
    ...(name === undefined ? {} : { name }),
  };
}

/** Knows in which step a seal is, measures each, and stops at the gate before it. */
class StepClock {
  readonly #services: Services;
  readonly #seal: string;
  step: SealStep | undefined;
  #end: () => void = () => {};

  constructor(services: Services, seal: string) {
    this.#services = services;
    this.#seal = seal;
  }

  async enter(step: SealStep): Promise<void> {
    this.leave();
    await this.#services.stepGate(step, this.#seal);
    this.step = step;
    this.#end = this.#services.metrics.start(step);
  }

  leave(): void {
    this.#end();
    this.#end = () => {};
  }
}
