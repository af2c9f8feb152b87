import { randomBytes } from 'node:crypto';
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
import type { TimeStampServer } from './time-stamp-server.ts';

export type { TimeStampServer } from './time-stamp-server.ts';

export type TimeStampRequesterOptions = {
  /** Asked in this order; the next on any failure. */
  readonly sources: readonly TimeStampServer[];
  /** For each server, from connect to the last byte of its answer. */
  readonly timeoutMs: number;
  /** How long a server is left out after an answer that was not honest. Default five minutes. */
  readonly distrustMs?: number;
  /** How long a server that failed is asked last. Default ten seconds. */
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

type Health = { distrustedUntil: number; coolUntil: number; lastTokenSize: number | undefined };

/**
 * Asks time-stamp authorities in order (RFC 3161 over HTTP) until one gives a token that verifies in full: imprint,
 * nonce, policy, certificate, chain, time. A server that lied, that is, whose token didn't verify, is left out for a while; one
 * that was down is asked last for a moment.
 */
export class TimeStampRequester implements TimeStampSource {
  readonly #options: TimeStampRequesterOptions;
  readonly #agents: Agents;
  readonly #health: ReadonlyMap<TimeStampServer, Health>;
  readonly #now: () => Date;
  readonly #known = new KnownCertificates();

  constructor(options: TimeStampRequesterOptions) {
    const maxSockets = options.maxSockets ?? 32;
    this.#options = options;
    this.#agents = {
      http: new http.Agent({ keepAlive: true, maxSockets, scheduling: 'lifo' }),
      https: new https.Agent({ keepAlive: true, maxSockets, scheduling: 'lifo' }),
    };
    this.#health = new Map(
      options.sources.map((server) => [server, { distrustedUntil: 0, coolUntil: 0, lastTokenSize: undefined }]),
    );
    this.#now = options.now ?? (() => new Date());
  }

  /** A verified token over `imprint`. Throws `tsa_unavailable` when no server gives one, and the signal's reason. */
  async request(imprint: MessageImprint, signal?: AbortSignal): Promise<TimeStampToken> {
    const causes: unknown[] = [];
    for (const [server, health] of this.#order()) {
      signal?.throwIfAborted();
      try {
        const token = await this.#ask(server, imprint, signal);
        health.coolUntil = 0;
        health.lastTokenSize = token.der.length;
        return token;
      } catch (error) {
        signal?.throwIfAborted();
        if (!isSigillumError(error)) throw error;
        causes.push(error);
        this.#punish(server, health, error);
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

  /** Bytes of the last token of the server that would be asked first, to size what it goes into. */
  get lastTokenSize(): number | undefined {
    return this.#order()[0]?.[1].lastTokenSize;
  }

  /** Whether a server is left to ask. */
  get isUsable(): boolean {
    return this.#order().length > 0;
  }

  /** Ends idle connections. */
  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #order(): [TimeStampServer, Health][] {
    const now = this.#now().getTime();
    const usable = [...this.#health].filter(([, health]) => health.distrustedUntil <= now);
    return usable.toSorted(([, left], [, right]) => Number(left.coolUntil > now) - Number(right.coolUntil > now));
  }

  async #ask(server: TimeStampServer, imprint: MessageImprint, signal?: AbortSignal): Promise<TimeStampToken> {
    const nonce = createNonce();
    const asked = this.#now();
    const answer = await exchangeTimeStamp({
      url: new URL(server.url),
      body: encodeTimeStampRequest({ imprint, nonce, policy: server.policy, certReq: true }),
      agents: this.#agents,
      timeoutMs: this.#options.timeoutMs,
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

  #punish(server: TimeStampServer, health: Health, error: SigillumError): void {
    const now = this.#now().getTime();
    if (error.code === 'tsa_unavailable') health.coolUntil = now + (this.#options.cooldownMs ?? 10_000);
    else health.distrustedUntil = now + (this.#options.distrustMs ?? 5 * 60_000);
    this.#options.onFailure?.(server, error);
  }
}

/** Content octets of a positive INTEGER in its shortest form: the first octet is 0x40 … 0x7f. */
function createNonce(): Uint8Array {
  const nonce = randomBytes(nonceLength);
  nonce[0] = ((nonce[0] ?? 0) & 0x7f) | 0x40;
  return nonce;
}
