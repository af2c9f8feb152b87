import { defineCodes } from '../code-definition.ts';

/** Codes of extending signed documents to a higher level. */
export const extensionCodes = defineCodes({
  extension_unsigned: { status: 422, title: 'The document has no signature to extend' },
  extension_signature_invalid: { status: 422, title: 'A signature of the document is not valid' },
  extension_not_pades: { status: 422, title: 'A signature of the document is not a PAdES baseline signature' },
  extension_too_costly: { status: 422, title: 'Judging the signatures of the document takes too much' },
  extension_no_time_stamp: { status: 422, title: 'A signature of the document has no time-stamp' },
});
