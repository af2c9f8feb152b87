import { problemMediaType, SigillumError } from '@sigillum/errors';
import { SigillumApiError, type WireProblem } from './api-error.ts';
import type { CredentialResource, Page, SealResource, StatusResource } from './resources.ts';
import { SealedPdf } from './sealed-pdf.ts';

export type SigillumClientOptions = {
  /** Where the service is, `https://seals.example`. */
  readonly url: string;
  /** `sk_test_…` or `sk_live_…`. Only the status needs none. */
  readonly apiKey?: string;
};

export type SealDocumentOptions = {
  /** Name or id; the default one without it. */
  readonly credential?: string;
  readonly level?: 'b-t' | 'b-lt' | 'b-lta';
  readonly reason?: string;
  readonly location?: string;
  readonly contactInfo?: string;
  /** Name of the sealer, beside what the certificate says. */
  readonly name?: string;
  /** Makes it safe to try again: use a new one, a UUID for instance, for each document. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
};

export type PageOptions = { readonly limit?: number; readonly cursor?: string };

/** A problem of ours has some hundred bytes. */
const maxProblemBytes = 64 * 1024;

/**
 * The public API of a Sigillum service. Documents stream in both directions.
 *
 * @example
 * const client = new SigillumClient({ url: 'http://127.0.0.1:8480', apiKey });
 * const sealed = await client.seal(await readFile('in.pdf'), { reason: 'Approved' });
 * await writeFile('out.pdf', await sealed.bytes());
 */
export class SigillumClient {
  readonly #url: URL;
  readonly #apiKey: string | undefined;

  constructor(options: SigillumClientOptions) {
    this.#url = new URL(options.url);
    this.#apiKey = options.apiKey;
  }

  /**
   * Seals one PDF, given as bytes or piece by piece.
   * @throws SigillumApiError what the service says; SigillumError `service_unavailable` when it can't be reached
   */
  async seal(document: Uint8Array | AsyncIterable<Uint8Array>, options: SealDocumentOptions = {}): Promise<SealedPdf> {
    const { credential, level, reason, location, contactInfo, name, idempotencyKey, signal } = options;
    const query = { credential, level, reason, location, contact_info: contactInfo, name };
    const response = await this.#call('/v1/seals', query, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/pdf',
        Accept: `application/pdf, ${problemMediaType}`,
        ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
      },
      ...(document instanceof Uint8Array
        ? { body: Uint8Array.from(document) }
        : { body: ReadableStream.from(document), duplex: 'half' as const }),
      ...(signal === undefined ? {} : { signal }),
    });
    return new SealedPdf(response);
  }

  /** One seal of the journal. */
  getSeal(id: string): Promise<SealResource> {
    return this.#get(`/v1/seals/${encodeURIComponent(id)}`);
  }

  /** A page of the journal, newest first. */
  listSeals(options: PageOptions & { readonly status?: SealResource['status'] } = {}): Promise<Page<SealResource>> {
    return this.#get('/v1/seals', options);
  }

  /** A credential by its id or its name. */
  getCredential(idOrName: string): Promise<CredentialResource> {
    return this.#get(`/v1/credentials/${encodeURIComponent(idOrName)}`);
  }

  /** A page of the credentials, oldest first. */
  listCredentials(options: PageOptions = {}): Promise<Page<CredentialResource>> {
    return this.#get('/v1/credentials', options);
  }

  /** Whether documents can be sealed now. */
  status(): Promise<StatusResource> {
    return this.#get('/v1/status');
  }

  async #get<T>(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): Promise<T> {
    const response = await this.#call(path, query, { headers: { Accept: 'application/json' } });
    // The service's own document says what it answers; this client is typed after it.
    return (await response.json()) as T;
  }

  async #call(
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
    { headers, ...init }: Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> },
  ): Promise<Response> {
    const url = new URL(path, this.#url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const sent = {
      ...headers,
      ...(this.#apiKey === undefined ? {} : { Authorization: `Bearer ${this.#apiKey}` }),
    };
    const response = await reach(url, { ...init, headers: sent, redirect: 'error' });
    if (response.ok) return response;
    throw await readProblem(response);
  }
}

async function reach(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw new SigillumError('service_unavailable', `There is no answer from ${url.origin}.`, { cause });
  }
}

async function readProblem(response: Response): Promise<Error> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const text = (await response.text().catch(() => '')).slice(0, maxProblemBytes);
  const problem = findProblem(text);
  if (problem !== undefined) return new SigillumApiError(problem, Number.isFinite(seconds) ? seconds : undefined);
  return new SigillumError(
    'service_unavailable',
    `The answer (HTTP ${response.status}) is not one of a Sigillum service.`,
  );
}

function findProblem(text: string): WireProblem | undefined {
  try {
    const value = JSON.parse(text) as Partial<WireProblem> | null;
    const isProblem =
      typeof value?.code === 'string' && typeof value.detail === 'string' && typeof value.status === 'number';
    return isProblem ? (value as WireProblem) : undefined;
  } catch {
    return undefined;
  }
}
