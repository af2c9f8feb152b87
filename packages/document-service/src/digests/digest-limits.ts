import { SigillumError } from '@sigillum/errors';
import { estimateContentsSize, estimateTokenRoom, maxTimeDifferenceMs, unknownTokenSize } from '@sigillum/pades';
import type { Credential } from '@sigillum/store';
import type { Services } from '../services.ts';
import { toSigningCredential } from '../sealing/to-signing-credential.ts';

/** Bytes of CMS for which a caller leaves room: what the service itself would. */
export function findContentsSize(services: Services, credential: Credential): number {
  const { timeStamps, knownCertificates } = services;
  const lastTokenSize = timeStamps.lastTokenSize ?? unknownTokenSize;
  return estimateContentsSize(toSigningCredential(services, credential), lastTokenSize, knownCertificates);
}

/** Bytes of a document time-stamp for which a caller leaves room. */
export function findTokenRoom({ timeStamps }: Services, lastTokenSize?: number): number {
  return estimateTokenRoom(lastTokenSize ?? timeStamps.lastTokenSize ?? unknownTokenSize);
}

/** From when to when `/M` may lie at this moment: near the clock, in whole seconds, and in the certificate's validity. */
export function findSigningTimeWindow(
  { knownCertificates }: Services,
  credential: Credential,
  now: Date,
): { readonly notBefore: Date; readonly notAfter: Date } {
  const { notBefore, notAfter } = knownCertificates.parse(credential.certificate);
  const earliest = Math.ceil((now.getTime() - maxTimeDifferenceMs) / 1000) * 1000;
  const latest = Math.floor((now.getTime() + maxTimeDifferenceMs) / 1000) * 1000;
  return {
    notBefore: new Date(Math.max(earliest, notBefore.getTime())),
    notAfter: new Date(Math.min(latest, notAfter.getTime())),
  };
}

/** Refuses a room that is smaller than what is known to be needed. Throws `seal_contents_too_small`. */
export function assertRoom(given: number, needed: number, detail: string): void {
  if (given < needed) throw tooSmall(given, needed, detail);
}

/** The error for a room that is too small. */
export function tooSmall(given: number, needed: number | undefined, advice: string): SigillumError {
  const what = needed === undefined ? 'more are needed' : `${needed} are needed`;
  return new SigillumError('seal_contents_too_small', `There is room for ${given} bytes, but ${what}. ${advice}`, {
    fields: [
      {
        pointer: '/body/contents_size',
        detail: needed === undefined ? 'Is too small.' : `Must be at least ${needed}.`,
      },
    ],
  });
}
