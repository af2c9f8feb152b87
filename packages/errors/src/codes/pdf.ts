import { defineCodes } from '../code-definition.ts';

/** Codes of reading a PDF and appending to it. All of them speak of the document that came in. */
export const pdfCodes = defineCodes({
  pdf_header_missing: { status: 422, title: 'Not a PDF file' },
  pdf_startxref_missing: { status: 422, title: 'The PDF does not say where its cross-reference table is' },
  pdf_xref_damaged: { status: 422, title: 'The cross-reference table of the PDF is damaged' },
  pdf_xref_loop: { status: 422, title: 'The cross-reference sections of the PDF go round in a circle' },
  pdf_object_misplaced: { status: 422, title: 'An object of the PDF is not where the cross-reference table says' },
  pdf_object_malformed: { status: 422, title: 'An object of the PDF breaks the syntax' },
  pdf_stream_damaged: { status: 422, title: 'A stream of the PDF is damaged' },
  pdf_filter_unsupported: { status: 422, title: 'A stream of the PDF uses a filter that is not allowed there' },
  pdf_type_wrong: { status: 422, title: 'A value in the PDF has the wrong type' },
  pdf_key_duplicate: { status: 422, title: 'A dictionary of the PDF has the same key twice' },
  pdf_reference_loop: { status: 422, title: 'Objects of the PDF refer to each other in a circle' },
  pdf_page_missing: { status: 422, title: 'The PDF has no page' },
  pdf_password_needed: { status: 422, title: 'The PDF can only be opened with a password' },
  pdf_encryption_public_key: { status: 422, title: 'The PDF is encrypted for certain recipients' },
  pdf_encryption_unknown: { status: 422, title: 'The PDF is encrypted in an unknown way' },
  pdf_encryption_damaged: { status: 422, title: 'The encryption of the PDF is damaged' },
  pdf_permission_denied: { status: 422, title: 'The permissions of the PDF forbid a signature' },
  pdf_limit_exceeded: { status: 422, title: 'The PDF exceeds a limit' },
});
