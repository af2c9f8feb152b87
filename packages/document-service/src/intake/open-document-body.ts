import type { IncomingMessage } from 'node:http';
import { SigillumError } from '@sigillum/errors';
import type { Limits } from '../config.ts';
import type { DocumentBody } from './document-body.ts';
import { openJsonDocument } from './open-json-document.ts';
import { openMultipartDocument } from './open-multipart-document.ts';
import { orAborted } from './or-aborted.ts';
import { releaseChunk } from './release-chunk.ts';

/** The media types in which a document may come. */
export const documentMediaTypes = ['application/pdf', 'multipart/form-data', 'application/json'] as const;

export type DocumentMediaType = (typeof documentMediaTypes)[number];

/**
 * Opens a request's body: the PDF itself with its options in the query, or one of the two forms that hold both. Options
 * stand in one place only.
 *
 * @param signal fires when the upload is too slow
 * @param query the parameters of the URL as they stand there
 * @throws SigillumError `request_invalid` with pointers into `/query` or `/body`, `request_too_large`, `request_aborted`
 */
export async function openDocumentBody(
  request: IncomingMessage,
  mediaType: DocumentMediaType,
  query: Readonly<Record<string, string>>,
  limits: Limits,
  signal: AbortSignal,
): Promise<DocumentBody> {
  if (mediaType === 'application/pdf') return openPlainDocument(request, query);
  const open = mediaType === 'application/json' ? openJsonDocument : openMultipartDocument;
  const body = await orAborted(open(request, limits), signal).catch((error: unknown) => {
    // What still comes is read and thrown away, so that the caller can hear why.
    request.unpipe().resume();
    throw error;
  });
  const names = Object.keys(query);
  if (names.length === 0) return body;
  if (Object.keys(body.options).length === 0) return { ...body, options: query, optionsPointer: '/query' };
  body.abandon();
  throw new SigillumError('request_invalid', 'The options stand in the query and in the body. Send them once.', {
    fields: names.map((name) => ({ pointer: `/query/${name}`, detail: 'Belongs into the body with the others.' })),
  });
}

function openPlainDocument(request: IncomingMessage, query: Readonly<Record<string, string>>): DocumentBody {
  const announced = request.headers['content-length'];
  return {
    options: query,
    optionsPointer: '/query',
    document: request,
    // Node copies each into memory of its own.
    release: releaseChunk,
    announcedSize: announced === undefined ? undefined : Number(announced),
    finished: Promise.resolve(),
    abandon: () => void request.resume(),
  };
}
