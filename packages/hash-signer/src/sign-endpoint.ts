import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { problemMediaType, SigillumError, toProblem } from '@sigillum/errors';
import { createRequestId, type LogFields, type Logger, type Metrics, requestIdHeader } from '@sigillum/service-kit';
import { MAX_DIGESTS, MAX_REQUEST_BYTES, signDigestsRequestSchema } from '@sigillum/signer-rpc';
import type { Authorisation } from './authorisation.ts';
import type { Policy } from './client-policy.ts';
import type { Limits } from './config.ts';
import { dropUnreadAnswer } from './drop-unread-answer.ts';
import type { KeyRegistry } from './key-registry.ts';
import { readJsonBody } from './read-json-body.ts';
import type { DigestSigning } from './sign-digests.ts';
import type { SignerMetrics } from './signer-metrics.ts';

export const SIGN_PATH = '/v1/signDigests';

export type SignEndpointOptions = {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly signerMetrics: Pick<SignerMetrics, 'refused'>;
  readonly authorisation: Authorisation;
  readonly policy: Policy;
  readonly registry: KeyRegistry;
  readonly signing: DigestSigning;
  readonly limits: Pick<Limits, 'unread_answer_ms'>;
};

/** SHA-256 in base64 and the JSON around it with an empty context. */
const LEAST_DIGEST_BYTES = 70;

/** An answer that nobody waited for, as in the access logs of other servers. */
const CALLER_HUNG_UP = 499;

/**
 * `POST /v1/signDigests` on node:http itself: express, its body parser and a browser's security headers cost as much
 * as the rest of a request for one signature. Log line, metrics and problems are those of the other methods.
 */
export function createSignEndpoint(options: SignEndpointOptions): RequestListener {
  return (request, response) => {
    new SignExchange(options, request, response).run().catch((error: unknown) => {
      options.logger.error('unexpected error', { error });
      response.destroy();
    });
  };
}

/** One request and its answer. */
class SignExchange {
  readonly #with: SignEndpointOptions;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #requestId = createRequestId();
  readonly #arrivedAt = performance.now();
  /** Of the line in the log. */
  #fields: LogFields = {};

  constructor(options: SignEndpointOptions, request: IncomingMessage, response: ServerResponse) {
    this.#with = options;
    this.#request = request;
    this.#response = response;
  }

  async run(): Promise<void> {
    const response = this.#response;
    this.#with.metrics.http.inFlight.inc();
    // 'close' comes exactly once, after the end as after a caller that hung up.
    response.once('close', () => this.#record());
    dropUnreadAnswer(response, this.#with.limits.unread_answer_ms);
    try {
      const answer = await this.#sign();
      // Recorded in any case; only the answer needs somebody who listens.
      if (!response.destroyed) this.#end(200, 'application/json; charset=utf-8', JSON.stringify(answer));
    } catch (error) {
      this.#refuse(error);
    }
  }

  async #sign() {
    const { authorisation, policy, registry, signing } = this.#with;
    if (this.#request.method !== 'POST') {
      this.#response.setHeader('Allow', 'POST');
      throw new SigillumError('request_method_not_allowed', 'This path takes POST.');
    }
    const client = authorisation.check(this.#request, this.#response, 'signDigests', (name) => {
      this.#fields = { client: name };
    });
    // Before the body: what is refused anyway must cost as little as it can.
    signing.assertRoom(client, countAtMost(this.#request));
    const body = parse(await readJsonBody(this.#request, MAX_REQUEST_BYTES));
    const key = policy.getKey(client, registry, body.key_id);
    this.#fields = {
      client: client.name,
      rpc_request_id: body.request_id,
      key_id: key.keyId,
      digests: body.digests.length,
    };
    return await signing.sign(client, key, body, this.#arrivedAt);
  }

  #refuse(error: unknown): void {
    const { logger } = this.#with;
    const problem = toProblem(error, this.#requestId);
    this.#fields = { ...this.#fields, code: problem.code };
    const request_id = this.#requestId;
    if (error instanceof SigillumError) this.#with.signerMetrics.refused.inc({ code: problem.code });
    if (!(error instanceof SigillumError)) logger.error('unexpected error', { request_id, error });
    // Shed requests have the code in their own line: under a flood a stack for each would be the next overload.
    else if (problem.status >= 500 && (error.retryAfterSeconds === undefined || error.cause !== undefined)) {
      logger.warn('request failed', { request_id, error });
    }
    if (this.#response.destroyed) return;
    if (error instanceof SigillumError && error.retryAfterSeconds !== undefined) {
      this.#response.setHeader('Retry-After', Math.ceil(error.retryAfterSeconds));
    }
    this.#end(problem.status, problemMediaType, JSON.stringify(problem));
  }

  #end(status: number, type: string, body: string): void {
    const bytes = Buffer.byteLength(body);
    const fixed = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
    const own = { [requestIdHeader]: this.#requestId, 'Content-Type': type, 'Content-Length': bytes };
    this.#response.writeHead(status, { ...fixed, ...own });
    this.#response.end(body);
  }

  #record(): void {
    const { logger, metrics } = this.#with;
    const ms = performance.now() - this.#arrivedAt;
    const status = this.#response.writableFinished ? this.#response.statusCode : CALLER_HUNG_UP;
    const method = this.#request.method === 'POST' ? 'POST' : 'OTHER';
    metrics.http.inFlight.dec();
    metrics.http.duration.observe({ method, route: SIGN_PATH, status: String(status) }, ms / 1000);
    logger.info('request', {
      request_id: this.#requestId,
      method,
      route: SIGN_PATH,
      status,
      ms: Math.round(ms * 1000) / 1000,
      ...this.#fields,
    });
  }
}

/** How many digests a body of this length can have. */
function countAtMost({ headers }: IncomingMessage): number {
  const length = Number(headers['content-length'] ?? Infinity);
  return Math.min(MAX_DIGESTS, Math.max(1, Math.floor(length / LEAST_DIGEST_BYTES)));
}

/** @throws `request_invalid` with a pointer to each field that is wrong */
function parse(body: unknown) {
  const parsed = signDigestsRequestSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => ({
    pointer: issue.path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
    detail: issue.message,
  }));
  throw new SigillumError('request_invalid', 'The request does not have the form of the contract.', { fields });
}
