import { problemMediaType, SigillumError } from '@sigillum/errors';
import { SigillumApiError, type WireProblem } from './api-error.ts';

/** Values of a query; those that are undefined stay out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

type Call = {
  readonly query?: Query;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
};

/** A problem of ours has some hundred bytes. */
const maxProblemBytes = 64 * 1024;

/** Calls of one service with one key. Connections are kept open between calls. */
export class ApiTransport {
  readonly #url: URL;
  readonly #apiKey: string | undefined;

  constructor(url: string, apiKey: string | undefined) {
    this.#url = new URL(url);
    this.#apiKey = apiKey;
  }

  /** @throws SigillumApiError what the service says; SigillumError `service_unavailable` when it can't be reached */
  async call(path: string, { query = {}, method = 'GET', headers = {}, body, signal }: Call): Promise<Response> {
    const url = new URL(path, this.#url);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const response = await reach(url, {
      method,
      headers: { ...headers, ...(this.#apiKey === undefined ? {} : { Authorization: `Bearer ${this.#apiKey}` }) },
      redirect: 'error',
      ...(body instanceof Uint8Array ? { body: Uint8Array.from(body) } : {}),
      ...(body === undefined || body instanceof Uint8Array
        ? {}
        : { body: ReadableStream.from(body), duplex: 'half' as const }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.ok) return response;
    throw await readProblem(response);
  }

  /** GET of a resource. The service's own document says what it answers; this client is typed after it. */
  get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    return this.#json<T>(path, { query, headers: { Accept: `application/json, ${problemMediaType}` }, signal });
  }

  /** POST of JSON that is answered with JSON. */
  post<T>(path: string, value: unknown, signal?: AbortSignal): Promise<T> {
    return this.send<T>(path, {
      headers: { 'Content-Type': 'application/json' },
      body: new TextEncoder().encode(JSON.stringify(value)),
      signal,
    });
  }

  /** POST of anything that is answered with JSON. */
  send<T>(path: string, call: Call): Promise<T> {
    const headers = { ...call.headers, Accept: `application/json, ${problemMediaType}` };
    return this.#json<T>(path, { ...call, method: 'POST', headers });
  }

  async #json<T>(path: string, call: Call): Promise<T> {
    const response = await this.call(path, call);
    try {
      return (await response.json()) as T;
    } catch (cause) {
      call.signal?.throwIfAborted();
      throw new SigillumError('service_unavailable', 'The answer of the service is not complete, or not one of ours.', {
        cause,
      });
    }
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
