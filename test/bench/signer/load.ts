/**
 * The load generator, a process of its own: one JSON order on the command line, one JSON report on its output.
 * Without a rate each connection sends again as soon as it has an answer; with one, requests are due at fixed times,
 * whatever the answers do, and a latency begins when a request was due.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { getVerifyParameters, getDigestOf, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { LoadConnection, type RawAnswer, readIdentity } from './load-connection.ts';

/** What is asked of one key. */
export type LoadStream = {
  readonly keyId: string;
  readonly algorithm: SignatureAlgorithmName;
  readonly spki: string;
  /** Digests in a request. */
  readonly batch: number;
  readonly connections: number;
  /** Requests a second. */
  readonly rate?: number;
};

export type LoadOrder = {
  readonly port: number;
  readonly tlsFolder: string;
  readonly client: string;
  readonly seconds: number;
  readonly timeoutMs: number;
  readonly streams: readonly LoadStream[];
};

export type StreamReport = {
  /** Until the last answer. */
  readonly seconds: number;
  /** Requests by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly signatures: number;
  /** Of the signatures verified here (a sample): those that were wrong. */
  readonly wrong: number;
  readonly verified: number;
  /** Due, but no connection was free: they were not sent. */
  readonly notSent: number;
  /** Of requests with status 200. */
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

export type LoadReport = {
  readonly generatorCpuMs: number;
  readonly streams: readonly StreamReport[];
};

/** One of so many answers is verified with node:crypto: all of them would make the generator the bottleneck. */
const verifyEvery = 199;

const message = Buffer.from('what the bench signs');

class Stream {
  readonly #order: LoadStream;
  readonly #request: Buffer;
  readonly #publicKey: KeyObject;
  readonly #statuses = new Map<number, number>();
  readonly #latencies: number[] = [];
  readonly #free: LoadConnection[] = [];
  readonly #all: LoadConnection[] = [];
  #answers = 0;
  #signatures = 0;
  #wrong = 0;
  #verified = 0;
  #notSent = 0;
  #issued = 0;
  #lastAnswerAt = 0;
  #seconds = 0;
  isOver = false;

  constructor(order: LoadStream, timeoutMs: number) {
    this.#order = order;
    this.#publicKey = createPublicKey({ key: Buffer.from(order.spki, 'base64'), format: 'der', type: 'spki' });
    const digest = createHash(getDigestOf(order.algorithm).name).update(message).digest('base64');
    const context = { organisation: 'org_bench', seal_id: 'seal_bench' };
    const body = JSON.stringify({
      request_id: 'bench',
      timeout_ms: timeoutMs,
      key_id: order.keyId,
      algorithm: order.algorithm,
      digests: Array.from({ length: order.batch }, () => ({ digest, context })),
    });
    const head = 'POST /v1/signDigests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    this.#request = Buffer.from(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  async connect(port: number, identity: SecureContext): Promise<void> {
    for (let index = 0; index < this.#order.connections; index += 1) {
      const onAnswer = (answer: RawAnswer, connection: LoadConnection): void => this.#accept(answer, connection);
      this.#all.push(await LoadConnection.open(port, identity, onAnswer));
    }
    this.#free.push(...this.#all);
  }

  /** All that is due by now. */
  issue(startedAt: number): void {
    const now = performance.now();
    const { rate } = this.#order;
    if (rate === undefined) {
      for (const connection of this.#free.splice(0)) connection.send(this.#request, now);
      return;
    }
    const due = Math.floor(((now - startedAt) / 1000) * rate);
    for (; this.#issued < due; this.#issued += 1) {
      // In turn: a connection that is never used is closed by the server.
      const connection = this.#free.shift();
      if (connection) connection.send(this.#request, startedAt + (this.#issued * 1000) / rate);
      else this.#notSent += 1;
    }
  }

  /** What is under way still counts, and is not left to whatever is measured next. */
  async drain(startedAt: number): Promise<void> {
    const until = performance.now() + drainLimitMs;
    while (this.#free.length < this.#all.length) {
      if (performance.now() > until) throw new Error('an answer did not come');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    this.#seconds = (this.#lastAnswerAt - startedAt) / 1000;
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #accept({ status, body }: RawAnswer, connection: LoadConnection): void {
    const now = performance.now();
    this.#lastAnswerAt = now;
    this.#answers += 1;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status === 200) {
      this.#latencies.push(now - connection.sentAt);
      this.#countSignatures(body);
    }
    if (this.#order.rate === undefined && !this.isOver) connection.send(this.#request, now);
    else {
      // The server closes what idles while others are still waited for.
      if (this.isOver) connection.close();
      this.#free.push(connection);
    }
  }

  #countSignatures(body: Buffer): void {
    if (this.#answers % verifyEvery !== 1) {
      // A partly failed batch is longer in codes and shorter in bytes; the sample below parses what it counts.
      this.#signatures += this.#order.batch;
      return;
    }
    const { results } = JSON.parse(body.toString('utf8')) as { results: { signature?: string; code?: string }[] };
    const { digest, key } = getVerifyParameters(this.#order.algorithm, this.#publicKey);
    for (const { signature } of results) {
      if (signature === undefined) throw new Error('a batch failed in part');
      this.#signatures += 1;
      this.#verified += 1;
      if (!verify(digest, message, key, Buffer.from(signature, 'base64'))) this.#wrong += 1;
    }
  }

  report(): StreamReport {
    const sorted = Float64Array.from(this.#latencies).sort();
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      seconds: this.#seconds,
      statuses: Object.fromEntries(this.#statuses),
      signatures: this.#signatures,
      wrong: this.#wrong,
      verified: this.#verified,
      notSent: this.#notSent,
      p50Ms: at(0.5),
      p90Ms: at(0.9),
      p99Ms: at(0.99),
      maxMs: at(1),
    };
  }
}

/** The longest that a measured request may take. */
const drainLimitMs = 60_000;

/** How often requests with a rate are looked for. */
const tickMs = 2;

async function run(order: LoadOrder): Promise<LoadReport> {
  const identity = readIdentity(order.tlsFolder, order.client);
  const streams = order.streams.map((stream) => new Stream(stream, order.timeoutMs));
  for (const stream of streams) await stream.connect(order.port, identity);
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const issue = (): void => {
    for (const stream of streams) stream.issue(startedAt);
  };
  issue();
  const isPaced = order.streams.some(({ rate }) => rate !== undefined);
  const timer = isPaced ? setInterval(issue, tickMs) : undefined;
  await new Promise((resolve) => setTimeout(resolve, order.seconds * 1000));
  clearInterval(timer);
  for (const stream of streams) stream.isOver = true;
  for (const stream of streams) await stream.drain(startedAt);
  const { user, system } = process.cpuUsage(cpuBefore);
  const report = {
    generatorCpuMs: (user + system) / 1000,
    streams: streams.map((stream) => stream.report()),
  };
  for (const stream of streams) stream.close();
  return report;
}

if (process.argv[1] === import.meta.filename) {
  const report = await run(JSON.parse(process.argv[2] ?? '') as LoadOrder);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exit(0);
}
