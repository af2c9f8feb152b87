import { defineCodes } from '../code-definition.ts';

/** Codes of key ceremonies. None of them reaches a client of the public API. */
export const ceremonyCodes = defineCodes({
  ceremony_plan_invalid: { status: 422, title: 'The ceremony file is not valid' },
  ceremony_arguments_invalid: { status: 400, title: 'The command line is not understood' },
  ceremony_not_confirmed: { status: 409, title: 'The ceremony file is not the one that was confirmed' },
  ceremony_input_invalid: { status: 422, title: 'Something that the ceremony reads is missing or wrong' },
  ceremony_output_exists: { status: 409, title: 'An output of the ceremony exists' },
  ceremony_output_unwritable: { status: 500, title: 'An output of the ceremony can not be written' },
  ceremony_key_exists: { status: 409, title: 'The token has a key of that name' },
  ceremony_check_failed: { status: 422, title: 'A check of the ceremony failed' },
  ceremony_renewal_differs: { status: 409, title: 'The renewed certificate differs from the one it replaces' },
  ceremony_home_conflict: { status: 409, title: 'The home was made with other settings' },
});
