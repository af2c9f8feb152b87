import { defineCodes } from '../code-definition.ts';

/** Codes of sealing and assembling PAdES. */
export const padesCodes = defineCodes({});
