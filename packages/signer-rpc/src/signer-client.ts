import { Agent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SignatureAlgorithmName } from '@sigillum/algorithms';
import { type ErrorCode, findCodeDefinition, isErrorCode, SigillumError } from '@sigillum/errors';
import type { z } from 'zod';
import { type Answer, exchange, NeverConnected } from './http-exchange.ts';
import { checkSignerIdentity, hashSignerUri } from './server-identity.ts';
import {
  type HealthAnswer,
  healthAnswerSchema,
  type KeysAnswer,
  keysAnswerSchema,
  type SignContext,
  type SignDigestsRequest,
  signDigestsAnswerSchema,
} from './wire.ts';

/** The client's certificate, its key, and the only roots that are trusted, all PEM texts. */
export type SignerClientTls = { readonly certificate: string; readonly key: string; readonly roots: string };

export type SignerClientOptions = SignerClientTls & {
  /** `https://host:port` of the daemon. */
  readonly url: string;
  /** Connections at most; calls beyond wait for one, within their own time. */
  readonly maxSockets?: number;
  /** The URI SAN that the server must have. */
  readonly serverUri?: string;
};

/** What became of one digest. */
export type SignResult = { readonly signature: Uint8Array } | { readonly code: ErrorCode };

/** Enough to keep the signer processes of one daemon busy. */
const DEFAULT_MAX_SOCKETS = 16;

/** The daemon ends a request at its deadline itself; its answer gets this long to arrive. */
const ANSWER_GRACE_MS = 500;

/** Times of calls that sign nothing. */
const QUERY_TIMEOUT_MS = 5_000;

/** A daemon that restarts refuses connections for a moment. Nothing was sent then, so trying again is safe. */
const CONNECT_RETRIES = 2;
const CONNECT_RETRY_PAUSE_MS = 100;

/** The daemon's client: mTLS with TLS 1.3, keep-alive, typed errors. Signing is never repeated once it may have begun. */
export class SignerClient {
  readonly #options: Omit<SignerClientOptions, keyof SignerClientTls>;
  readonly #url: URL;
  #agent: Agent;
  /** Those before, until their last call has ended. */
  readonly #retired = new Set<Agent>();

  constructor({ certificate, key, roots, ...options }: SignerClientOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    this.#agent = createAgent(options, { certificate, key, roots });
  }

  /** Takes renewed files for connections from now on; calls under way end on the old ones, which then are closed. */
  replaceTls(tls: SignerClientTls): void {
    const old = this.#agent;
    this.#agent = createAgent(this.#options, tls);
    // One renewal may follow another within a call: only agents without a call are done with.
    for (const agent of this.#retired) {
      if (Object.keys(agent.sockets).length === 0) this.#retired.delete(agent);
    }
    this.#retired.add(old);
    closeIdle(old);
    old.on('free', () => closeIdle(old));
  }

