import type { ErrorCode } from '@sigillum/errors';
import { defineRoute } from '../http/route.ts';
import { admitSeal } from '../sealing/admit.ts';
import { makeSeal } from '../sealing/make-seal.ts';
import { sealOptionsBodySchema, sealOptionsSchema } from '../sealing/seal-options.ts';
import { describeDocumentBody } from './document-body.ts';
import { handleDocument } from './handle-document.ts';
import { sealSchema } from './seal-resource.ts';

/** What every call that takes a document may answer. */
export const documentProblems: readonly ErrorCode[] = [
  'idempotency_key_in_flight',
  'idempotency_key_reused',
  'request_media_type_unsupported',
  'request_too_large',
  'request_timeout',
  'seal_document_empty',
  'seal_timeout',
  'seal_swept',
  'pdf_xref_damaged',
  'revocation_unavailable',
  'service_overloaded',
  'storage_full',
  'storage_unavailable',
  'tsa_unavailable',
];

/** What a credential may be refused for. */
export const credentialProblems: readonly ErrorCode[] = [
  'credential_not_found',
  'credential_required',
  'credential_suspended',
  'credential_revoked',
  'credential_expired',
  'credential_status_unknown',
];

/** What a signer may be refused for. */
export const signerProblems: readonly ErrorCode[] = [
  'seal_level_unsupported',
  'seal_signing_refused',
  'seal_time_implausible',
  'signer_unavailable',
  'signer_timeout',
  'signer_overloaded',
];

/** `POST /v1/seals`: one call, one sealed and time-stamped PDF. */
export const createSealRoute = defineRoute({
  method: 'post',
  path: '/v1/seals',
  operationId: 'createSeal',
  summary: 'Seal a PDF',
  description:
    'Takes a PDF and answers the same bytes followed by a seal: a PAdES signature with a time-stamp and what its level asks for. The answer begins only after the seal is recorded. A document that can not be sealed is 422 with a reason; when no signer, time-stamp authority or revocation data is available, 503.\n\nAccept `application/json` to get the seal with a link to the document, which is then kept for `retain`.',
  tag: 'Seals',
  scope: 'seals:write',
  query: sealOptionsSchema,
  queryIsOptional: true,
  body: describeDocumentBody(sealOptionsBodySchema, { level: 'b-lt', reason: 'Approved' }),
  idempotent: true,
  answer: {
    status: 201,
    description: 'The sealed PDF, whose beginning is the document that was sent, byte for byte; or the seal as JSON.',
    contents: [{ mediaType: 'application/pdf' }, { mediaType: 'application/json', schema: sealSchema }],
    headers: {
      Location: 'The path of the seal: `/v1/seals/{id}`.',
      'Sigillum-Seal-Id': 'The id of the seal.',
      'Sigillum-Replayed': '`true` when an earlier request with the same idempotency key made the seal.',
    },
  },
  problems: [
    ...documentProblems,
    ...credentialProblems,
    ...signerProblems,
    'appearance_invalid',
    'appearance_place_missing',
    'appearance_rectangle_outside',
    'appearance_anchor_not_found',
    'appearance_text_unsupported',
    'docmdp_forbids_changes',
    'docmdp_forbids_visible_field',
    'fieldmdp_forbids_field',
    'fieldmdp_forbids_time_stamp',
    'pades_certify_not_first',
    'pades_field_exists',
    'pades_field_filled',
    'seed_value_unsatisfiable',
  ],
  handle: (context) => handleDocument('seal', { admit: admitSeal, make: makeSeal }, context),
});
