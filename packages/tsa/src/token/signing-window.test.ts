import { beforeEach, describe, expect, test } from '@jest/globals';
import { SigillumError } from '@sigillum/errors';
import { SigningWindow } from './signing-window.ts';

const refusal = (): SigillumError => new SigillumError('signer_overloaded', 'The queue is full.');

describe('a signing window', () => {
  let now: number;
  let window: SigningWindow;
  /** Calls that the signer has taken in and not answered. */
  let open: { answer(): void; fail(): void }[];
  let room: number;
  let asked: number;
  /** What each call was told that it may take. */
  let left: number[];
  const call = (leftMs: number): Promise<string> => {
    asked += 1;
    left.push(leftMs);
    if (open.length >= room) return Promise.reject(refusal());
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const entry = {
      answer: () => {
        open.splice(open.indexOf(entry), 1);
        resolve('signed');
      },
      fail: () => {
        open.splice(open.indexOf(entry), 1);
        reject(new SigillumError('signer_unavailable', 'It is away.'));
      },
    };
    open.push(entry);
    return promise;
  };
  const run = (until = 1e9) => window.run(call, until);
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  beforeEach(() => {
    [now, open, room, asked, left] = [0, [], 3, 0, []];
    window = new SigningWindow({ most: 3, now: () => now });
  });

  test('lets out what the signer has room for', async () => {
    const all = [run(), run(), run(), run()];
    await settle();
    expect(open).toHaveLength(3);
    open[0]?.answer();
    await settle();
    expect(open).toHaveLength(3);
    for (const one of open.slice()) one.answer();
    await expect(Promise.all(all)).resolves.toEqual(['signed', 'signed', 'signed', 'signed']);
  });

  test('asks again when one of ours has been answered, and then no longer asks for more than there is room', async () => {
    room = 1;
    const all = [run(), run(), run()];
    await settle();
    expect(open).toHaveLength(1);
    for (let index = 0; index < 3; index++) {
      open[0]?.answer();
      await settle();
    }
    await expect(Promise.all(all)).resolves.toEqual(['signed', 'signed', 'signed']);
    const before = asked;
    const more = [run(), run()];
    await settle();
    expect(asked).toBe(before + 1);
    open[0]?.answer();
    await settle();
    open[0]?.answer();
    await Promise.all(more);
  });

  test('goes on when the call that it waits for fails', async () => {
    room = 1;
    const [first, second] = [run(), run()];
    await settle();
    open[0]?.fail();
    await expect(first).rejects.toMatchObject({ code: 'signer_unavailable' });
    await settle();
    open[0]?.answer();
    await expect(second).resolves.toBe('signed');
  });

  test('throws at once when the room is taken by others, or the time is over', async () => {
    room = 0;
    await expect(run()).rejects.toMatchObject({ code: 'signer_overloaded' });
    room = 1;
    const first = run();
    now = 10;
    await expect(run(10)).rejects.toMatchObject({ code: 'signer_overloaded' });
    open[0]?.answer();
    await first;
  });

  test('asks no more when its time went by while it waited for another', async () => {
    room = 1;
    const first = run();
    const second = run(10);
    await settle();
    expect(asked).toBe(2);
    now = 10;
    open[0]?.answer();
    await expect(second).rejects.toMatchObject({ code: 'signer_overloaded' });
    expect(asked).toBe(2);
    await first;
    const third = run(20);
    await settle();
    open[0]?.answer();
    await expect(third).resolves.toBe('signed');
  });

  test('gives a call that is repeated what is left of the time, not all of it again', async () => {
    room = 1;
    const [first, second] = [run(100), run(100)];
    await settle();
    now = 40;
    open[0]?.answer();
    await settle();
    open[0]?.answer();
    await Promise.all([first, second]);
    expect(left).toEqual([100, 100, 60]);
  });

  test('says that there was no room when what is left is too short to be asked for again', async () => {
    const tooShort = new SigillumError('signer_deadline_too_short', 'Leave at least 2500 ms.');
    const answers = [refusal(), tooShort];
    room = 1;
    const first = run(100);
    const second = window.run(() => Promise.reject(answers.shift() ?? new Error('asked again')), 100);
    await settle();
    open[0]?.answer();
    await expect(second).rejects.toMatchObject({ code: 'signer_overloaded' });
    await first;
    // Nor is it the caller's fault when the wait for its turn has left too little, without a refusal.
    room = 3;
    const all = [run(), run(), run()];
    const late = expect(window.run(() => Promise.reject(tooShort), 100)).rejects.toMatchObject({
      code: 'signer_overloaded',
      cause: tooShort,
    });
    await settle();
    while (open.length > 0) {
      open[0]?.answer();
      await settle();
    }
    await late;
    await Promise.all(all);
    // A configuration that never leaves enough is another matter.
    await expect(window.run(() => Promise.reject(tooShort), 100)).rejects.toBe(tooShort);
  });

  test('asks again also when the one that took the room was answered before the refusal came', async () => {
    const refused = Promise.withResolvers<string>();
    const answers = [refused.promise, Promise.resolve('signed')];
    const first = run();
    const second = window.run(() => answers.shift() ?? Promise.reject(new Error('asked again')), 100);
    await settle();
    open[0]?.answer();
    await first;
    refused.reject(refusal());
    await expect(second).resolves.toBe('signed');
    expect(answers).toEqual([]);
  });

  test('does not ask any more for a call whose time went by before it was its turn', async () => {
    window = new SigningWindow({ most: 1, now: () => now });
    const first = run();
    const second = run(10);
    await settle();
    now = 10;
    open[0]?.answer();
    await expect(second).rejects.toMatchObject({ code: 'signer_overloaded' });
    expect(asked).toBe(1);
    await first;
  });

  test('tries one more after a while', async () => {
    room = 1;
    const all = [run(), run(), run()];
    for (let index = 0; index < 3; index++) {
      await settle();
      open[0]?.answer();
    }
    await Promise.all(all);
    room = 3;
    for (const expected of [1, 2, 3]) {
      const some = [run(), run(), run()];
      await settle();
      expect(open).toHaveLength(expected);
      now += 1001;
      while (open.length > 0) {
        open[0]?.answer();
        await settle();
      }
      await Promise.all(some);
    }
  });
});