  /**
   * Signs 1–100 digests with one key; results in the digests' order, single failures as codes.
   * @throws SigillumError when nothing was signed: `signer_unavailable`, `signer_overloaded` (503), `signer_timeout`
   *   (504), or the daemon's own code (`signer_key_unknown`, `signer_digest_length_wrong`, …).
   */
  async signDigests(request: {
    readonly requestId: string;
    readonly timeoutMs: number;
    readonly keyId: string;
    readonly algorithm: SignatureAlgorithmName;
    readonly digests: readonly { readonly digest: Uint8Array; readonly context: SignContext }[];
  }): Promise<readonly SignResult[]> {
    const deadline = performance.now() + request.timeoutMs;
    const answer = await this.#call('POST', '/v1/signDigests', deadline + ANSWER_GRACE_MS, () => {
      const body: SignDigestsRequest = {
        request_id: request.requestId,
        timeout_ms: Math.max(1, Math.floor(deadline - performance.now())),
        key_id: request.keyId,
        algorithm: request.algorithm,
        digests: request.digests.map(({ digest, context }) => ({
          digest: Buffer.from(digest).toString('base64'),
          context,
        })),
      };
      return Buffer.from(JSON.stringify(body));
    });
    const { results } = parseAnswer(answer, signDigestsAnswerSchema);
    if (results.length !== request.digests.length) throw invalidAnswer();
    return results.map((result) =>
      'signature' in result
        ? { signature: new Uint8Array(Buffer.from(result.signature, 'base64')) }
        : { code: isErrorCode(result.code) ? result.code : 'signer_operation_failed' },
    );
  }

  /** The keys that this client may use. */
  async keys(): Promise<KeysAnswer['keys']> {
    const answer = await this.#call('GET', '/v1/keys', performance.now() + QUERY_TIMEOUT_MS);
    return parseAnswer(answer, keysAnswerSchema).keys;
  }

  /** Whether signatures can be made now. */
  async health(): Promise<HealthAnswer> {
    const answer = await this.#call('GET', '/v1/health', performance.now() + QUERY_TIMEOUT_MS);
    return parseAnswer(answer, healthAnswerSchema);
  }

  /** Closes all connections; calls in flight fail. */
  close(): void {
    this.#agent.destroy();
    for (const agent of this.#retired) agent.destroy();
  }

  async #call(method: 'GET' | 'POST', path: string, until: number, createBody?: () => Uint8Array): Promise<Answer> {
    const url = new URL(path, this.#url);
    for (let attempt = 0; ; attempt += 1) {
      const timeoutMs = Math.max(1, until - performance.now());
      try {
        const body = createBody?.();
        return await exchange({ agent: this.#agent, url, method, timeoutMs, ...(body ? { body } : {}) });
      } catch (error) {
        if (!(error instanceof NeverConnected)) throw error;
        if (attempt >= CONNECT_RETRIES || until - performance.now() < 2 * CONNECT_RETRY_PAUSE_MS + ANSWER_GRACE_MS) {
          const options = { cause: error, retryAfterSeconds: 1 };
          throw new SigillumError('signer_unavailable', 'The hash-signer does not accept connections.', options);
        }
        await sleep(CONNECT_RETRY_PAUSE_MS);
      }
    }
  }
}

function createAgent(
  { serverUri = hashSignerUri, maxSockets }: Omit<SignerClientOptions, keyof SignerClientTls>,
  tls: SignerClientTls,
): Agent {
  return new Agent({
    keepAlive: true,
    maxSockets: maxSockets ?? DEFAULT_MAX_SOCKETS,
    // A resumed session skips the check of the server's name and shows an old certificate to policy.
    maxCachedSessions: 0,
    minVersion: 'TLSv1.3',
    cert: tls.certificate,
    key: tls.key,
    ca: tls.roots,
    checkServerIdentity: (host, certificate) => checkSignerIdentity(host, certificate, serverUri),
  });
}

/** Closes the connections that wait for a call; one that a waiting call has just got isn't among them. */
function closeIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

function invalidAnswer(cause?: unknown): SigillumError {
  return new SigillumError('signer_answer_invalid', 'The hash-signer answered something unexpected.', { cause });
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (cause) {
    throw invalidAnswer(cause);
  }
}

function parseAnswer<Schema extends z.ZodType>(answer: Answer, schema: Schema): z.output<Schema> {
  if (answer.status !== 200) throw toError(answer);
  const parsed = schema.safeParse(parseJson(answer.body));
  if (!parsed.success) throw invalidAnswer(parsed.error);
  return parsed.data;
}

/** The daemon's problem under its own code; an answer that names none becomes the code of its status. */
function toError(answer: Answer): SigillumError {
  const seconds = Number(answer.retryAfter);
  const options = Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : {};
  const code = findProblemCode(answer.body);
  if (code !== undefined) {
    const { title } = findCodeDefinition(code) ?? { title: 'The hash-signer refused' };
    return new SigillumError(code, `The hash-signer answered: ${title}.`, options);
  }
  if (answer.status === 503) return new SigillumError('signer_overloaded', 'The hash-signer is overloaded.', options);
  if (answer.status === 504)
    return new SigillumError('signer_timeout', 'The signature was not ready in time.', options);
  return invalidAnswer();
}

function findProblemCode(body: Buffer): ErrorCode | undefined {
  try {
    const problem = parseJson(body);
    const code = typeof problem === 'object' && problem !== null ? (problem as { code?: unknown }).code : undefined;
    return typeof code === 'string' && isErrorCode(code) ? code : undefined;
  } catch {
    return undefined;
  }
}
