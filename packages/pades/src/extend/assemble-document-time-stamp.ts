import { SigillumError } from '@sigillum/errors';
import { equalBytes, type TimeStampToken } from '@sigillum/pki';
import { embedContents } from '../prepare/embed-contents.ts';
import type { PreparedSignature } from '../prepare/prepared-signature.ts';

/**
 * The update with the token in `/Contents`. Throws `pades_timestamp_wrong` for the token of something else, and
 * `pades_contents_overflow`: then prepare again with more room.
 */
export function assembleDocumentTimeStamp(prepared: PreparedSignature, token: TimeStampToken): Uint8Array {
  const { imprint, der } = token;
  if (imprint.algorithm !== prepared.digestAlgorithm || !equalBytes(imprint.digest, prepared.digest)) {
    throw new SigillumError('pades_timestamp_wrong', 'The time-stamp is not one of this document.');
  }
  return embedContents(prepared, der);
}
