import { createHash, randomBytes, verify } from 'node:crypto';
import { getDigestOf, getVerifyParameters } from '@sigillum/algorithms';
import type { JsonObject } from '@sigillum/audit';
import { type ErrorCode, SigillumError } from '@sigillum/errors';
import { encodeSignedAttributes, encodeSignedData, encodeTstInfo, type TimeStampRequest } from '@sigillum/pki';
import type { GenTimeClock } from './gen-time-clock.ts';
import type { ListenerName } from './issuing-queue.ts';
import { assertMaySignAt, type TimeStampUnit } from './time-stamp-unit.ts';

/** A request that has been parsed and found acceptable. */
export type AcceptedRequest = {
  readonly request: TimeStampRequest;
  readonly requestId: string;
  readonly listener: ListenerName;
};

export type IssuingPorts = {
  readonly unit: TimeStampUnit;
  /** The one policy served. */
  readonly policy: string;
  readonly accuracyMs: number;
  readonly clock: GenTimeClock;
  /** Signs digests of signed attributes in order; at most 100. Throws when none was signed. */
  sign(
    digests: readonly Uint8Array[],
  ): Promise<readonly ({ readonly signature: Uint8Array } | { readonly code: ErrorCode })[]>;
  /** Resolves when the record is durable. */
  record(event: JsonObject): Promise<unknown>;
};

/** 128 random bits: unique without a counter that a restored backup could set back (EN 319 422 asks for uniqueness). */
const serialLength = 16;

type Draft = {
  readonly accepted: AcceptedRequest;
  readonly serialNumber: Uint8Array;
  readonly content: Uint8Array;
  readonly signedAttributes: Uint8Array;
  readonly digest: Uint8Array;
};

/**
 * Makes the tokens of one batch: one genTime, one signing call; each signature is verified with the TSU's own certificate
 * and each token recorded durably before it is handed out. In the batch's order; a failure of one is an Error in its
 * place, a failure of all is thrown.
 */
export async function issueTimeStamps(
  batch: readonly AcceptedRequest[],
  ports: IssuingPorts,
): Promise<readonly (Uint8Array | Error)[]> {
  const genTime = await ports.clock.take();
  assertMaySignAt(ports.unit, genTime);
  const drafts = batch.map((accepted) => draft(accepted, genTime, ports));
  const results = await ports.sign(drafts.map(({ digest }) => digest));
  return Promise.all(
    drafts.map(async (item, index) => {
      const result = results[index];
      if (!result || !('signature' in result)) return unsigned(result?.code);
      if (!isOurs(item, result.signature, ports.unit)) return unsigned('signer_signature_wrong');
      const token = assemble(item, result.signature, ports.unit);
      try {
        await ports.record(describe(item, genTime, token, ports));
        return token;
      } catch (cause) {
        return new SigillumError('service_unavailable', 'The time-stamp could not be recorded, so it is not given.', {
          cause,
          retryAfterSeconds: 5,
        });
      }
    }),
  );
}

function draft(accepted: AcceptedRequest, genTime: Date, { unit, policy, accuracyMs }: IssuingPorts): Draft {
  const { request } = accepted;
  const serialNumber = randomBytes(serialLength);
  const content = encodeTstInfo({
    policy,
    imprintDer: request.imprintDer,
    serialNumber,
    genTime,
    accuracyMs,
    nonce: request.nonce,
  });
  const algorithm = getDigestOf(unit.algorithm).name;
  const signedAttributes = encodeSignedAttributes({
    contentType: 'tstInfo',
    messageDigest: createHash(algorithm).update(content).digest(),
    certificate: unit.certificate.der,
  });
  const digest = createHash(algorithm).update(signedAttributes).digest();
  return { accepted, serialNumber, content, signedAttributes, digest };
}

function isOurs(
  { signedAttributes }: Draft,
  signature: Uint8Array,
  { algorithm, certificate }: TimeStampUnit,
): boolean {
  const { digest, key } = getVerifyParameters(algorithm, certificate.publicKey);
  return verify(digest, signedAttributes, key, signature);
}

function assemble(
  { accepted, content, signedAttributes }: Draft,
  signature: Uint8Array,
  unit: TimeStampUnit,
): Uint8Array {
  return encodeSignedData({
    contentType: 'tstInfo',
    content,
    algorithm: unit.algorithm,
    signedAttributes,
    signature,
    signerCertificate: unit.certificate.der,
    // RFC 3161 §2.4.1: certificates are there when certReq says so, and must not be there when it doesn't.
    certificates: accepted.request.certReq ? [unit.certificate.der, ...unit.chain] : [],
  });
}

/** The audit line of one token (EN 319 421 §7.12). It names no address: who asked is the listener and our request id. */
function describe(
  { accepted, serialNumber }: Draft,
  genTime: Date,
  token: Uint8Array,
  { policy, unit }: IssuingPorts,
): JsonObject {
  const { imprint } = accepted.request;
  return {
    type: 'tsa.time_stamped',
    serial: Buffer.from(serialNumber).toString('hex'),
    gen_time: genTime.toISOString(),
    imprint: { algorithm: imprint.algorithm, digest: Buffer.from(imprint.digest).toString('hex') },
    policy,
    requester: accepted.listener,
    request_id: accepted.requestId,
    tsu: unit.certificate.serialNumber,
    token_sha256: createHash('sha256').update(token).digest('hex'),
  };
}

function unsigned(code: ErrorCode | undefined): SigillumError {
  return new SigillumError('service_unavailable', 'The time-stamp could not be signed. Try again.', {
    cause: new SigillumError(code ?? 'signer_answer_invalid', 'The signer did not sign this digest.'),
    retryAfterSeconds: 5,
  });
}
