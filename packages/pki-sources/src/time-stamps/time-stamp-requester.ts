import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import type { TimeStampSource } from '@sigillum/pades';
import {
  encodeTimeStampRequest,
  KnownCertificates,
  type MessageImprint,
  parseTimeStampResponse,
  type TimeStampToken,
  verifyTimeStampToken,
} from '@sigillum/pki';
import { type Agents, exchangeTimeStamp } from './exchange.ts';
import { ServerHealth, type TimeStampServerState } from './server-health.ts';
import { findAuthorizationHeader, type TimeStampServer } from './time-stamp-server.ts';

export type TimeStampRequesterOptions = {
  /** Asked in this order; the next on any failure. */
  readonly sources: readonly TimeStampServer[];
  /** For each server, from connect to the last byte of its answer; a server may have its own. */
  readonly timeoutMs: number;
  /** How long a server is left out after an answer that was not honest. Default five minutes. */
  readonly distrustMs?: number;
  /** How long a server that failed is asked last; doubled with each failure in a row, up to five minutes. Default ten seconds. */
  readonly cooldownMs?: number;
  /** Connections kept to each server at most. Default 32. */
  readonly maxSockets?: number;
  /** The clock. */
  readonly now?: () => Date;
  /** Told of every failure, for logs and metrics. */
  readonly onFailure?: (server: TimeStampServer, error: SigillumError) => void;
};

/** A token with a chain of four certificates and their policies has about 10 KiB. */
const maxAnswerBytes = 64 * 1024;

/** 128 bits: no two requests ever share a nonce. */
const nonceLength = 16;

/** A genTime older than the request by more than this is a stored answer or a wrong clock. */
const maxBehindMs = 60_000;

type Source = {
  readonly server: TimeStampServer;
  readonly url: URL;
  readonly header: readonly [string, string] | undefined;
  readonly health: ServerHealth;
  probe: Promise<void> | undefined;
};

/**
 * Asks time-stamp authorities in order (RFC 3161 over HTTP) until one gives a token that verifies in full: imprint,
 * nonce, policy, certificate, chain, time. A server that lied, that is, whose token didn't verify, is left out for a while; one
 * that was down is asked last for a moment. When that is over a probe asks it first, beside the seals, so that no seal
 * waits for a server that is still down.
 */
export class TimeStampRequester implements TimeStampSource {
  readonly #options: TimeStampRequesterOptions;
  readonly #agents: Agents;
  readonly #sources: readonly Source[];
  readonly #now: () => Date;
  readonly #known = new KnownCertificates();
  readonly #closed = new AbortController();

