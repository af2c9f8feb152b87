import { defineCodes } from '../code-definition.ts';

/** Codes of the time-stamp authority and its requester. */
export const tsaCodes = defineCodes({});
