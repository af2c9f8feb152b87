import { defineCodes } from '../code-definition.ts';

/** Codes of database and blobs. */
export const storeCodes = defineCodes({});
