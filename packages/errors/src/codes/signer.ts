import { defineCodes } from '../code-definition.ts';

/** Codes of the hash-signing RPC. */
export const signerCodes = defineCodes({});
