import { defineCodes } from '../code-definition.ts';

/** Codes of sealing and assembling PAdES. */
export const padesCodes = defineCodes({
  docmdp_forbids_changes: { status: 422, title: 'The certification of the document forbids changes' },
  docmdp_forbids_visible_field: { status: 422, title: 'The certification of the document forbids a new visible field' },
  fieldmdp_forbids_field: { status: 422, title: 'An earlier signature locks the form against new fields' },
  fieldmdp_forbids_time_stamp: { status: 422, title: 'A lock of the form leaves no field to a document time-stamp' },
  pades_byte_range_past_end: { status: 422, title: 'An earlier signature claims bytes after the end of the file' },
  pades_field_exists: { status: 422, title: 'The form already has a field of that name' },
  pades_field_filled: { status: 422, title: 'The signature field is already signed' },
  pades_field_unusable: { status: 422, title: 'The signature field can not be filled' },
  pades_certify_not_first: { status: 422, title: 'Only a document without signatures can be certified' },
  pades_appearance_unplaceable: { status: 422, title: 'There is no place for the visible seal' },
  pades_signature_shared: { status: 422, title: 'Two fields of the document claim one signature' },
  pades_page_damaged: { status: 422, title: 'A page of the PDF is damaged' },
  pades_xref_contradictory: { status: 422, title: 'The cross-references of the PDF contradict each other' },
  pades_xfa_dynamic: { status: 422, title: 'The PDF is a dynamic XFA form' },
  seed_value_unsatisfiable: {
    status: 422,
    title: 'The signature field asks for something that this seal can not give',
  },
  pades_header_misplaced: { status: 422, title: 'The PDF has bytes before its header' },
  pades_option_invalid: { status: 422, title: 'An option of the seal is not valid' },
  pades_contents_overflow: { status: 500, title: 'The signature is larger than the room reserved for it' },
  pades_credential_wrong: { status: 500, title: 'The credential does not fit its key or its document' },
  pades_signature_wrong: { status: 502, title: 'The signer answered a wrong signature' },
  pades_timestamp_wrong: { status: 502, title: 'The time-stamp is not one of this signature' },
  pades_time_outside: { status: 409, title: 'A time lies outside what the certificate allows' },
});
