import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { SigillumError } from '@sigillum/errors';
import type { Limits } from '../config.ts';
import type { DocumentBody } from './document-body.ts';
import { parseJsonObject } from './read-json-body.ts';
import { releaseChunk } from './release-chunk.ts';

/** A logo in base64 is the largest thing in options. */
const maxOptionsBytes = 1024 * 1024;

/** What stands around options and document: delimiters and the heads of both parts, a tenth of it in practice. */
const maxAroundBytes = 16 * 1024;

/** What clients call a PDF. Without a word it is text/plain (RFC 7578 §4.4), which the parser doesn't tell from no word. */
const fileTypes: ReadonlySet<string> = new Set([
  'application/pdf',
  'application/x-pdf',
  'application/octet-stream',
  'text/plain',
]);

/** Two are expected; one more is refused by its name. */
const maxParts = 3;

/** As many as fit: the parser drops what is above its limits without a word, so ours on the bytes has to come first. */
const maxHeaderPairs = maxAroundBytes / 4;

/**
 * A `multipart/form-data` body (RFC 7578) with the parts `options` (a JSON object; may be left out) and then `file`. What
 * stands in another order, twice, or is called otherwise is refused, as soon as it is met.
 */
export function openMultipartDocument(request: IncomingMessage, limits: Limits): Promise<DocumentBody> {
  return new MultipartReader(request, limits).open();
}

class MultipartReader {
  readonly #request: IncomingMessage;
  readonly #maxBytes: number;
  /** What the parser was given last: the document's chunks are views of it. */
  #chunk: Buffer<ArrayBuffer> | undefined;
  #received = 0;
  #optionsBytes = 0;
  #options: Record<string, unknown> | undefined;
  #file: BusboyFileStream | undefined;
  readonly #opened = Promise.withResolvers<DocumentBody>();
  readonly #finished = Promise.withResolvers<void>();

  constructor(request: IncomingMessage, limits: Limits) {
    this.#request = request;
    this.#maxBytes = limits.document_bytes + maxOptionsBytes + maxAroundBytes;
    // Nobody waits for it when the body never opens.
    this.#finished.promise.catch(() => undefined);
  }

  open(): Promise<DocumentBody> {
    const request = this.#request;
    const parser = this.#createParser();
    const onData = (chunk: Buffer<ArrayBuffer>): void => this.#feed(parser, chunk);
    const onEnd = (): void => void parser.end();
    request.on('close', () => {
      if (!request.complete) this.#fail(new SigillumError('request_aborted', 'The caller hung up during the upload.'));
    });
    this.#finished.promise.catch(() => request.off('data', onData).off('end', onEnd).resume());
    request.on('data', onData).on('end', onEnd);
    return this.#opened.promise;
  }

  #feed(parser: BusboyInstance, chunk: Buffer<ArrayBuffer>): void {
    // Of the one before nothing is needed any more: while the document's stream is paused, so is the request.
    if (this.#chunk !== undefined && (this.#file?.readableLength ?? 0) === 0) releaseChunk(this.#chunk);
    this.#chunk = chunk;
    this.#received += chunk.length;
    if (this.#received > this.#maxBytes) return this.#fail(tooLarge());
    parser.write(chunk);
  }

  #createParser(): BusboyInstance {
    let parser: BusboyInstance;
    try {
      parser = new Busboy({
        headers: { ...this.#request.headers, 'content-type': this.#request.headers['content-type'] ?? '' },
        limits: {
          fieldSize: maxOptionsBytes,
          parts: maxParts,
          headerPairs: maxHeaderPairs,
          headerSize: maxAroundBytes,
        },
        // By its name alone: curl sends options from a file with a filename.
        isPartAFile: (name) => name !== 'options',
      });
    } catch (cause) {
      throw invalid('', 'Is not multipart/form-data with a boundary.', cause);
    }
    parser.on('field', (_name, value, _nameTruncated, isTruncated) => this.#takeOptions(value, isTruncated));
    parser.on('file', (name, stream, _filename, _encoding, type) => this.#takeFile(name, stream, type));
    parser.on('partsLimit', () => this.#fail(invalid('', 'Has too many parts: options and file are expected.')));
    parser.on('error', (cause) => this.#fail(invalid('', 'Is not well-formed multipart/form-data.', cause)));
    parser.on('finish', () => {
      const around = this.#received - this.#optionsBytes - (this.#file?.bytesRead ?? 0);
      if (around > maxAroundBytes) {
        this.#fail(invalid('', `May have at most ${maxAroundBytes} bytes of delimiters and heads around its parts.`));
      }
      if (this.#file === undefined)
        this.#fail(invalid('/file', 'Is missing: the PDF has to be in a part of this name.'));
      this.#finished.resolve();
    });
    return parser;
  }

  #takeOptions(value: string, isTruncated: boolean): void {
    if (this.#file !== undefined) return this.#fail(invalid('/options', 'Must stand before the part file.'));
    if (this.#options !== undefined) return this.#fail(invalid('/options', 'Is given more than once.'));
    if (isTruncated) return this.#fail(invalid('/options', `May have at most ${maxOptionsBytes} bytes.`));
    this.#optionsBytes = Buffer.byteLength(value);
    // The parser has put it for each byte that is none of the text's: it would be sealed.
    if (value.includes('\uFFFD')) return this.#fail(invalid('/options', 'Must be UTF-8.'));
    try {
      this.#options = parseJsonObject(value, '/options');
    } catch (error) {
      this.#fail(error);
    }
  }

  #takeFile(name: string | undefined, stream: BusboyFileStream, type: string): void {
    // Its errors come as those of the parser and of the request, too.
    stream.on('error', () => undefined);
    if (name !== 'file' || this.#file !== undefined) {
      stream.resume();
      const detail = name === 'file' ? 'Is given more than once.' : 'Is not known here: options and file are.';
      return this.#fail(invalid(`/${(name ?? '').replaceAll('~', '~0').replaceAll('/', '~1')}`, detail));
    }
    if (!fileTypes.has(type.toLowerCase())) {
      stream.resume();
      return this.#fail(
        new SigillumError('request_media_type_unsupported', 'The part file must be application/pdf.', {
          fields: [{ pointer: '/body/file', detail: 'Must be application/pdf.' }],
        }),
      );
    }
    this.#file = stream;
    const request = this.#request.pause();
    stream.on('pause', () => request.pause()).on('resume', () => request.resume());
    this.#opened.resolve({
      options: this.#options ?? {},
      optionsPointer: '/body/options',
      document: stream,
      // It is a view of what the request brought, which is released as a whole.
      release: () => undefined,
      announcedSize: undefined,
      finished: this.#finished.promise,
      abandon: () => this.#fail(new SigillumError('request_aborted', 'The document is no longer wanted.')),
    });
  }

  /** The first failure counts: it ends the document's stream, and what waits for more. */
  #fail(error: unknown): void {
    this.#opened.reject(error);
    this.#finished.reject(error);
    this.#file?.destroy(Error.isError(error) ? error : undefined);
  }
}

function invalid(pointer: string, detail: string, cause?: unknown): SigillumError {
  return new SigillumError('request_invalid', 'The multipart body is not valid.', {
    cause,
    fields: [{ pointer: `/body${pointer}`, detail }],
  });
}

function tooLarge(): SigillumError {
  return new SigillumError('request_too_large', 'The multipart body is larger than a document may be.');
}
