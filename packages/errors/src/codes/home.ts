import { defineCodes } from '../code-definition.ts';

/** Codes of the development home. */
export const homeCodes = defineCodes({});
