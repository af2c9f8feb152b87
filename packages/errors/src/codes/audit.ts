import { defineCodes } from '../code-definition.ts';

/** Codes of the event log. */
export const auditCodes = defineCodes({});
