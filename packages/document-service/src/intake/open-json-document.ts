import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { SigillumError } from '@sigillum/errors';
import type { Limits } from '../config.ts';
import { decodeBase64 } from './decode-base64.ts';
import type { DocumentBody } from './document-body.ts';
import { readJsonBody } from './read-json-body.ts';

/** `{"document": "base64", "options": {…}}`: for small documents, because all of it stands in memory. */
export async function openJsonDocument(request: IncomingMessage, limits: Limits): Promise<DocumentBody> {
  const { document, options = {}, ...others } = await readJsonBody(request, limits.json_bytes);
  const problems = Object.keys(others).map((name) => ({
    pointer: `/body/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    detail: 'Is not known here: document and options are.',
  }));
  const bytes = typeof document === 'string' ? decodeBase64(document) : undefined;
  if (bytes === undefined) {
    problems.push({ pointer: '/body/document', detail: 'Must be the PDF in base64 (RFC 4648 §4), with padding.' });
  }
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
  if (!isObject) problems.push({ pointer: '/body/options', detail: 'Must be an object.' });
  if (bytes === undefined || !isObject || problems.length > 0) {
    throw new SigillumError('request_invalid', 'The JSON body is not valid.', { fields: problems });
  }
  return {
    options: options as Record<string, unknown>,
    optionsPointer: '/body/options',
    document: Readable.from(bytes.length === 0 ? [] : [bytes]),
    release: () => undefined,
    announcedSize: bytes.length,
    finished: Promise.resolve(),
    abandon: () => undefined,
  };
}
