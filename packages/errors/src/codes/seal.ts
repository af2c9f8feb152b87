import { defineCodes } from '../code-definition.ts';

/** Codes of seals, credentials and idempotency. */
export const sealCodes = defineCodes({});
