import type { IncomingMessage, ServerResponse } from 'node:http';
import { SigillumError } from '@sigillum/errors';
import { type ApiKey, createUuid } from '@sigillum/store';
import { parseFields } from '../http/parse-fields.ts';
import { readDigestBody } from './read-digest-body.ts';
import { resolveCredential, tenantOf } from '../sealing/admit.ts';
import { assertMaySeal } from '../sealing/assert-may-seal.ts';
import { completePending } from '../sealing/complete-pending.ts';
import { getRevocation } from '../sealing/get-revocation.ts';
import { fingerprintRequest } from '../sealing/fingerprint.ts';
import { type PendingSeal, recordIntent } from '../sealing/record-intent.ts';
import { type RecordedWork, recordOutcome } from '../sealing/record-outcome.ts';
import { findReplay } from '../sealing/replay.ts';
import type { Services } from '../services.ts';
import { type DigestAnswer, type KeptDigest, keptDigestSchema } from './digest-answer.ts';
import { assertRoom, findContentsSize, findSigningTimeWindow, findTokenRoom } from './digest-limits.ts';
import { type DigestRequest, digestRequestSchema } from './digest-request.ts';
import { type AdmittedDigest, type SealedDigest, sealDigest } from './seal-digest.ts';

/** A call that brings a digest. The API key is authenticated. */
export type DigestCall = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: ApiKey;
  readonly requestId: string;
  readonly idempotencyKey: string | undefined;
  onSeal(seal: { readonly publicId: string; readonly replayed: boolean }): void;
};

/** What is answered. */
export type AnsweredDigest = { readonly answer: DigestAnswer; readonly replayed: boolean };

const route = 'POST /v1/seals/digest';

/**
 * One sealed digest, end to end: admit, intent, sign, time-stamp, revocation, outcome; then the answer. The journal says
 * that the content was not seen.
 */
export async function runDigest(services: Services, call: DigestCall): Promise<AnsweredDigest> {
  const { caller, idempotencyKey, requestId } = call;
  const body = await readDigestBody(services, call);
  const options = parseFields(body, digestRequestSchema, '/body');
  const leave = services.places.take(caller.id);
  const id = createUuid(services.now().getTime());
  try {
    const { credential, algorithm } = await resolveCredential(services, caller, options.credential, '/body/credential');
    const fingerprint = fingerprintRequest(
      `digest ${Buffer.from(options.digest).toString('hex')}`,
      toFingerprinted(options),
      options.credential === undefined ? undefined : credential.id,
    );
    const scope = { ...tenantOf(caller), route, key: idempotencyKey ?? '' };
    const earlier = idempotencyKey === undefined ? undefined : await findReplay(services, scope, fingerprint);
    if (earlier !== undefined) return replayed(call, earlier.kept);
    const admitted: AdmittedDigest = { requestId, credential, algorithm, options };
    assertMaySeal(credential, services, services.now());
    assertMaySealDigest(services, admitted);

    services.atWork.add(id);
    const { digest, digest_algorithm: digestAlgorithm } = options;
    const seal = await recordIntent(
      services,
      {
        ...tenantOf(caller),
        id,
        kind: 'digest',
        credentialId: credential.id,
        level: options.level,
        requestId,
        content: { digest, digestAlgorithm },
      },
      { route, key: idempotencyKey, fingerprint },
    );
    if ('kept' in seal) return replayed(call, seal.kept);
    call.onSeal({ publicId: seal.publicId, replayed: false });
    return { answer: await complete(services, call, admitted, seal), replayed: false };
  } finally {
    services.atWork.delete(id);
    leave();
  }
}

/** Everything that can be refused before anything is signed. */
function assertMaySealDigest(services: Services, { credential, algorithm, options }: AdmittedDigest): void {
  if (options.level !== 'b-t') getRevocation(services, '/body/level');
  if (options.digest_algorithm !== algorithm.digest) {
    throw new SigillumError('request_invalid', `The credential ${credential.name} seals ${algorithm.digest} only.`, {
      fields: [{ pointer: '/body/digest_algorithm', detail: `Must be ${algorithm.digest}.` }],
    });
  }
  const { notBefore, notAfter } = findSigningTimeWindow(services, credential, services.now());
  if (options.signing_time < notBefore || options.signing_time > notAfter) {
    const detail = `Must lie between ${notBefore.toISOString()} and ${notAfter.toISOString()}.`;
    throw new SigillumError('seal_signing_time_outside', 'The signing time is not near enough to the present.', {
      fields: [{ pointer: '/body/signing_time', detail }],
    });
  }
  const advice = 'Get the credential again and prepare with its contents_size.';
  assertRoom(options.contents_size, findContentsSize(services, credential), advice);
}

async function complete(
  services: Services,
  { response, caller, requestId }: DigestCall,
  admitted: AdmittedDigest,
  seal: PendingSeal,
): Promise<DigestAnswer> {
  const { credential, options } = admitted;
  const recorded: RecordedWork = {
    kind: 'digest',
    level: options.level,
    credential,
    requestId,
    apiKeyId: caller.id,
    document: undefined,
    digest: { algorithm: options.digest_algorithm, value: options.digest },
  };
  return completePending(services, recorded, seal, response, async (signal) => {
    const made = await sealDigest(services, admitted, seal, signal);
    await services.stepGate('outcome', seal.publicId);
    const { sealed } = made;
    const kept: KeptDigest = {
      answer: toAnswer(services, seal, options, made),
      time_stamp_certificate: toBase64(sealed.timeStampToken.signerCertificate),
    };
    const outcome = {
      signingTime: sealed.signingTime,
      genTime: sealed.genTime,
      timeStampSerial: sealed.timeStampToken.serialNumber,
    };
    await services.metrics.measure('outcome', () =>
      recordOutcome(services, recorded, seal, outcome, Buffer.from(JSON.stringify(kept))),
    );
    return kept.answer;
  });
}

function toAnswer(
  services: Services,
  { publicId }: PendingSeal,
  { level, digest_algorithm }: DigestRequest,
  { sealed, data }: SealedDigest,
): DigestAnswer {
  const self = `/v1/seals/${publicId}`;
  const { timeStampToken: token } = sealed;
  return {
    id: publicId,
    level,
    signing_time: sealed.signingTime.toISOString(),
    time_stamp: { time: sealed.genTime.toISOString(), serial: token.serialNumber },
    cms: toBase64(sealed.cms),
    certificates: data.certificates.map(toBase64),
    crls: data.crls.map(toBase64),
    ocsps: data.ocsps.map(toBase64),
    document_time_stamp:
      level === 'b-lta' ? { digest_algorithm, contents_size: findTokenRoom(services, token.der.length) } : null,
    links: { self, document_time_stamp: level === 'b-lta' ? `${self}/document-time-stamp` : null },
  };
}

function replayed(call: DigestCall, kept: Uint8Array): AnsweredDigest {
  const { answer } = parseKept(kept);
  call.onSeal({ publicId: answer.id, replayed: true });
  return { answer, replayed: true };
}

/** Reads what {@link runDigest} kept. */
export function parseKept(kept: Uint8Array): KeptDigest {
  return keptDigestSchema.parse(JSON.parse(Buffer.from(kept).toString('utf8')));
}

/** Base64 of bytes. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** The options as canonical JSON takes them. */
function toFingerprinted({ digest: _digest, signing_time, ...others }: DigestRequest): Record<string, unknown> {
  return { ...others, signing_time: signing_time.toISOString() };
}
