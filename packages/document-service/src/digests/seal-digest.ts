import type { SignatureAlgorithm } from '@sigillum/algorithms';
import { isSigillumError } from '@sigillum/errors';
import {
  acceptSignature,
  assembleSeal,
  createSignedAttributes,
  getTimeStampImprint,
  listSealChains,
  type RevocationData,
  type SealedDocument,
} from '@sigillum/pades';
import type { Credential } from '@sigillum/store';
import type { Services } from '../services.ts';
import { asOurFault } from '../sealing/as-our-fault.ts';
import { getRevocation } from '../sealing/get-revocation.ts';
import type { PendingSeal } from '../sealing/record-intent.ts';
import { signAttributes } from '../sealing/sign.ts';
import { StepClock } from '../sealing/step-clock.ts';
import { toSigningCredential } from '../sealing/to-signing-credential.ts';
import { tooSmall } from './digest-limits.ts';
import type { DigestRequest } from './digest-request.ts';
import { prepareDetached } from './prepare-detached.ts';

/** A digest that may be sealed now. */
export type AdmittedDigest = {
  readonly requestId: string;
  readonly credential: Credential;
  readonly algorithm: SignatureAlgorithm;
  readonly options: DigestRequest;
};

/** A CMS, and what goes into the DSS. */
export type SealedDigest = { readonly sealed: SealedDocument; readonly data: RevocationData };

const noData: RevocationData = { certificates: [], crls: [], ocsps: [] };

/** audit lines hold that much. */
const maxPurposeDetail = 128;

/**
 * Sign, time-stamp and collect for a digest over a ByteRange. The signed attributes are made here: what the HSM signs is
 * never anything that a caller sent.
 */
export async function sealDigest(
  services: Services,
  { requestId, credential, algorithm, options }: AdmittedDigest,
  seal: PendingSeal,
  signal: AbortSignal,
): Promise<SealedDigest> {
  const deadline = performance.now() + services.limits.seal_ms;
  const clock = new StepClock(services, seal.publicId);
  const { digest, digest_algorithm: digestAlgorithm, contents_size: contentsSize, level } = options;
  try {
    await clock.enter('sign');
    const signing = toSigningCredential(services, credential);
    const prepared = prepareDetached(digest, digestAlgorithm, contentsSize);
    const times = { signingTime: options.signing_time, now: services.now() };
    const toSign = createSignedAttributes(prepared, signing, times, services.knownCertificates);
    const purpose = `digest ${digestAlgorithm} ${Buffer.from(digest).toString('hex')}`;
    const signature = await signAttributes(services, {
      credential,
      algorithm,
      requestId,
      context: { sealId: seal.publicId, content: { purpose_detail: purpose.slice(0, maxPurposeDetail) } },
      digest: toSign.digest,
      remainingMs: deadline - performance.now(),
    });
    const signed = acceptSignature(prepared, toSign, signing, signature);
    signal.throwIfAborted();
    await clock.enter('time-stamp');
    const token = await services.timeStamps.request(getTimeStampImprint(signed), signal);
    const sealed = assembleSeal(signed, token);
    if (level === 'b-t') return { sealed, data: noData };
    await clock.enter('revocation');
    const data = await getRevocation(services, '/body/level').collect(
      listSealChains(signing, token, services.now(), services.freshness),
      signal,
    );
    return { sealed, data };
  } catch (error) {
    // After a fail-over to an authority with larger tokens; the next credential says how large.
    if (isSigillumError(error, 'pades_contents_overflow')) {
      throw tooSmall(contentsSize, undefined, 'Get the credential again and prepare with its contents_size.');
    }
    throw asOurFault(error);
  } finally {
    clock.leave();
  }
}
