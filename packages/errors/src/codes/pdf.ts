import { defineCodes } from '../code-definition.ts';

/** Codes of pdf. */
export const pdfCodes = defineCodes({});
