import { addLogFields } from '@sigillum/service-kit';
import { defineRoute } from '../http/route.ts';
import { runSeal } from '../sealing/run-seal.ts';
import { sealOptionsSchema } from '../sealing/seal-options.ts';

/** `POST /v1/seals`: one call, one sealed and time-stamped PDF. */
export const createSealRoute = defineRoute({
  method: 'post',
  path: '/v1/seals',
  operationId: 'createSeal',
  summary: 'Seal a PDF',
  description:
    'Takes a PDF and answers the same bytes followed by a seal: a PAdES signature with a time-stamp, in an invisible field. The answer begins only after the seal is recorded. A document that can not be sealed is 422 with a reason; when no signer or time-stamp authority is available, 503.',
  tag: 'Seals',
  scope: 'seals:write',
  query: sealOptionsSchema,
  body: { mediaType: 'application/pdf', description: 'The PDF, as it is: up to 2 GiB by default.' },
  idempotent: true,
  answer: {
    status: 201,
    description: 'The sealed PDF. Its beginning is the document that was sent, byte for byte.',
    mediaType: 'application/pdf',
    headers: {
      Location: 'The path of the seal: `/v1/seals/{id}`.',
      'Sigillum-Seal-Id': 'The id of the seal.',
      'Sigillum-Replayed': '`true` when an earlier request with the same idempotency key made the seal.',
    },
  },
  problems: [
    'credential_not_found',
    'credential_required',
    'credential_suspended',
    'credential_revoked',
    'credential_expired',
    'credential_status_unknown',
    'idempotency_key_in_flight',
    'idempotency_key_reused',
    'request_media_type_unsupported',
    'request_too_large',
    'request_timeout',
    'seal_document_empty',
    'seal_level_unsupported',
    'pdf_xref_damaged',
    'docmdp_forbids_changes',
    'pades_field_exists',
    'seal_signing_refused',
    'seal_time_implausible',
    'seal_timeout',
    'seal_swept',
    'service_overloaded',
    'signer_unavailable',
    'signer_timeout',
    'tsa_unavailable',
  ],
  async handle({ services, request, response, requestId, query, caller, idempotencyKey }) {
    await runSeal(services, { body: request, caller, requestId, options: query, idempotencyKey }, response, (seal) =>
      addLogFields(response, { seal: seal.publicId, replayed: seal.replayed }),
    );
  },
});
