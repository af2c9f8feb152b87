import { measureDaemon } from './measure-daemon.ts';
import type { SlowHsmTurn } from './result.ts';
import type { Stand } from './stand.ts';

const latencyMs = 10;
const signers = 2;

/** Lanes of each signer process, and what is sent: enough in flight that no lane waits for us. */
const shapes = [
  { lanes: 4, batch: 1, inFlight: 64 },
  { lanes: 4, batch: 10, inFlight: 16 },
  { lanes: 16, batch: 10, inFlight: 16 },
] as const;

/** An HSM of which each signature takes 10 ms from call to return, by the fault shim: how much of lanes / latency arrives. */
export async function measureSlowHsm(
  stand: Stand,
  options: { readonly turns: number; readonly seconds: number; readonly say: (what: string) => void },
): Promise<SlowHsmTurn[]> {
  const results: SlowHsmTurn[] = [];
  for (const { lanes, batch, inFlight } of shapes) {
    options.say(`an HSM of ${latencyMs} ms, ${signers} × ${lanes} lanes, batches of ${batch}`);
    const daemon = await stand.start(`slow-${lanes}-${batch}`, {
      viaShim: true,
      token: { signers, lanes },
    });
    stand.home.shim.set([`C_Sign takes ${latencyMs}`]);
    await measureDaemon(stand, daemon, { key: 'p256', batch, inFlight, seconds: 1 });
    for (let turn = 0; turn < options.turns; turn += 1) {
      const { perSecond, p99Ms } = await measureDaemon(stand, daemon, {
        key: 'p256',
        batch,
        inFlight,
        seconds: options.seconds,
      });
      const possible = (signers * lanes * 1000) / latencyMs;
      results.push({
        latencyMs,
        lanes: signers * lanes,
        batch,
        inFlight,
        perSecond,
        ratio: perSecond / possible,
        p99Ms,
      });
    }
    stand.home.shim.clear();
    await daemon.stop();
  }
  return results;
}
