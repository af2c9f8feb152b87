import { isSigillumError } from '@sigillum/errors';
import type { TimeStampToken } from '@sigillum/pki';
import type { PrepareInput } from '../prepare/prepare-input.ts';
import type { Random } from '../prepare/seal-options.ts';
import { estimateTokenRoom } from '../seal/estimate-contents-size.ts';
import type { TimeStampSource } from '../seal/time-stamp-source.ts';
import { assembleDocumentTimeStamp } from './assemble-document-time-stamp.ts';
import { prepareDocumentTimeStamp } from './prepare-document-time-stamp.ts';

/** The second attempt knows the real size of the token; a third covers a fail-over to a TSA with larger ones. */
const maxAttempts = 3;

/** Puts a document time-stamp behind a file; when the token is larger than the room left for it, once more with more room. */
export async function addDocumentTimeStamp(
  input: PrepareInput,
  lastTokenSize: number,
  ports: { readonly timeStamps: TimeStampSource; readonly random: Random },
  signal?: AbortSignal,
): Promise<{ readonly update: Uint8Array; readonly token: TimeStampToken }> {
  let contentsSize = estimateTokenRoom(lastTokenSize);
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const prepared = prepareDocumentTimeStamp(input, { contentsSize }, ports.random);
    const imprint = { algorithm: prepared.digestAlgorithm, digest: prepared.digest };
    const token = await ports.timeStamps.request(imprint, signal);
    try {
      return { update: assembleDocumentTimeStamp(prepared, token), token };
    } catch (error) {
      if (!isSigillumError(error, 'pades_contents_overflow') || attempt === maxAttempts) throw error;
    }
    contentsSize = Math.max(contentsSize * 2, estimateTokenRoom(token.der.length));
  }
}
