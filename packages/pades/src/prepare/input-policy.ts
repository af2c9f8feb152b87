import { type ErrorCode, SigillumError, type SigillumErrorOptions } from '@sigillum/errors';
import type { CheckCode } from '../validate/checks.ts';

/** One rule of the input policy: the tolerant one of the two, whose other half is `validate/checks.ts`. */
export type InputRule = {
  /**
   * `always`: refused on input. `when-signed`: refused on input only when earlier signatures exist. `never`: a finding of
   * validation only.
   */
  readonly refused: 'always' | 'when-signed' | 'never';
  /** What it is refused with; several where `pdf` tells them apart. Empty when nothing is refused. */
  readonly codes: readonly ErrorCode[];
  /** Refused: for the person who has the document. Not refused: why. */
  readonly sentence: string;
  /** The checks of validation that look at the same thing. */
  readonly checks: readonly CheckCode[];
};

function always(codes: readonly ErrorCode[], sentence: string, checks: readonly CheckCode[] = []): InputRule {
  return { refused: 'always', codes, sentence, checks };
}
function whenSigned(code: ErrorCode, sentence: string, checks: readonly CheckCode[] = []): InputRule {
  return { refused: 'when-signed', codes: [code], sentence, checks };
}
function never(sentence: string, checks: readonly CheckCode[]): InputRule {
  return { refused: 'never', codes: [], sentence, checks };
}

