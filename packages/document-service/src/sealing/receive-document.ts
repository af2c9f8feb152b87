import type { DigestName } from '@sigillum/algorithms';
import type { DocumentBody } from '../intake/document-body.ts';
import { orAborted } from '../intake/or-aborted.ts';
import type { Services } from '../services.ts';
import { spoolDocument, tooLarge } from './spool-document.ts';
import type { SpooledDocument } from './spooled-document.ts';

/**
 * Takes in the document of a body, to its very end: only then is known that nothing wrong follows it.
 * @throws SigillumError `request_too_large`, `request_timeout`, `request_aborted`, `request_invalid`,
 * `seal_document_empty`, `storage_full`
 */
export async function receiveDocument(
  services: Services,
  body: DocumentBody,
  algorithm: DigestName,
  signal: AbortSignal,
): Promise<SpooledDocument> {
  const { limits, spoolDirectory } = services;
  // Before the first byte of the document, what its own header says is too large.
  if (body.announcedSize !== undefined && body.announcedSize > limits.document_bytes) {
    throw tooLarge(limits.document_bytes);
  }
  const document = await spoolDocument(body.document, {
    directory: spoolDirectory,
    algorithm,
    maxBytes: limits.document_bytes,
    inMemoryBytes: limits.in_memory_bytes,
    release: (chunk) => body.release(chunk),
    signal,
  });
  try {
    await orAborted(body.finished, signal);
    return document;
  } catch (error) {
    await document.dispose();
    throw error;
  }
}
