import { defineCodes } from '../code-definition.ts';

/** Codes of certificates, CMS and time-stamp tokens. */
export const pkiCodes = defineCodes({});
