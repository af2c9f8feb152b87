import { defineRoute } from '../http/route.ts';
import { admitExtension, makeExtension } from '../sealing/extend.ts';
import { extensionOptionsSchema } from '../sealing/extension-options.ts';
import { documentProblems } from './create-seal.ts';
import { describeDocumentBody } from './document-body.ts';
import { extensionSchema } from './extension-resource.ts';
import { handleDocument } from './handle-document.ts';

/** `POST /v1/extensions`: a sealed PDF in, the same at a higher level out. */
export const createExtensionRoute = defineRoute({
  method: 'post',
  path: '/v1/extensions',
  operationId: 'createExtension',
  summary: 'Extend a sealed PDF',
  description:
    'Takes a sealed PDF, ours or that of somebody else, and answers the same bytes followed by validation data (b-lt) and a document time-stamp (b-lta). Extended are the signatures that are valid PAdES with a time-stamp under a trusted root; what else there is is left alone, counted in a header and named in `left_alone` of the extension. Asked for b-lta again, it renews.',
  tag: 'Extensions',
  scope: 'seals:write',
  query: extensionOptionsSchema,
  queryIsOptional: true,
  body: describeDocumentBody(extensionOptionsSchema, { level: 'b-lta' }),
  idempotent: true,
  answer: {
    status: 201,
    description: 'The extended PDF, whose beginning is the document that was sent, byte for byte; or JSON about it.',
    contents: [{ mediaType: 'application/pdf' }, { mediaType: 'application/json', schema: extensionSchema }],
    headers: {
      Location: 'The path of the extension: `/v1/extensions/{id}`.',
      'Sigillum-Extension-Id': 'The id of the extension.',
      'Sigillum-Left-Alone': 'How many signatures could not be extended; absent when there are none.',
      'Sigillum-Replayed': '`true` when an earlier request with the same idempotency key made it.',
    },
  },
  problems: [
    ...documentProblems,
    'extension_unsigned',
    'extension_signature_invalid',
    'extension_not_pades',
    'extension_no_time_stamp',
    'extension_too_costly',
    'fieldmdp_forbids_time_stamp',
    'revocation_revoked',
    'revocation_stale',
    'revocation_untrusted',
    'revocation_too_many_chains',
    'seal_level_unsupported',
  ],
  handle: (context) => handleDocument('extension', { admit: admitExtension, make: makeExtension }, context),
});
