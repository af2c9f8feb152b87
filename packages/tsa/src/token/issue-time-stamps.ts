import { hash, randomBytes } from 'node:crypto';
import type { JsonObject } from '@sigillum/audit';
import { type ErrorCode, SigillumError } from '@sigillum/errors';
import type { TimeStampRequest } from '@sigillum/pki';
import type { GenTime, GenTimeClock } from '../clock/gen-time-clock.ts';
import type { TimeStampUnit } from '../unit/time-stamp-unit.ts';
import type { FinishBatch, ListenerName } from './issuing-queue.ts';
import type { TokenDraft, TokenWriter, WrittenToken } from './token-writer.ts';

/** A request that has been parsed and found acceptable. */
export type AcceptedRequest = {
  readonly request: TimeStampRequest;
  readonly requestId: string;
  readonly listener: ListenerName;
  /** The client of the public listener, when it asks for one. */
  readonly client?: string | undefined;
};

export type IssuingPorts = {
  /** The writer of the unit that signs at that time. Throws a refusal when there is none. */
  selectWriter(time: Date): TokenWriter;
  readonly clock: Pick<GenTimeClock, 'take'>;
  /** Signs digests of signed attributes in order; at most 100. Throws when none was signed. */
  sign(
    unit: TimeStampUnit,
    digests: readonly Uint8Array[],
  ): Promise<readonly ({ readonly signature: Uint8Array } | { readonly code: ErrorCode })[]>;
  /** Resolves when the records, at least one, are durable, in their order. */
  record(events: readonly JsonObject[]): Promise<unknown>;
};

/** 128 random bits: unique without a counter that a restored backup or a second replica could repeat (EN 319 422). */
const serialLength = 16;

type Draft = TokenDraft & { readonly serialNumber: Uint8Array };

/**
 * Makes the tokens of one batch: one genTime, one unit, one signing call; each signature is verified with the TSU's own
 * certificate and each token recorded durably, in the order of genTimes, before it is handed out. What it gives answers
 * TimeStampResps in the batch's order; a failure of one is an Error in its place, a failure of all is thrown.
 */
export async function beginTimeStamps(
  batch: readonly AcceptedRequest[],
  ports: IssuingPorts,
): Promise<FinishBatch<Uint8Array>> {
  const genTime = await ports.clock.take();
  const writer = ports.selectWriter(genTime.time);
  const timeDer = writer.encodeTime(genTime);
  const random = randomBytes(serialLength * batch.length);
  const drafts = batch.map(({ request }, index): Draft => {
    const serialNumber = random.subarray(index * serialLength, (index + 1) * serialLength);
    return { serialNumber, ...writer.draft(request, timeDer, serialNumber) };
  });
  const signing = ports.sign(
    writer.unit,
    drafts.map(({ digest }) => digest),
  );
  // Its failure is met by finish, which comes later.
  signing.catch(() => undefined);
  return async (turn) => {
    const results = await signing;
    const written = batch.map((accepted, index) => write(accepted, drafts[index], results[index], writer));
    await turn.come;
    const answers = written.map((one) => (Error.isError(one) ? one : one.response));
    const events = written.flatMap((one, index) => {
      const [accepted, draft] = [batch[index], drafts[index]];
      if (Error.isError(one) || !accepted || !draft) return [];
      return [describe(accepted, draft.serialNumber, one.token, genTime, writer)];
    });
    // Begun before the next batch may: the log keeps the order of appends.
    const recording = events.length === 0 ? undefined : ports.record(events);
    turn.pass();
    try {
      await recording;
      return answers;
    } catch (cause) {
      const unrecorded = new SigillumError(
        'service_unavailable',
        'The time-stamp could not be recorded, so it is not given.',
        { cause, retryAfterSeconds: 5 },
      );
      return answers.map((answer) => (Error.isError(answer) ? answer : unrecorded));
    }
  };
}

function write(
  { request }: AcceptedRequest,
  draft: Draft | undefined,
  result: Awaited<ReturnType<IssuingPorts['sign']>>[number] | undefined,
  writer: TokenWriter,
): WrittenToken | Error {
  if (!draft || !result) return unsigned(undefined);
  if (!('signature' in result)) return unsigned(result.code);
  if (!writer.isOurs(draft, result.signature)) return unsigned('signer_signature_wrong');
  return writer.write(draft, result.signature, request.certReq);
}

/** The audit line of one token (EN 319 421 §7.12). It names no address: who asked is listener, client and our request id. */
function describe(
  { request, listener, requestId, client }: AcceptedRequest,
  serialNumber: Uint8Array,
  token: Uint8Array,
  { time, boundMs, accuracyMs }: GenTime,
  { policy, unit }: TokenWriter,
): JsonObject {
  return {
    type: 'tsa.time_stamped',
    serial: toHex(serialNumber),
    gen_time: time.toISOString(),
    accuracy_ms: accuracyMs,
    ...(boundMs === undefined ? {} : { clock_bound_us: Math.ceil(boundMs * 1000) }),
    imprint: { algorithm: request.imprint.algorithm, digest: toHex(request.imprint.digest) },
    policy,
    requester: listener,
    ...(client === undefined ? {} : { client }),
    request_id: requestId,
    tsu: unit.certificate.serialNumber,
    token_sha256: hash('sha256', token, 'hex'),
  };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function unsigned(code: ErrorCode | undefined): SigillumError {
  return new SigillumError('service_unavailable', 'The time-stamp could not be signed. Try again.', {
    cause: new SigillumError(code ?? 'signer_answer_invalid', 'The signer did not sign this digest.'),
    retryAfterSeconds: 5,
  });
}
