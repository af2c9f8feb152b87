import { beforeEach, describe, expect, test } from '@jest/globals';
import { IssuingQueue, type ListenerName, maxBatchesInFlight } from './issuing-queue.ts';

/** One request, by its number among those of its listener. */
type Request = string;
type Batch = { readonly requests: readonly Request[]; finish(): Promise<void> };

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('batches of time-stamps', () => {
  let queue: IssuingQueue<Request, string>;
  /** Those in flight, in the order in which they began. */
  let batches: Batch[];
  /** Requests in the order in which they were answered. */
  let answered: string[];

  beforeEach(() => {
    [batches, answered] = [[], []];
    queue = new IssuingQueue({
      limits: { public: 1000, seals: 1000 },
      begin: async (requests) => {
        const signed = Promise.withResolvers<void>();
        batches.push({
          requests,
          finish: async () => {
            signed.resolve();
            await settle();
          },
        });
        return async (turn) => {
          await signed.promise;
          await turn.come;
          turn.pass();
          return requests;
        };
      },
    });
  });

  const ask = async (listener: ListenerName, count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      void queue.submit(listener, `${listener} ${index}`).then((answer) => answered.push(answer));
    }
    await settle();
  };
  const sizes = (): number[] => batches.map(({ requests }) => requests.length);
  const sum = (): number => sizes().reduce((all, size) => all + size, 0);

  test('begin at once when nothing is under way, and beside others when fifty wait', async () => {
    await ask('seals', 1);
    expect(sizes()).toEqual([1]);
    await ask('seals', 49);
    expect(sizes()).toEqual([1]);
    await ask('seals', 1);
    expect(sizes()).toEqual([1, 50]);
  });

  test('hold what came meanwhile when the one before has ended', async () => {
    await ask('public', 1);
    await ask('public', 30);
    await batches[0]?.finish();
    expect(sizes()).toEqual([1, 30]);
  });

  test('are never more than a hundred each, nor more together than the signer takes of one client', async () => {
    await ask('seals', 1000);
    expect(sizes()).toEqual([100, 100, 100]);
    await batches[0]?.finish();
    expect(sizes()).toEqual([100, 100, 100, 100]);
  });

  test('of the public listener leave a place and a batch free for seals, which wait for none of them', async () => {
    await ask('public', 500);
    expect(sizes()).toEqual([100, 100]);
    await ask('seals', 1);
    expect(sizes()).toEqual([100, 100, 100]);
    expect(batches[2]?.requests[0]).toBe('seals 0');
    // A second one shares with the first: only other people's time-stamps are not waited for.
    await ask('seals', 1);
    expect(sizes()).toEqual([100, 100, 100]);
    await batches[0]?.finish();
    await batches[2]?.finish();
    await batches[1]?.finish();
    expect(answered.indexOf('seals 0')).toBe(200);
    expect(batches[3]?.requests[0]).toBe('seals 0');
  });

  test('of a few public requests keep no seal waiting either', async () => {
    await ask('public', 1);
    await ask('public', 10);
    await ask('seals', 1);
    expect(sizes()).toEqual([1, 11]);
  });

  test('are as many as there are places, small as they may be', async () => {
    for (let index = 0; index < 2 * maxBatchesInFlight; index++) await ask('seals', 50);
    expect(sizes()).toEqual([50, 50, 50, 50, 50]);
    expect(sum()).toBeLessThanOrEqual(300);
  });

  test('leave a fifth to the public listener while seals fill them', async () => {
    await ask('public', 1);
    await ask('public', 40);
    await ask('seals', 200);
    const first = batches[1]?.requests ?? [];
    expect(first.filter((request) => request.startsWith('seals'))).toHaveLength(80);
    expect(first.filter((request) => request.startsWith('public'))).toHaveLength(20);
  });

  test('are answered in the order in which they began, whichever was signed first', async () => {
    await ask('seals', 1);
    await ask('seals', 50);
    await batches[1]?.finish();
    expect(answered).toEqual([]);
    await batches[0]?.finish();
    expect(answered).toHaveLength(51);
    expect(answered[0]).toBe('seals 0');
  });

  test('are drained to the last', async () => {
    await ask('seals', 120);
    let isDrained = false;
    const drained = queue.drain().then(() => (isDrained = true));
    for (let index = 0; index < batches.length; index++) {
      expect(isDrained).toBe(false);
      await batches[index]?.finish();
    }
    await drained;
    expect(answered).toHaveLength(120);
  });
});
