import { Agent, request } from 'node:http';

/** Who is asked, with what, how often and how many times at once. */
export type SealLoad = {
  readonly url: string;
  readonly apiKey: string;
  readonly document: Uint8Array;
  readonly count: number;
  readonly inFlight: number;
  /** Told how many milliseconds each took, for who puts several runs together. */
  readonly onSeal?: (ms: number) => void;
};

/** Milliseconds are from the first byte of a request to the last of its answer, as the caller sees them. */
export type LoadResult = {
  readonly count: number;
  readonly inFlight: number;
  readonly sealsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** Asks for `count` seals over kept-alive connections, never more than `inFlight` at once. Any failure ends the bench. */
export async function runSealLoad(load: SealLoad): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.inFlight });
  const durations: number[] = [];
  let begun = 0;
  const work = async (): Promise<void> => {
    while (begun < load.count) {
      begun += 1;
      const started = performance.now();
      await requestSeal(load, agent);
      const ms = performance.now() - started;
      durations.push(ms);
      load.onSeal?.(ms);
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: load.inFlight }, work));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  durations.sort((left, right) => left - right);
  return {
    count: load.count,
    inFlight: load.inFlight,
    sealsPerSecond: load.count / seconds,
    p50Ms: pick(durations, 0.5),
    p99Ms: pick(durations, 0.99),
  };
}

function requestSeal({ url, apiKey, document }: SealLoad, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}/v1/seals?credential=p256`,
      {
        method: 'POST',
        agent,
        headers: {
          Authorization: `Bearer ${apiKey}`,
          'Content-Type': 'application/pdf',
          'Content-Length': document.length,
        },
      },
      (answer) => {
        let size = 0;
        answer.on('data', (chunk: Buffer) => (size += chunk.length));
        answer.on('error', reject);
        answer.on('end', () => {
          if (answer.statusCode === 201 && size > document.length) resolve();
          else reject(new Error(`a seal was answered ${answer.statusCode} with ${size} bytes`));
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(document);
  });
}

/** The nearest-rank quantile of sorted values. */
export function pick(sorted: readonly number[], quantile: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * quantile) - 1)] ?? Number.NaN;
}
