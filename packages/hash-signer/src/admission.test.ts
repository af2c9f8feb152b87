import { describe, expect, test } from '@jest/globals';
import { Admission } from './admission.ts';

const LANES = 8;
const EXECUTION_MS = 10;
const INTERVAL_MS = EXECUTION_MS / LANES;

/** An HSM of eight lanes with ten milliseconds a signature: one completion each 1.25 ms, all of a busy second. */
function createBusy(maxQueueMs: number) {
  const admission = new Admission({ maxQueueMs, maxBurstMs: 1_000 });
  let now = 0;
  for (; now < 1_000; now += INTERVAL_MS) admission.complete('seal', EXECUTION_MS, 20, now);
  const mayEnter = (ahead: number, digests = 1, isFirst = false): boolean =>
    admission.mayEnter('seal', { digests, isFirst }, { ahead, lanes: LANES }, now);
  const pass = (ms: number): void => void (now += ms);
  return { admission, mayEnter, pass, now: () => now };
}

describe('admission', () => {
  test('takes whoever finds nobody waiting, before anything is known', () => {
    const admission = new Admission({ maxQueueMs: 10, maxBurstMs: 1_000 });
    expect(admission.mayEnter('seal', { digests: 100, isFirst: false }, { ahead: 0, lanes: LANES }, 5)).toBe(true);
    expect(admission.mayEnter('seal', { digests: 1, isFirst: false }, { ahead: 100, lanes: LANES }, 5)).toBe(true);
  });

  test('under constant work refuses when what is ahead will take longer than the bound, at the real pace', () => {
    const { mayEnter } = createBusy(20);
    expect(mayEnter(16)).toBe(true);
    expect(mayEnter(17)).toBe(false);
  });

  test('lets everybody wait for one execution, so that the lanes of a slow HSM never run empty', () => {
    const { mayEnter } = createBusy(1);
    expect(mayEnter(7)).toBe(true);
    expect(mayEnter(9)).toBe(false);
  });

  test('lets a batch wait for others of its size, so that it is not refused for ever', () => {
    const { mayEnter } = createBusy(10);
    expect(mayEnter(200)).toBe(false);
    expect(mayEnter(200, 100)).toBe(true);
    expect(mayEnter(300, 100)).toBe(false);
  });

  test('lets a client with nothing in the house wait for what batches of others may put before it', () => {
    const { mayEnter } = createBusy(10);
    expect(mayEnter(397)).toBe(false);
    expect(mayEnter(397, 1, true)).toBe(true);
    expect(mayEnter(500, 1, true)).toBe(false);
  });

  test('takes a burst after a pause, up to its own bound, and only what comes at once', () => {
    const { admission, mayEnter, pass, now } = createBusy(10);
    admission.complete('seal', EXECUTION_MS, 0, now());
    expect(mayEnter(0)).toBe(true);
    expect(mayEnter(400)).toBe(true);
    pass(29);
    expect(mayEnter(400)).toBe(true);
    pass(2);
    expect(mayEnter(400)).toBe(false);
  });

  test('is no way round: nobody waits longer than the bound of a burst', () => {
    const { admission, mayEnter, now } = createBusy(10);
    admission.complete('seal', EXECUTION_MS, 0, now());
    expect(mayEnter(801)).toBe(false);
  });

  test('takes no burst soon after it has refused: in an overload a short pause is none', () => {
    const { admission, mayEnter, pass, now } = createBusy(10);
    expect(mayEnter(100)).toBe(false);
    admission.refuse('seal', now());
    pass(900);
    expect(mayEnter(0)).toBe(true);
    expect(mayEnter(100)).toBe(false);
    pass(101);
    // Only asked and not turned away since: that is calm.
    expect(mayEnter(0)).toBe(true);
    expect(mayEnter(100)).toBe(true);
    admission.refuse('seal', now());
    pass(1_100);
    expect(mayEnter(0)).toBe(true);
    expect(mayEnter(100)).toBe(true);
  });

  test('follows an HSM that becomes slower, and judges each purpose by itself', () => {
    const { admission, mayEnter, now } = createBusy(20);
    let at = now();
    for (let count = 0; count < 100; count += 1) admission.complete('seal', 80, 20, (at += 10));
    expect(admission.mayEnter('seal', { digests: 1, isFirst: false }, { ahead: 16, lanes: LANES }, at)).toBe(false);
    expect(admission.mayEnter('timestamp', { digests: 1, isFirst: false }, { ahead: 1, lanes: LANES }, at)).toBe(true);
    expect(mayEnter(0)).toBe(true);
  });

  test('takes the time in which nobody was there for no pace: who waited had gone without a completion', () => {
    const { admission, mayEnter, pass, now } = createBusy(20);
    pass(3_600_000);
    expect(mayEnter(0)).toBe(true);
    admission.complete('seal', EXECUTION_MS, 1, now());
    expect(mayEnter(16)).toBe(true);
  });

  test('is not wrong for ever after the HSM hung: a pace that nobody measures ends', () => {
    const { admission, mayEnter, pass, now } = createBusy(20);
    pass(60_000);
    admission.complete('seal', EXECUTION_MS, 1, now());
    expect(mayEnter(1)).toBe(false);
    // From here on nobody waits, because nobody may: no completion says more.
    for (let second = 0; second < 11; second += 1) {
      pass(1_000);
      expect(mayEnter(0)).toBe(true);
      admission.complete('seal', EXECUTION_MS, 0, now());
    }
    expect(mayEnter(8)).toBe(true);
    expect(mayEnter(1_000)).toBe(false);
  });
});
