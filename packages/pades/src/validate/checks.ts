/** Main status of a signature (EN 319 102-1 §5.1.3, table 5). */
export type Indication = 'TOTAL-PASSED' | 'INDETERMINATE' | 'TOTAL-FAILED';

/** What follows from a check that isn't satisfied. */
export type CheckDefinition = {
  readonly indication: Exclude<Indication, 'TOTAL-PASSED'>;
  /** EN 319 102-1, table 6. */
  readonly sub: string;
  /**
   * `failure` is always refused. `profile` says that the signature may well be intact but isn't PAdES baseline: refused
   * under the profile `baseline`, noted under `any-intact`. `note` never refuses.
   */
  readonly severity: 'failure' | 'profile' | 'note';
  readonly sentence: string;
};

const failed = (sub: string, sentence: string): CheckDefinition => ({
  indication: 'TOTAL-FAILED',
  sub,
  severity: 'failure',
  sentence,
});
const unsure = (sub: string, sentence: string): CheckDefinition => ({
  indication: 'INDETERMINATE',
  sub,
  severity: 'failure',
  sentence,
});
const profile = (sentence: string): CheckDefinition => ({
  indication: 'INDETERMINATE',
  sub: 'SIG_CONSTRAINTS_FAILURE',
  severity: 'profile',
  sentence,
});
const note = (sentence: string): CheckDefinition => ({
  indication: 'INDETERMINATE',
  sub: '',
  severity: 'note',
  sentence,
});

const format = (sentence: string) => failed('FORMAT_FAILURE', sentence);