/** The input policy as data (pades.md §3): what validation looks at, and what of it stops a seal. */
export const inputPolicy = {
  // refused by `openPdf` and whoever reads an object that a seal needs
  structure_readable: always(
    [
      'pdf_header_missing',
      'pdf_startxref_missing',
      'pdf_xref_damaged',
      'pdf_xref_loop',
      'pdf_object_misplaced',
      'pdf_object_malformed',
      'pdf_stream_damaged',
      'pdf_filter_unsupported',
      'pdf_encryption_damaged',
      'pdf_encryption_public_key',
      'pdf_encryption_unknown',
      'pdf_password_needed',
      'pdf_type_wrong',
      'pdf_key_duplicate',
      'pdf_reference_loop',
      'pdf_page_missing',
    ],
    'The structure of the PDF is damaged where a seal needs it: two readers may show two documents.',
    ['pdf_structure_damaged', 'revision_unlinked'],
  ),
  // readers look for what is missing, and take the last of its name that they find
  objects_placed: always(
    ['pdf_object_misplaced'],
    'An object of the PDF is not where its cross-reference says: readers guess, and may show different things.',
    ['pdf_structure_damaged'],
  ),
  pages_there: always(
    ['pades_page_damaged'],
    'A page of the PDF is damaged: readers guess, and may show different things.',
    ['pdf_structure_damaged'],
  ),
  keys_once: always(['pdf_key_duplicate'], 'The PDF has something twice: readers show one or the other.', [
    'pdf_structure_damaged',
  ]),
  hybrid_plain: always(
    ['pades_xref_contradictory'],
    'The PDF has two cross-references that contradict each other: readers show one document or the other.',
    ['revision_unlinked'],
  ),
  permitted: always(['pdf_permission_denied'], 'The permissions of the PDF forbid to add a signature.'),
  limits_kept: always(['pdf_limit_exceeded'], 'The PDF needs more work than is allowed for one file.', [
    'pdf_limit_exceeded',
    'too_many_signatures',
  ]),
  // readers disagree whether offsets, ByteRange among them, count from the file's start
  header_first: always(
    ['pades_header_misplaced'],
    "The PDF begins with bytes that don't belong to it. Save it again, or remove them, and try again.",
    ['pdf_header_misplaced'],
  ),
  // Acrobat and Firefox draw it from its template, every other reader shows the pages
  no_dynamic_xfa: always(
    ['pades_xfa_dynamic'],
    'The PDF is a dynamic XFA form: readers show different things for it. Print it to PDF, and seal that.',
  ),

  // earlier signatures
  certification_allows: whenSigned(
    'docmdp_forbids_changes',
    'The document was certified with "no changes allowed": another signature would break that certification.',
    ['certification_violated'],
  ),
  certification_allows_visible: whenSigned(
    'docmdp_forbids_visible_field',
    'The document is certified: it takes an invisible seal, or one in a field that it has, but no new visible field.',
  ),
  locks_allow: whenSigned(
    'fieldmdp_forbids_field',
    'An earlier signature locks the form of the PDF: the seal would break it.',
  ),
  certification_first: whenSigned(
    'pades_certify_not_first',
    'The PDF is signed already: only the first signature of a document can certify it.',
  ),
  // it would take in our bytes, and so change its meaning with what we append
  byte_range_inside: whenSigned(
    'pades_byte_range_past_end',
    'An earlier signature in the PDF covers bytes after its end: the file is cut off, or was signed only halfway.',
    ['byte_range_past_end'],
  ),
  // nobody signs so, and readers name different signers
  signature_of_one_field: whenSigned(
    'pades_signature_shared',
    'Two fields of the PDF claim one signature: somebody has changed it.',
    ['signature_shared'],
  ),

  // findings of validation only
  one_header: never('A PDF inside a PDF begins with a header too; what the cross-reference shows is sealed.', [
    'pdf_header_repeated',
  ]),
  clean_end: never('What stands after the last %%EOF becomes signed content; nobody can change it afterwards.', [
    'pdf_end_wrong',
    'pdf_bytes_after_end',
    'unsigned_bytes',
  ]),
  earlier_signature_intact: never('A broken signature stays broken: the journal says so, the seal does not stop.', [
    'signature_dropped',
    'signature_hidden',
    'usage_rights_not_intact',
    'signature_object_wrong',
    'signature_key_duplicate',
    'signature_value_indirect',
    'signature_type_wrong',
    'byte_range_wrong',
    'byte_range_gap_wrong',
    'byte_range_end_wrong',
    'byte_range_overlap',
    'contents_not_hex',
    'contents_padding_wrong',
    'revision_unreadable',
    'cms_not_der',
    'cms_malformed',
    'cms_algorithms_wrong',
    'cms_content_inside',
    'cms_revocation_inside',
    'several_signers',
    'signed_attributes_missing',
    'signed_attributes_wrong',
    'content_type_wrong',
    'hash_failure',
    'signature_wrong',
    'algorithm_weak',
    'signing_certificate_attribute_missing',
    'signing_certificate_mismatch',
    'signer_certificate_missing',
    'certificate_malformed',
  ]),
  earlier_signature_trusted: never('Whether to believe an earlier signer is not for the next one to say.', [
    'certificate_wrong',
    'chain_untrusted',
    'certificate_expired',
    'certificate_not_yet_valid',
    'key_usage_wrong',
    'time_stamp_invalid',
    'time_stamp_imprint_wrong',
    'time_order_wrong',
    'time_stamp_absent',
    'certificate_revoked',
    'revocation_unknown',
    'time_stamp_expired',
    'time_stamp_revoked',
  ]),
  earlier_signature_baseline: never('Signatures of other profiles are signatures.', [
    'subfilter_not_pades',
    'signing_time_missing',
    'signing_time_malformed',
    'signing_time_attribute',
    'certificate_entry_present',
    'attribute_not_baseline',
  ]),
  changes_since: never('The seal covers the document as it is now, with what was changed in it.', [
    'changed_after_signing',
    'annotations_changed',
    'comparison_incomplete',
    'whole_file_not_covered',
  ]),
  signed_at_all: never('What is to be sealed need not be signed.', ['pdf_unsigned', 'pdf_only_time_stamped']),
} as const satisfies Record<string, InputRule>;

/** The error of a rule, with its sentence or a more telling one. */
export function refuseInput(
  rule: keyof typeof inputPolicy,
  options: SigillumErrorOptions & { readonly sentence?: string } = {},
): SigillumError {
  const { codes, sentence }: InputRule = inputPolicy[rule];
  const [code] = codes;
  if (code === undefined) throw new RangeError(`the rule ${rule} refuses nothing`);
  return new SigillumError(code, options.sentence ?? sentence, options);
}
