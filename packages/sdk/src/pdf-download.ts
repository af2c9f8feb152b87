import { SigillumError } from '@sigillum/errors';
import { collectBytes } from './collect-bytes.ts';

/** A document on its way here. Read it once: as a stream or as bytes. */
export class PdfDownload {
  /** Bytes of the whole file, as the service announced them. */
  readonly size: number;
  readonly requestId: string;
  readonly #body: ReadableStream<Uint8Array>;

  constructor({ headers, body }: Response) {
    const size = Number(headers.get('content-length'));
    if (body === null || !Number.isSafeInteger(size) || size <= 0) throw notOurs();
    this.size = size;
    this.requestId = headers.get('sigillum-request-id') ?? '';
    this.#body = body;
  }

  /**
   * The document piece by piece.
   * @throws SigillumError `service_unavailable` when the connection ends early: what has come then is no sealed document
   */
  async *stream(): AsyncGenerator<Uint8Array> {
    let received = 0;
    try {
      for await (const chunk of this.#body) {
        received += chunk.length;
        yield chunk;
      }
    } catch (cause) {
      throw new SigillumError('service_unavailable', 'The connection broke before the document was complete.', {
        cause,
      });
    }
    if (received !== this.size) {
      throw new SigillumError('service_unavailable', 'The document that came is not complete.');
    }
  }

  /** The whole document in memory. */
  bytes(): Promise<Uint8Array> {
    return collectBytes(this.stream(), this.size);
  }
}

/** A sealed document, just made. */
export class SealedPdf extends PdfDownload {
  /** `seal_…` */
  readonly sealId: string;
  /** Whether an earlier request with the same idempotency key made the seal. */
  readonly replayed: boolean;

  constructor(response: Response) {
    super(response);
    this.sealId = getHeader(response, 'sigillum-seal-id');
    this.replayed = response.headers.get('sigillum-replayed') === 'true';
  }
}

/** An extended document, just made. */
export class ExtendedPdf extends PdfDownload {
  /** `ext_…` */
  readonly extensionId: string;
  /** Signatures that could not be extended; `left_alone` of the extension says which, and why. */
  readonly leftAlone: number;
  /** Whether an earlier request with the same idempotency key made it. */
  readonly replayed: boolean;

  constructor(response: Response) {
    super(response);
    this.extensionId = getHeader(response, 'sigillum-extension-id');
    this.leftAlone = Number(response.headers.get('sigillum-left-alone') ?? 0);
    this.replayed = response.headers.get('sigillum-replayed') === 'true';
  }
}

function getHeader({ headers }: Response, name: string): string {
  const value = headers.get(name);
  if (value === null) throw notOurs();
  return value;
}

function notOurs(): SigillumError {
  return new SigillumError('service_unavailable', 'The answer is not one of a Sigillum service.');
}
