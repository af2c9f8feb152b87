import { defineCodes } from '../code-definition.ts';

/** Codes of the PKCS#11 module and token. */
export const pkcs11Codes = defineCodes({});
