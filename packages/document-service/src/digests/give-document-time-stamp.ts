import { SigillumError } from '@sigillum/errors';
import { listTokenCertificates, type RevocationData } from '@sigillum/pades';
import { type TimeStampToken, verifyTimeStampToken } from '@sigillum/pki';
import {
  appendEvent,
  encodeId,
  giveDocumentTimeStamp as keepDocumentTimeStamp,
  type IdempotencyScope,
  inTransaction,
  type Seal,
  settleIdempotencyKey,
  takeIdempotencyKey,
} from '@sigillum/store';
import { parseFields } from '../http/parse-fields.ts';
import { readDigestBody } from './read-digest-body.ts';
import { getWork } from '../routes/find-work.ts';
import { tenantOf } from '../sealing/admit.ts';
import { asOurFault } from '../sealing/as-our-fault.ts';
import { getRevocation } from '../sealing/get-revocation.ts';
import { fingerprintRequest } from '../sealing/fingerprint.ts';
import { watchInterruption } from '../sealing/interruption.ts';
import { findReplay } from '../sealing/replay.ts';
import type { Services } from '../services.ts';
import type { TimeStampAnswer } from './digest-answer.ts';
import { assertRoom, findTokenRoom, tooSmall } from './digest-limits.ts';
import { type TimeStampRequest, timeStampRequestSchema } from './digest-request.ts';
import { type DigestCall, parseKept, toBase64 } from './run-digest.ts';

/** What is answered. */
export type AnsweredTimeStamp = { readonly answer: TimeStampAnswer; readonly replayed: boolean };

const route = 'POST /v1/seals/{id}/document-time-stamp';

const advice = 'Prepare with the contents_size of the answer to the digest.';

/**
 * The document time-stamp of a sealed digest: one per seal. The same digest again gets the same token; a file that lost the
 * first one is sealed anew.
 */
export async function giveDocumentTimeStamp(
  services: Services,
  call: DigestCall,
  sealId: string,
): Promise<AnsweredTimeStamp> {
  const { caller, idempotencyKey: key } = call;
  const tenant = tenantOf(caller);
  const body = await readDigestBody(services, call);
  const options = parseFields(body, timeStampRequestSchema, '/body');
  const seal = await getWork(services, tenant, 'seal', sealId);
  call.onSeal({ publicId: sealId, replayed: false });
  const { digest, ...others } = options;
  const fingerprint = fingerprintRequest(`${sealId} ${Buffer.from(digest).toString('hex')}`, others, undefined);
  const leave = services.places.take(caller.id);
  try {
    if (key === undefined) return await giveOnce(services, call, seal, options);
    const scope = { ...tenant, route, key };
    const known = await findReplay(services, scope, fingerprint);
    const given = await giveOnce(services, call, seal, options);
    if (known === undefined) await noteKey(services, scope, fingerprint, seal.id);
    return given;
  } finally {
    leave();
  }
}

/**
 * Writes what the key was used for. The token itself stands in the seal's row, given once whatever the key is: nothing is
 * held in flight meanwhile, which a crash would leave taken for a day.
 */
async function noteKey(
  services: Services,
  scope: IdempotencyScope,
  fingerprint: Uint8Array,
  sealId: string,
): Promise<void> {
  await inTransaction(services.db, async (db) => {
    const isTaken = await takeIdempotencyKey(db, scope, { fingerprint, sealId, now: services.now() });
    if (isTaken) await settleIdempotencyKey(db, { ...scope, id: sealId });
  });
}

