import { addLogFields } from '@sigillum/service-kit';
import { z } from 'zod';
import { digestAnswerSchema, timeStampAnswerSchema } from '../digests/digest-answer.ts';
import { digestRequestSchema, timeStampRequestSchema } from '../digests/digest-request.ts';
import { giveDocumentTimeStamp } from '../digests/give-document-time-stamp.ts';
import { runDigest } from '../digests/run-digest.ts';
import { defineRoute } from '../http/route.ts';
import { sendJson } from '../http/send-json.ts';
import { identify } from '../sealing/send-sealed.ts';
import { credentialProblems, signerProblems } from './create-seal.ts';

const common = [
  'idempotency_key_in_flight',
  'idempotency_key_reused',
  'request_media_type_unsupported',
  'request_timeout',
  'request_too_large',
  'revocation_unavailable',
  'seal_contents_too_small',
  'seal_timeout',
  'service_overloaded',
  'storage_full',
  'tsa_unavailable',
] as const;

const replayedHeader = {
  'Sigillum-Replayed': '`true` when an earlier request was answered the same.',
};

/** `POST /v1/seals/digest`: the document stays with the caller. */
export const createDigestSealRoute = defineRoute({
  method: 'post',
  path: '/v1/seals/digest',
  operationId: 'createDigestSeal',
  summary: 'Seal a digest',
  description:
    'For documents that never leave the caller: it prepares the PDF, sends the digest over the ByteRange, and embeds the CMS and the validation data that are answered. The signed attributes are made here; the journal says that the content was not seen. The SDK does all of it in `sealLocally()`.',
  tag: 'Seals',
  scope: 'seals:digest',
  query: z.strictObject({}),
  body: {
    description: 'The digest over the ByteRange, and how the document was prepared.',
    contents: [{ mediaType: 'application/json', schema: digestRequestSchema }],
  },
  idempotent: true,
  answer: {
    status: 201,
    description: 'What to embed.',
    contents: [{ mediaType: 'application/json', schema: digestAnswerSchema }],
    headers: {
      Location: 'The path of the seal: `/v1/seals/{id}`.',
      'Sigillum-Seal-Id': 'The id of the seal.',
      ...replayedHeader,
    },
  },
  problems: [...common, ...credentialProblems, ...signerProblems, 'seal_signing_time_outside'],
  async handle({ services, request, response, requestId, caller, idempotencyKey }) {
    const { answer, replayed } = await runDigest(services, {
      request,
      response,
      caller,
      requestId,
      idempotencyKey,
      onSeal: (seal) => addLogFields(response, { seal: seal.publicId, replayed: seal.replayed }),
    });
    sendJson(response, answer, {
      status: 201,
      headers: identify('seal', { publicId: answer.id, leftAlone: 0, replayed }),
    });
  },
});

/** `POST /v1/seals/{id}/document-time-stamp`: the second call of a local seal at b-lta. */
export const createDocumentTimeStampRoute = defineRoute({
  method: 'post',
  path: '/v1/seals/{id}/document-time-stamp',
  operationId: 'createDocumentTimeStamp',
  summary: 'Time-stamp the document of a digest seal',
  description:
    'For b-lta: after embedding CMS and validation data, the caller prepares the document time-stamp and sends its ByteRange digest. One per seal, within 24 hours; the same digest again gets the same token.',
  tag: 'Seals',
  scope: 'seals:digest',
  query: z.strictObject({}),
  params: { id: { description: 'Id of the seal.', example: 'seal_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB' } },
  body: {
    description: 'The digest over the ByteRange of the document time-stamp.',
    contents: [{ mediaType: 'application/json', schema: timeStampRequestSchema }],
  },
  idempotent: true,
  answer: {
    status: 201,
    description: 'The token to embed.',
    contents: [{ mediaType: 'application/json', schema: timeStampAnswerSchema }],
    headers: replayedHeader,
  },
  problems: [...common, 'seal_not_found', 'seal_time_stamp_given', 'seal_time_stamp_not_due'],
  async handle({ services, request, response, requestId, caller, idempotencyKey, params }) {
    const { answer, replayed } = await giveDocumentTimeStamp(
      services,
      {
        request,
        response,
        caller,
        requestId,
        idempotencyKey,
        onSeal: (seal) => addLogFields(response, { seal: seal.publicId }),
      },
      params['id'] ?? '',
    );
    sendJson(response, answer, { status: 201, headers: replayed ? { 'Sigillum-Replayed': 'true' } : {} });
  },
});
