import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  canonicalJson,
  encodeChainLine,
  findChainLine,
  type JsonObject,
  type JsonValue,
  nextHash,
  splitLines,
  startOfChain,
  verifyChain,
} from './index.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** A chain's lines, made with the primitives only. */
function buildLines(chain: string, events: readonly JsonObject[]): Uint8Array[] {
  let previous = startOfChain(chain);
  return events.map((event, index) => {
    const eventBytes = canonicalJson(event);
    const hash = nextHash(previous, eventBytes);
    const line = encodeChainLine({ sequence: index + 1, previous, hash, eventBytes });
    previous = hash;
    return line;
  });
}

const events = Array.from({ length: 6 }, (_, index) => ({ type: 'test.event', n: index, text: `é ${index}` }));

describe('canonical JSON (RFC 8785)', () => {
  test('writes the example of §3.2.2 as in §3.2.3', () => {
    const example = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],` +
        String.raw`"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    ) as JsonValue;
    expect(text(canonicalJson(example))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test('sorts keys by UTF-16 code units (§3.2.3), not by code points', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
    expect(Object.values(JSON.parse(text(canonicalJson(value))) as object).length).toBe(7);
    const order = [...text(canonicalJson(value)).matchAll(/:(\d)/g)].map((match) => match[1]);
    expect(order).toEqual(['2', '4', '6', '7', '1', '5', '3']);
  });

  test.each([
    ['NaN', Number.NaN],
    ['an infinity', -Infinity],
    ['a lone surrogate', '\ud800'],
    ['a key with a lone surrogate', { '\udc00': 1 }],
    ['undefined', { a: undefined }],
    ['a hole in an array', Array(2)],
    ['a bigint', 1n],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['a byte array', new Uint8Array(2)],
    ['too many levels', Array.from({ length: 40 }).reduce<unknown>((inner) => [inner], 1)],
  ])('refuses %s', (_name, value) => {
    expect(() => canonicalJson(value as JsonValue)).toThrow(expect.objectContaining({ code: 'audit_event_invalid' }));
  });

  test('means the same value, and writing it again changes nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }), (value) => {
        const once = text(canonicalJson(value as JsonValue));
        const back = JSON.parse(once) as JsonValue;
        // -0 is written as 0.
        expect(back).toEqual(JSON.parse(JSON.stringify(value)));
        expect(text(canonicalJson(back))).toBe(once);
      }),
    );
  });

  test('does not depend on the order in which keys were set', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(reversed)).toEqual(canonicalJson(value));
      }),
    );
  });
});