/** The policy as data: every check by its stable code, what it means, and what follows. A code is never renamed. */
export const checks = {
  // the file
  pdf_structure_damaged: format('The structure of the PDF is damaged or hostile.'),
  pdf_header_misplaced: format('Bytes stand before the header of the PDF.'),
  pdf_header_repeated: format('The PDF has a second header near its beginning.'),
  pdf_end_wrong: format('The file does not end with startxref, an offset and %%EOF.'),
  pdf_bytes_after_end: format('Bytes follow the last %%EOF of the file.'),
  pdf_limit_exceeded: unsure('GENERIC', 'The PDF needs more work to be checked than is allowed for one file.'),
  pdf_unsigned: unsure('NO_SIGNATURE', 'The PDF is not signed.'),
  pdf_only_time_stamped: unsure('NO_SIGNATURE', 'The PDF has a time-stamp but is not signed.'),
  signature_dropped: format('An update took a signature out of the document.'),
  signature_hidden: format('A certification or usage right names a signature that no field of the form has.'),
  signature_shared: format('Two fields point at one signature.'),
  too_many_signatures: unsure('GENERIC', 'The PDF has more signatures or updates than are checked.'),

  // the signature dictionary (ISO 32000-2 §12.8.1, EN 319 142-1 §6.3)
  signature_object_wrong: format('The signature is not a dictionary of its own outside any object stream.'),
  signature_key_duplicate: format('The signature dictionary has a key twice.'),
  signature_value_indirect: format('A value of the signature dictionary stands in another object.'),
  signature_type_wrong: format('The type, filter or format of the signature is not an allowed one.'),
  byte_range_wrong: format('The ByteRange is not four numbers that leave out one gap, from the first byte on.'),
  byte_range_past_end: format('The ByteRange reaches past the end of the file.'),
  byte_range_gap_wrong: format('The gap of the ByteRange is not exactly the Contents of this signature.'),
  byte_range_end_wrong: format('The ByteRange does not end where a revision of the file ends.'),
  byte_range_overlap: format('The signed ranges of two signatures overlap without one holding the other.'),
  contents_not_hex: format('The Contents of the signature are not plain hexadecimal digits of one case.'),
  contents_padding_wrong: format('Something else than zeros follows the signature in its Contents.'),
  revision_unreadable: format('The revision that was signed is not a PDF that can be read.'),
  revision_unlinked: format('The document that is shown does not build on the revision that was signed.'),
  subfilter_not_pades: profile('The SubFilter is not that of PAdES (ETSI.CAdES.detached).'),
  signing_time_missing: profile('The signature dictionary does not say when it was signed (/M).'),
  signing_time_malformed: format('The signing time (/M) of the signature dictionary can not be read.'),
  certificate_entry_present: profile('The signature dictionary carries a certificate (/Cert).'),

  // the CMS (RFC 5652, EN 319 122-1)
  cms_not_der: format('The signature is not DER.'),
  cms_malformed: format('The signature is not a well-formed CMS SignedData.'),
  cms_algorithms_wrong: format('The algorithm identifiers of the signature are malformed or disagree.'),
  cms_content_inside: format('The signature carries content of its own; it must be detached.'),
  cms_revocation_inside: profile('The CMS carries revocation data outside the DSS.'),
  several_signers: profile('The CMS has more than one SignerInfo.'),
  signed_attributes_missing: format('The signature has no signed attributes.'),
  signed_attributes_wrong: format('A signed attribute is missing, comes twice, or is out of DER order.'),
  content_type_wrong: format('The signed content type is not id-data.'),
  hash_failure: failed('HASH_FAILURE', 'The signed bytes of the document were changed.'),
  signature_wrong: failed(
    'SIG_CRYPTO_FAILURE',
    'The signature value does not belong to the signed attributes and the key.',
  ),
  algorithm_weak: unsure(
    'CRYPTO_CONSTRAINTS_FAILURE',
    'The signature uses an algorithm or a key that is unknown, too weak, or of the wrong kind.',
  ),
  signing_certificate_attribute_missing: profile(
    'No ESS attribute names the certificate by SHA-2 (signing-certificate-v2).',
  ),
  signing_certificate_mismatch: unsure(
    'SIG_CONSTRAINTS_FAILURE',
    'The certificate that the signed attributes name is not the one that the signature names.',
  ),
  signing_time_attribute: profile('The CMS has a signing-time attribute.'),
  attribute_not_baseline: profile('The CMS has an attribute that PAdES baseline does not have.'),

  // certificates
  signer_certificate_missing: unsure(
    'NO_SIGNING_CERTIFICATE_FOUND',
    "The signer's certificate is not in the signature.",
  ),
  certificate_malformed: format('A certificate in the signature can not be read.'),
  certificate_wrong: format('A certificate in the signature was changed or belongs to nothing in it.'),
  chain_untrusted: unsure('NO_CERTIFICATE_CHAIN_FOUND', 'No chain of valid certificates leads to a trusted root.'),
  certificate_expired: unsure('OUT_OF_BOUNDS_NO_POE', "The signer's certificate had expired at that time."),
  certificate_not_yet_valid: failed('NOT_YET_VALID', "The signer's certificate was not valid yet at that time."),
  key_usage_wrong: unsure(
    'CHAIN_CONSTRAINTS_FAILURE',
    "The signer's certificate is not one for signing documents (nonRepudiation).",
  ),

  certificate_revoked: unsure(
    'REVOKED_NO_POE',
    'A certificate of the chain had been revoked or suspended at that time.',
  ),
  revocation_unknown: unsure('TRY_LATER', 'Nothing in the file says whether the certificates were revoked.'),

  // time
  time_stamp_invalid: unsure('NO_POE', 'The time-stamp is not valid.'),
  time_stamp_imprint_wrong: unsure('HASH_FAILURE', 'The time-stamp is the time-stamp of something else.'),
  time_stamp_expired: unsure(
    'OUT_OF_BOUNDS_NO_POE',
    'A certificate of the time-stamp had ended before anything else proved that the time-stamp existed.',
  ),
  time_stamp_revoked: unsure('REVOKED_NO_POE', 'A certificate of the time-stamp had been revoked.'),
  time_order_wrong: unsure('TIMESTAMP_ORDER_FAILURE', 'The times of the signature contradict each other.'),

  // what came after (ISO 32000-2 §12.8.2)
  changed_after_signing: format('The document was changed after signing.'),
  annotations_changed: format('The document was changed after signing: annotations.'),
  certification_violated: unsure(
    'SIG_CONSTRAINTS_FAILURE',
    'A change after signing is not allowed by the certification or a lock.',
  ),
  unsigned_bytes: format('The file holds bytes after the signed revision that belong to no object of it.'),
  comparison_incomplete: unsure('GENERIC', 'What changed after signing could not be found out.'),

  // only said
  usage_rights_not_intact: note(
    'The usage rights of the document (/Perms /UR3) are signed, and that signature does not hold or was not checked.',
  ),
  whole_file_not_covered: note('Updates follow the signed revision; see "changed since".'),
  time_stamp_absent: note('There is no time-stamp: the time is the one that the signer claims.'),
} as const satisfies Record<string, CheckDefinition>;

/** A check's stable code. */
export type CheckCode = keyof typeof checks;

export function getCheck(code: CheckCode): CheckDefinition {
  return checks[code];
}
