import type { CodeDefinition } from './code-definition.ts';
import { appearanceCodes } from './codes/appearance.ts';
import { auditCodes } from './codes/audit.ts';
import { ceremonyCodes } from './codes/ceremony.ts';
import { clientCodes } from './codes/client.ts';
import { extensionCodes } from './codes/extension.ts';
import { homeCodes } from './codes/home.ts';
import { padesCodes } from './codes/pades.ts';
import { pdfCodes } from './codes/pdf.ts';
import { pkcs11Codes } from './codes/pkcs11.ts';
import { pkiCodes } from './codes/pki.ts';
import { requestCodes } from './codes/request.ts';
import { revocationCodes } from './codes/revocation.ts';
import { sealCodes } from './codes/seal.ts';
import { signerCodes } from './codes/signer.ts';
import { storeCodes } from './codes/store.ts';
import { tsaCodes } from './codes/tsa.ts';

/** Every stable error code of the product. A code is never renamed or reused once released. */
export const codeRegistry = {
  ...requestCodes,
  ...pdfCodes,
  ...padesCodes,
  ...extensionCodes,
  ...appearanceCodes,
  ...pkiCodes,
  ...revocationCodes,
  ...sealCodes,
  ...signerCodes,
  ...pkcs11Codes,
  ...tsaCodes,
  ...storeCodes,
  ...auditCodes,
  ...ceremonyCodes,
  ...homeCodes,
  ...clientCodes,
} as const;

/** A stable error code, flat snake_case, domain first. */
export type ErrorCode = keyof typeof codeRegistry;

/** The definition of a code that comes from outside (a wire answer), if we know it. */
export function findCodeDefinition(code: string): CodeDefinition | undefined {
  return Object.hasOwn(codeRegistry, code) ? codeRegistry[code as ErrorCode] : undefined;
}

/** Whether a string from outside is one of our codes. */
export function isErrorCode(code: string): code is ErrorCode {
  return findCodeDefinition(code) !== undefined;
}