async function giveOnce(
  services: Services,
  call: DigestCall,
  seal: Seal,
  options: TimeStampRequest,
): Promise<AnsweredTimeStamp> {
  const given = findGiven(seal, options);
  if (given !== undefined) return { answer: await answerAgain(services, seal, options, given), replayed: true };
  const { incrementSha256 } = seal;
  if (!isDue(seal) || incrementSha256 === undefined) {
    throw new SigillumError(
      'seal_time_stamp_not_due',
      'A document time-stamp is given within 24 hours to the seal of a digest at level b-lta, and to no other.',
    );
  }
  const { answer, time_stamp_certificate: known } = parseKept(await services.blobs.get(incrementSha256));
  // What the answer told is enough, also for a process that has seen no token yet and would ask for more.
  const told = answer.document_time_stamp?.contents_size ?? Infinity;
  assertRoom(options.contents_size, Math.min(told, findTokenRoom(services)), advice);
  const interruption = watchInterruption(call.response, services.limits.seal_ms);
  try {
    await services.stepGate('document-time-stamp', encodeId('seal', seal.id));
    const imprint = { algorithm: options.digest_algorithm, digest: options.digest };
    const token = await services.timeStamps.request(imprint, interruption.signal);
    if (token.der.length > options.contents_size) throw tooSmall(options.contents_size, undefined, advice);
    const data = await collectIfNew(services, token, known, interruption.signal);
    if (await keep(services, call, seal, options, token)) {
      return { answer: toAnswer(seal, token.der, token, data), replayed: false };
    }
  } catch (error) {
    throw error instanceof SigillumError && error.code === 'seal_contents_too_small' ? error : asOurFault(error);
  } finally {
    interruption.stop();
  }
  // Somebody else who asked at the same time was faster: theirs is the one, and this one is given to nobody.
  const now = await getWork(services, tenantOf(call.caller), 'seal', encodeId('seal', seal.id));
  return giveOnce(services, call, now, options);
}

function isDue(seal: Seal): boolean {
  return seal.kind === 'digest' && seal.level === 'b-lta' && seal.status === 'completed';
}

/** The token that was given before; another digest for the same seal is refused. */
function findGiven({ kind, givenToken, outcome }: Seal, { digest }: TimeStampRequest): Uint8Array | undefined {
  if (kind !== 'digest') return undefined;
  if (outcome?.documentTimeStamp === undefined || outcome.signingTime === undefined) return undefined;
  if (givenToken !== undefined && Buffer.from(givenToken.digest).equals(digest)) return givenToken.token;
  throw new SigillumError(
    'seal_time_stamp_given',
    'This seal has its document time-stamp already, over another digest. Seal the document again.',
  );
}

async function answerAgain(
  services: Services,
  seal: Seal,
  { digest, digest_algorithm: algorithm }: TimeStampRequest,
  given: Uint8Array,
): Promise<TimeStampAnswer> {
  const imprint = { algorithm, digest };
  const token = verifyTimeStampToken(given, { imprint, roots: services.roots, known: services.knownCertificates });
  const kept = seal.incrementSha256 === undefined ? undefined : await services.blobs.get(seal.incrementSha256);
  const known = kept && parseKept(kept).time_stamp_certificate;
  const data = known === undefined ? noData : await collectIfNew(services, token, known);
  return toAnswer(seal, given, token, data);
}

const noData: RevocationData = { certificates: [], crls: [], ocsps: [] };

/** After a fail-over between the two time-stamps the new authority's chain is not among the data yet. */
async function collectIfNew(
  services: Services,
  token: TimeStampToken,
  knownCertificate: string,
  signal?: AbortSignal,
): Promise<RevocationData> {
  if (toBase64(token.signerCertificate) === knownCertificate) return noData;
  const chain = { certificates: listTokenCertificates(token), at: services.now() };
  return getRevocation(services, '/body').collect([chain], signal);
}

/** @returns false when the seal has got its document time-stamp meanwhile */
async function keep(
  services: Services,
  { caller, requestId }: DigestCall,
  seal: Seal,
  { digest, digest_algorithm: algorithm }: TimeStampRequest,
  token: TimeStampToken,
): Promise<boolean> {
  const { genTime: time, serialNumber: serial } = token;
  return inTransaction(services.db, async (transaction) => {
    if (!(await keepDocumentTimeStamp(transaction, seal, { token: token.der, digest, time, serial }))) return false;
    await appendEvent(transaction, {
      ...tenantOf(caller),
      type: 'seal.document_time_stamped',
      occurredAt: services.now(),
      requestId,
      data: {
        seal: encodeId('seal', seal.id),
        api_key: encodeId('key', caller.id),
        content_seen: false,
        digest: { algorithm, value: Buffer.from(digest).toString('hex') },
        document_time_stamp: { time: time.toISOString(), serial },
      },
    });
    return true;
  });
}

function toAnswer(
  { id }: Pick<Seal, 'id'>,
  der: Uint8Array,
  { genTime, serialNumber }: Pick<TimeStampToken, 'genTime' | 'serialNumber'>,
  data: RevocationData,
): TimeStampAnswer {
  return {
    id: encodeId('seal', id),
    token: toBase64(der),
    time_stamp: { time: genTime.toISOString(), serial: serialNumber },
    certificates: data.certificates.map(toBase64),
    crls: data.crls.map(toBase64),
    ocsps: data.ocsps.map(toBase64),
  };
}
