import { randomBytes } from 'node:crypto';
import type { AppearanceFonts } from '@sigillum/appearances';
import { problemMediaType } from '@sigillum/errors';
import { ApiTransport } from './api-transport.ts';
import { makeSealRequest, toKeyHeader, type UploadedDocument } from './document-request.ts';
import { CredentialMemory } from './local/credential-memory.ts';
import type { LocalDocument } from './local/local-document.ts';
import type { LocallySealedPdf } from './local/locally-sealed-pdf.ts';
import { openFonts } from './local/open-fonts.ts';
import { type SealLocallyOptions, sealLocally } from './local/seal-locally.ts';
import { ExtendedPdf, PdfDownload, SealedPdf } from './pdf-download.ts';
import type {
  CredentialResource,
  DocumentTimeStampResource,
  Page,
  SealedDigestResource,
  SealResource,
  StatusResource,
} from './resources.ts';
import type { SealRequestOptions } from './seal-request-options.ts';

export type SigillumClientOptions = {
  /** Where the service is, `https://seals.example`. */
  readonly url: string;
  /** `sk_test_…` or `sk_live_…`. Only the status needs none. */
  readonly apiKey?: string;
  /**
   * Paths of TrueType files for the text of visible seals that are made here ({@link SigillumClient.sealLocally}). Give the
   * files of the service's configuration in the same order, and the seals are the same, byte for byte.
   */
  readonly fonts?: readonly string[];
};

type KeyOptions = {
  /** Makes it safe to try again: use a new one, a UUID for instance, for each document. */
  readonly idempotencyKey?: string;
};

export type SealDocumentOptions = SealRequestOptions & KeyOptions;

export type KeepOptions = {
  /** How long the service keeps the sealed document: seconds, or `15m`, `24h`, `7d`. Its own default: 24 hours. */
  readonly retain?: string | number;
};

export type ExtendOptions = KeyOptions & {
  /** `b-lta` again renews. */
  readonly level: 'b-lt' | 'b-lta';
  readonly signal?: AbortSignal;
};

export type PageOptions = { readonly limit?: number; readonly cursor?: string };

const acceptsPdf = { Accept: `application/pdf, ${problemMediaType}` };

/**
 * The public API of a Sigillum service. Documents stream in both directions.
 *
 * @example
 * const client = new SigillumClient({ url: 'http://127.0.0.1:8480', apiKey });
 * const sealed = await client.seal(await readFile('in.pdf'), { reason: 'Approved', level: 'b-lta' });
 * await writeFile('out.pdf', await sealed.bytes());
 */
export class SigillumClient {
  readonly #transport: ApiTransport;
  readonly #credentials: CredentialMemory;
  readonly #addedFonts: readonly string[];
  #fonts: Promise<AppearanceFonts> | undefined;

  constructor(options: SigillumClientOptions) {
    this.#transport = new ApiTransport(options.url, options.apiKey);
    this.#addedFonts = options.fonts ?? [];
    const transport = this.#transport;
    this.#credentials = new CredentialMemory({
      load: (name, signal) => transport.get(`/v1/credentials/${encodeURIComponent(name)}`, {}, signal),
      now: () => new Date(),
    });
  }

  /**
   * Seals one PDF, given as bytes or piece by piece.
   * @throws SigillumApiError what the service says; SigillumError `service_unavailable` when it can't be reached
   */
  async seal(document: UploadedDocument, options: SealDocumentOptions = {}): Promise<SealedPdf> {
    const request = makeSealRequest(document, options);
    const headers = { ...request.headers, ...acceptsPdf };
    return new SealedPdf(
      await this.#transport.call('/v1/seals', { ...request, method: 'POST', headers, signal: options.signal }),
    );
  }

  /** Seals one PDF that the service then keeps: {@link getDocument} fetches it. */
  sealAndKeep(document: UploadedDocument, options: SealDocumentOptions & KeepOptions = {}): Promise<SealResource> {
    return this.#transport.send('/v1/seals', { ...makeSealRequest(document, options), signal: options.signal });
  }

  /**
   * Seals one PDF that never leaves this machine: only digests are sent. All options of {@link seal} work as there, but
   * `{id}` in texts of an appearance: the seal's id is not known before. A path or file handle is read as it is needed and
   * hashed once, so that a large one takes no memory; a stream is first written to a temporary file when it is long.
   *
   * @throws SigillumApiError and SigillumError as `seal`; what can't be sealed is refused here: `pdf_*`, `docmdp_*`, …;
   * `client_answer_wrong` when the service's answer doesn't fit the document
   * @example
   * const sealed = await client.sealLocally('in.pdf', { level: 'b-lt' });
   * await pipeline(sealed.stream(), createWriteStream('out.pdf'));
   */
  sealLocally(document: LocalDocument, options: SealLocallyOptions = {}): Promise<LocallySealedPdf> {
    const transport = this.#transport;
    return sealLocally(document, options, {
      credentials: this.#credentials,
      sealDigest: (request, signal) => transport.post<SealedDigestResource>('/v1/seals/digest', request, signal),
      timeStampDocument: (id, request, signal) =>
        transport.post<DocumentTimeStampResource>(
          `/v1/seals/${encodeURIComponent(id)}/document-time-stamp`,
          request,
          signal,
        ),
      loadFonts: () => (this.#fonts ??= openFonts(this.#addedFonts)),
      now: () => new Date(),
      random: (length) => new Uint8Array(randomBytes(length)),
    });
  }

  /** Adds validation data (b-lt) and a document time-stamp (b-lta) to a sealed PDF, of ours or of others. */
  async extend(document: UploadedDocument, { level, idempotencyKey, signal }: ExtendOptions): Promise<ExtendedPdf> {
    const headers = { ...toKeyHeader(idempotencyKey), ...acceptsPdf, 'Content-Type': 'application/pdf' };
    return new ExtendedPdf(
      await this.#transport.call('/v1/extensions', {
        method: 'POST',
        query: { level },
        headers,
        body: document,
        signal,
      }),
    );
  }

  /** One seal of the journal. */
  getSeal(id: string): Promise<SealResource> {
    return this.#transport.get(`/v1/seals/${encodeURIComponent(id)}`);
  }

  /** The sealed document of a seal, while it is kept. */
  async getDocument(sealId: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<PdfDownload> {
    const path = `/v1/seals/${encodeURIComponent(sealId)}/document`;
    return new PdfDownload(await this.#transport.call(path, { headers: acceptsPdf, signal }));
  }

  /** A page of the journal, newest first. */
  listSeals(options: PageOptions & { readonly status?: SealResource['status'] } = {}): Promise<Page<SealResource>> {
    return this.#transport.get('/v1/seals', options);
  }

  /** A credential by its id or its name. */
  getCredential(idOrName: string): Promise<CredentialResource> {
    return this.#transport.get(`/v1/credentials/${encodeURIComponent(idOrName)}`);
  }

  /** A page of the credentials, oldest first. */
  listCredentials(options: PageOptions = {}): Promise<Page<CredentialResource>> {
    return this.#transport.get('/v1/credentials', options);
  }

  /** Whether documents can be sealed now. */
  status(): Promise<StatusResource> {
    return this.#transport.get('/v1/status');
  }
}