  /** Throws `config_invalid` for an authorisation that can't be used. */
  constructor(options: TimeStampRequesterOptions) {
    const { maxSockets = 32, distrustMs = 5 * 60_000, cooldownMs = 10_000 } = options;
    this.#options = options;
    this.#agents = {
      http: new http.Agent({ keepAlive: true, maxSockets, scheduling: 'lifo' }),
      https: new https.Agent({ keepAlive: true, maxSockets, scheduling: 'lifo' }),
    };
    this.#sources = options.sources.map((server) => ({
      server,
      url: new URL(server.url),
      header: findAuthorizationHeader(server),
      health: new ServerHealth({ distrustMs, cooldownMs }),
      probe: undefined,
    }));
    this.#now = options.now ?? (() => new Date());
  }

  /** A verified token over `imprint`. Throws `tsa_unavailable` when no server gives one, and the signal's reason. */
  async request(imprint: MessageImprint, signal?: AbortSignal): Promise<TimeStampToken> {
    const causes: unknown[] = [];
    const order = this.#order();
    this.#probeRecovering(order);
    for (const source of order) {
      signal?.throwIfAborted();
      try {
        return await this.#ask(source, imprint, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (!isSigillumError(error)) throw error;
        causes.push(error);
      }
    }
    throw new SigillumError(
      'tsa_unavailable',
      'No time-stamp can be had at the moment. Nothing was sealed; try again.',
      {
        cause: causes.length === 1 ? causes[0] : new AggregateError(causes),
        retryAfterSeconds: 5,
      },
    );
  }

  /**
   * Asks every server that isn't healthy, and isn't left out for a wrong answer, for a time-stamp of nothing, and tells
   * how all are then. To be called now and then where few seals are made. Throws nothing but what isn't ours.
   */
  async probe(): Promise<readonly TimeStampServerState[]> {
    const now = this.#now();
    const asked = this.#sources.filter(({ health }) => ['cooling', 'recovering'].includes(health.stateAt(now)));
    await Promise.all(asked.map((source) => this.#startProbe(source)));
    return this.states();
  }

  /** The health of each server, in the order of the configuration. */
  states(): readonly TimeStampServerState[] {
    const now = this.#now();
    return this.#sources.map(({ server, health }) => health.describe(server.name, now));
  }

  /** Bytes of the last token of the server that would be asked first, to size what it goes into. */
  get lastTokenSize(): number | undefined {
    return this.#order()[0]?.health.lastTokenSize;
  }

  /** Whether a server is left to ask. */
  get isUsable(): boolean {
    return this.#order().length > 0;
  }

  /** Ends idle connections and probes. */
  close(): void {
    this.#closed.abort();
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  /** Healthy ones first, then those that may have recovered, then those that failed just now. */
  #order(): Source[] {
    const now = this.#now();
    const ranks = { healthy: 0, recovering: 1, cooling: 2, distrusted: 3 } as const;
    return this.#sources
      .map((source) => ({ source, rank: ranks[source.health.stateAt(now)] }))
      .filter(({ rank }) => rank < ranks.distrusted)
      .toSorted((left, right) => left.rank - right.rank)
      .map(({ source }) => source);
  }

  /** Only where a healthy one serves the seal meanwhile: else the seal itself finds out. */
  #probeRecovering(order: readonly Source[]): void {
    const now = this.#now();
    if (order[0]?.health.stateAt(now) !== 'healthy') return;
    for (const source of order) {
      if (source.health.stateAt(now) === 'recovering') void this.#startProbe(source);
    }
  }

  /** One probe to each server at a time. */
  #startProbe(source: Source): Promise<void> {
    source.probe ??= this.#runProbe(source).finally(() => {
      source.probe = undefined;
    });
    return source.probe;
  }

  async #runProbe(source: Source): Promise<void> {
    const digest = new Uint8Array(createHash('sha256').update(randomBytes(32)).digest());
    try {
      await this.#ask(source, { algorithm: 'sha256', digest }, this.#closed.signal);
    } catch (error) {
      // Its health has been told already; a probe that close() ended says nothing.
      if (!isSigillumError(error) && !this.#closed.signal.aborted) throw error;
    }
  }

  async #ask(source: Source, imprint: MessageImprint, signal?: AbortSignal): Promise<TimeStampToken> {
    const started = performance.now();
    try {
      const token = await this.#getToken(source, imprint, signal);
      source.health.succeed(this.#now(), performance.now() - started, token.der.length);
      return token;
    } catch (error) {
      if (isSigillumError(error) && !signal?.aborted) {
        source.health.fail(this.#now(), error);
        this.#options.onFailure?.(source.server, error);
      }
      throw error;
    }
  }

  async #getToken({ server, url, header }: Source, imprint: MessageImprint, signal?: AbortSignal) {
    const nonce = createNonce();
    const asked = this.#now();
    const answer = await exchangeTimeStamp({
      url,
      body: encodeTimeStampRequest({ imprint, nonce, policy: server.policy, certReq: true }),
      agents: this.#agents,
      header,
      tlsRoots: server.tlsRoots,
      timeoutMs: server.timeoutMs ?? this.#options.timeoutMs,
      maxAnswerBytes,
      signal,
    });
    const response = parseTimeStampResponse(answer);
    if (!response.granted) {
      const reason = [response.failure ?? `status ${response.status}`, response.text].filter(Boolean).join(': ');
      throw new SigillumError('tsa_unavailable', `The time-stamp authority refused (${reason}).`);
    }
    const token = verifyTimeStampToken(response.token, {
      imprint,
      nonce,
      policy: server.policy,
      roots: server.roots,
      now: this.#now(),
      known: this.#known,
    });
    if (token.genTime.getTime() < asked.getTime() - maxBehindMs) {
      throw new SigillumError('pki_timestamp_token_invalid', 'The time-stamp is not valid. Its time lies in the past.');
    }
    return token;
  }
}

/** Content octets of a positive INTEGER in its shortest form: the first octet is 0x40 … 0x7f. */
function createNonce(): Uint8Array {
  const nonce = randomBytes(nonceLength);
  nonce[0] = ((nonce[0] ?? 0) & 0x7f) | 0x40;
  return nonce;
}