describe('the chain', () => {
  test('hashes as documented', () => {
    const start = createHash('sha256').update('tsa-1').digest();
    expect(Buffer.from(startOfChain('tsa-1'))).toEqual(start);
    const bytes = canonicalJson({ a: 1 });
    const expected = createHash('sha256')
      .update(Buffer.concat([Buffer.of(1), start, bytes]))
      .digest();
    expect(Buffer.from(nextHash(start, bytes))).toEqual(expected);
  });

  test('is intact from its first to its last line, and says its head', () => {
    const lines = buildLines('c', events);
    const report = verifyChain({ chain: 'c', lines });
    expect(report).toMatchObject({ intact: true, lines: 6, problems: [], head: { sequence: 6 } });
    expect(verifyChain({ chain: 'c', lines: [] })).toMatchObject({ intact: true, head: { sequence: 0 } });
  });

  test('is not intact under another id', () => {
    const report = verifyChain({ chain: 'other', lines: buildLines('c', events) });
    expect(report.problems).toEqual([expect.objectContaining({ line: 1, kind: 'line_does_not_follow' })]);
  });

  test('shows a changed event at its line', () => {
    const lines = buildLines('c', events);
    lines[2] = Buffer.from(text(lines[2] ?? new Uint8Array()).replace('"n":2', '"n":9'));
    expect(verifyChain({ chain: 'c', lines }).problems).toEqual([
      expect.objectContaining({ line: 3, kind: 'event_changed' }),
    ]);
  });

  test('shows an event replaced together with its hash at the next line', () => {
    const lines = buildLines('c', events);
    const second = findChainLine(lines[1] ?? new Uint8Array());
    const eventBytes = canonicalJson({ type: 'forged' });
    const previous = second?.previous ?? new Uint8Array();
    lines[1] = encodeChainLine({ sequence: 2, previous, eventBytes, hash: nextHash(previous, eventBytes) });
    expect(verifyChain({ chain: 'c', lines }).problems).toEqual([
      expect.objectContaining({ line: 3, kind: 'line_does_not_follow' }),
    ]);
  });

  test('shows a missing line, two lines that changed places, and a cut line', () => {
    const lines = buildLines('c', events);
    const missing = lines.filter((_, index) => index !== 3);
    expect(verifyChain({ chain: 'c', lines: missing }).problems[0]).toMatchObject({
      line: 4,
      kind: 'line_does_not_follow',
    });
    const [a, b, c, d, ...others] = lines;
    const moved = [a, b, d, c, ...others].filter((line) => line !== undefined);
    expect(verifyChain({ chain: 'c', lines: moved }).problems[0]).toMatchObject({
      line: 3,
      kind: 'line_does_not_follow',
    });
    const cut = lines.map((line, index) => (index === 5 ? line.subarray(0, -4) : line));
    expect(verifyChain({ chain: 'c', lines: cut }).problems).toEqual([
      expect.objectContaining({ line: 6, kind: 'line_unreadable' }),
    ]);
  });

  test('shows lines missing at the end only to who knows the head', () => {
    const lines = buildLines('c', events);
    const { head } = verifyChain({ chain: 'c', lines });
    expect(verifyChain({ chain: 'c', lines, expectedHead: head }).intact).toBe(true);
    const shorter = lines.slice(0, 4);
    expect(verifyChain({ chain: 'c', lines: shorter }).intact).toBe(true);
    expect(verifyChain({ chain: 'c', lines: shorter, expectedHead: head }).problems).toEqual([
      expect.objectContaining({ kind: 'head_missing' }),
    ]);
  });

  test('notices any single changed, dropped or doubled byte', () => {
    const file = Buffer.concat(buildLines('c', events).flatMap((line) => [line, Buffer.from('\n')]));
    const known = verifyChain({ chain: 'c', lines: splitLines(file) }).head;
    fc.assert(
      fc.property(fc.nat(file.length - 2), fc.integer({ min: 1, max: 255 }), fc.nat(2), (at, flip, how) => {
        const before = file.subarray(0, at);
        const here = file.subarray(at, at + 1);
        const middle =
          how === 0 ? Buffer.of((file[at] ?? 0) ^ flip) : how === 1 ? Buffer.of() : Buffer.concat([here, here]);
        const changed = Buffer.concat([before, middle, file.subarray(at + 1)]);
        expect(verifyChain({ chain: 'c', lines: splitLines(changed), expectedHead: known }).intact).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('refuses a line that says the same in another way', () => {
    const [line = new Uint8Array()] = buildLines('c', [{ a: 1, b: 2 }]);
    expect(findChainLine(line)?.event).toEqual({ a: 1, b: 2 });
    expect(findChainLine(Buffer.from(text(line).replace('{"a":1,"b":2}', '{"b":2,"a":1}')))).toBeUndefined();
    expect(findChainLine(Buffer.from(text(line).replace('"a":1', '"a":1.0')))).toBeUndefined();
    expect(findChainLine(Buffer.from(`\ufeff${text(line)}`))).toBeUndefined();
  });

  test('takes time in proportion to its length', () => {
    const measure = (count: number): number => {
      const lines = buildLines(
        'c',
        Array.from({ length: count }, (_, n) => ({ n })),
      );
      const started = process.cpuUsage();
      verifyChain({ chain: 'c', lines });
      return process.cpuUsage(started).user;
    };
    measure(2_000);
    expect(measure(20_000)).toBeLessThan(Math.max(measure(10_000), 1_000) * 8);
  });
});
