import { isSigillumError } from '@sigillum/errors';
import { assertIssuedBy } from './assert-issued-by.ts';
import type { Certificate } from './certificate.ts';

/** Whether {@link assertIssuedBy} has nothing to say against that step of a path. */
export function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  try {
    assertIssuedBy(certificate, issuer);
    return true;
  } catch (error) {
    if (isSigillumError(error)) return false;
    throw error;
  }
}
