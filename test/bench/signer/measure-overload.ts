import { loadOn } from './measure-daemon.ts';
import type { OverloadTurn } from './result.ts';
import type { MeasuredKey, Stand } from './stand.ts';

/** Connections of the generator: each carries one request, so fewer would themselves be the queue. */
const connections = 200;

/** The bound on waiting that is measured: the default is for those who would rather wait than be refused. */
const maxQueueMs = 10;

type Case = {
  readonly what: string;
  readonly key: MeasuredKey;
  /** What each signature takes, by the fault shim; 0 for what the module needs. */
  readonly takesMs: number;
  readonly lanes: number;
};

const cases: readonly Case[] = [
  { what: 'an HSM of 10 ms, 8 lanes, P-256', key: 'p256', takesMs: 10, lanes: 4 },
  { what: 'SoftHSM, RSA-3072 PSS', key: 'rsa-pss-3072', takesMs: 0, lanes: 2 },
];

/** p99 of what is accepted at twice the capacity, beside p99 at 70 % of it. */
export async function measureOverload(
  stand: Stand,
  options: { readonly turns: number; readonly seconds: number; readonly say: (what: string) => void },
): Promise<OverloadTurn[]> {
  const results: OverloadTurn[] = [];
  for (const [index, one] of cases.entries()) {
    const daemon = await stand.start(`overload-${index}`, {
      viaShim: one.takesMs > 0,
      token: { signers: 2, lanes: one.lanes },
      limits: { connections_per_client: 256, max_queue_ms: maxQueueMs },
    });
    if (one.takesMs > 0) stand.home.shim.set([`C_Sign takes ${one.takesMs}`]);
    const load = async (seconds: number, inFlight: number, rate?: number) => {
      const { key } = one;
      const report = await loadOn(stand, daemon, seconds, {
        key,
        batch: 1,
        inFlight,
        ...(rate === undefined ? {} : { rate }),
      });
      const [stream] = report.streams;
      if (!stream || stream.wrong > 0) throw new Error('a wrong signature');
      const accepted = stream.statuses['200'] ?? 0;
      const refused = Object.entries(stream.statuses).reduce((sum, [status, n]) => sum + (status === '200' ? 0 : n), 0);
      return { ...stream, acceptedPerSecond: accepted / stream.seconds, refused };
    };
    await load(1, 8);
    for (let turn = 0; turn < options.turns; turn += 1) {
      options.say(`overload, ${one.what}, turn ${turn + 1} of ${options.turns}`);
      const { acceptedPerSecond: capacity } = await load(options.seconds, 4 * one.lanes);
      const at70 = await load(options.seconds, connections, capacity * 0.7);
      const twice = await load(options.seconds, connections, capacity * 2);
      results.push({
        what: one.what,
        capacity,
        at70: { p50Ms: at70.p50Ms, p99Ms: at70.p99Ms, refused: at70.refused },
        atTwice: {
          p50Ms: twice.p50Ms,
          p99Ms: twice.p99Ms,
          acceptedPerSecond: twice.acceptedPerSecond,
          refused: twice.refused,
          notSent: twice.notSent,
        },
      });
    }
    stand.home.shim.clear();
    await daemon.stop();
  }
  return results;
}
