import { SigillumError } from '@sigillum/errors';

/** A sealed document on its way here. Read it once: as a stream or as bytes. */
export class SealedPdf {
  /** `seal_…` */
  readonly sealId: string;
  /** Bytes of the whole file, as the service announced them. */
  readonly size: number;
  /** Whether an earlier request with the same idempotency key made the seal. */
  readonly replayed: boolean;
  readonly requestId: string;
  readonly #body: ReadableStream<Uint8Array>;

  constructor(response: Response) {
    const { headers, body } = response;
    const sealId = headers.get('sigillum-seal-id');
    const size = Number(headers.get('content-length'));
    if (sealId === null || body === null || !Number.isSafeInteger(size) || size <= 0) {
      throw new SigillumError('service_unavailable', 'The answer is not one of a Sigillum service.');
    }
    this.sealId = sealId;
    this.size = size;
    this.replayed = headers.get('sigillum-replayed') === 'true';
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
  async bytes(): Promise<Uint8Array> {
    const whole = new Uint8Array(this.size);
    let offset = 0;
    for await (const chunk of this.stream()) {
      whole.set(chunk, offset);
      offset += chunk.length;
    }
    return whole;
  }
}
