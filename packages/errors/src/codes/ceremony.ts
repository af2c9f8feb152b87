import { defineCodes } from '../code-definition.ts';

/** Codes of key ceremonies. */
export const ceremonyCodes = defineCodes({});
