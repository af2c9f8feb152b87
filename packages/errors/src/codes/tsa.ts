import { defineCodes } from '../code-definition.ts';

/** Codes of the time-stamp authority and its requester. */
export const tsaCodes = defineCodes({
  tsa_unavailable: { status: 503, title: 'No time-stamp can be had' },
  tsa_overloaded: { status: 503, title: 'The time-stamp authority is saturated' },
  tsa_certificate_unusable: { status: 500, title: 'The time-stamp certificate can not be used' },
  tsa_state_damaged: { status: 500, title: 'The state of the time-stamp authority is damaged' },
});
