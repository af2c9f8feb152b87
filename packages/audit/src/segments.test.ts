import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  AuditLog,
  type ChainHead,
  findChainLine,
  findLastAuditEvent,
  type JsonObject,
  readAuditEvents,
  verifyAuditLog,
} from './index.ts';

const chain = 'segments-1';
let directory: string;
const heads: ChainHead[] = [];
const at = (day: number, hour = 12): Date => new Date(Date.UTC(2030, 0, day, hour));

/** Three days with two lines each, and a restart before each day. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sigillum-segments-'));
  heads.length = 0;
  for (const day of [1, 2, 3]) {
    const log = await AuditLog.open({ directory, chain, rotateDaily: true, now: () => at(day) });
    for (const n of [1, 2]) heads.push(await log.append({ type: 'x', day, n, time: at(day).toISOString() }));
    await log.close();
  }
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const path = (sequence: number): string => join(directory, `${String(sequence).padStart(12, '0')}.jsonl`);
const names = async (): Promise<string[]> => (await readdir(directory)).filter((name) => name !== 'lock').sort();
const last = (): ChainHead => heads.at(-1) ?? { sequence: 0, hash: new Uint8Array() };
const verify = (more: object = {}) => verifyAuditLog({ directory, chain, expectedHead: last(), ...more });

async function change(sequence: number, edit: (lines: string[]) => string[]): Promise<void> {
  const lines = (await readFile(path(sequence), 'utf8')).split('\n').slice(0, -1);
  await writeFile(
    path(sequence),
    edit(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

describe('segments of a log', () => {
  test('begin with each UTC day, over restarts, each with the head of the one before', async () => {
    expect(await names()).toEqual(['000000000001.jsonl', '000000000003.jsonl', '000000000005.jsonl']);
    const report = await verify();
    expect(report).toMatchObject({ intact: true, lines: 6, start: { sequence: 0 }, head: { sequence: 6 } });
    expect(report.segments.map(({ name, lines }) => [name, lines])).toEqual([
      ['000000000001.jsonl', 2],
      ['000000000003.jsonl', 2],
      ['000000000005.jsonl', 2],
    ]);
    const first = findChainLine(Buffer.from((await readFile(path(3), 'utf8')).split('\n')[0] ?? ''));
    expect(Buffer.from(first?.previous ?? [])).toEqual(Buffer.from(heads[1]?.hash ?? []));
  });

  test('also begin in a process that lives over midnight, and lose no line under load', async () => {
    let day = 4;
    const log = await AuditLog.open({ directory, chain, rotateDaily: true, segmentBytes: 2_000, now: () => at(day) });
    const appends = Array.from({ length: 60 }, async (_, n) => {
      if (n === 30) day = 5;
      await log.appendAll([{ n }, { n, part: 2 }]);
      if (n % 7 === 0) await new Promise(setImmediate);
    });
    await Promise.all(appends);
    await log.append({ last: true });
    const { head } = log;
    await log.close();
    expect(head.sequence).toBe(6 + 121);
    expect(await verifyAuditLog({ directory, chain, expectedHead: head })).toMatchObject({ intact: true, lines: 127 });
    expect((await names()).length).toBeGreaterThan(4);
  });

  test('can be checked from where older ones were archived', async () => {
    await rm(path(1));
    expect((await verify()).intact).toBe(false);
    expect(await verify({ after: heads[1] })).toMatchObject({ intact: true, start: { sequence: 2 }, lines: 4 });
    // Somebody who knows no chain's id sees where it begins.
    const report = await verifyAuditLog({ directory, expectedHead: last() });
    expect(report).toMatchObject({ intact: true, start: { sequence: 2 } });
    expect(Buffer.from(report.start.hash)).toEqual(Buffer.from(heads[1]?.hash ?? []));
  });

  test.each<[string, () => Promise<void>, string]>([
    ['a missing one', () => rm(path(3)), 'line_does_not_follow'],
    ['the last one missing', () => rm(path(5)), 'head_missing'],
    ['two that changed names', () => swap(1, 3), 'segment_misnamed'],
    ['a renamed one', () => rename(path(3), path(4)), 'segment_misnamed'],
    ['a changed line', () => change(3, ([a = '', b = '']) => [a.replace('"n":1', '"n":7'), b]), 'event_changed'],
    ['a missing line', () => change(3, ([, b = '']) => [b]), 'line_does_not_follow'],
    ['lines in another order', () => change(3, ([a = '', b = '']) => [b, a]), 'line_does_not_follow'],
    ['a line twice', () => change(3, ([a = '', b = '']) => [a, b, b]), 'line_does_not_follow'],
    ['a cut line', () => change(3, ([a = '', b = '']) => [a, b.slice(0, -9)]), 'line_unreadable'],
    ['a cut tail', () => change(5, ([a = '']) => [a]), 'head_missing'],
    ['an emptied one', () => change(3, () => []), 'line_does_not_follow'],
  ])('show %s', async (_name, damage, kind) => {
    await damage();
    const { intact, problems } = await verify();
    expect(intact).toBe(false);
    expect(problems.map((problem) => problem.kind)).toContain(kind);
  });

  test('say in which file and line of it something is wrong', async () => {
    await change(3, ([a = '', b = '']) => [a, b.replace('"n":2', '"n":3')]);
    expect((await verify()).problems).toEqual([
      expect.objectContaining({ kind: 'event_changed', line: 4, segment: '000000000003.jsonl', segmentLine: 2 }),
    ]);
  });

  async function swap(left: number, right: number): Promise<void> {
    await rename(path(left), join(directory, 'aside'));
    await rename(path(right), path(left));
    await rename(join(directory, 'aside'), path(right));
  }
});

describe('events since a moment', () => {
  const read = async (since: Date): Promise<unknown[]> => {
    const found: unknown[] = [];
    for await (const event of readAuditEvents({ directory, since })) found.push(`${event['day']}.${event['n']}`);
    return found;
  };

  test('are those of that time and later, over segments', async () => {
    expect(await read(at(1, 0))).toEqual(['1.1', '1.2', '2.1', '2.2', '3.1', '3.2']);
    expect(await read(at(2, 13))).toEqual(['3.1', '3.2']);
    expect(await read(at(4))).toEqual([]);
  });

  test('leave out what can not be read', async () => {
    await change(5, ([a = '', b = '']) => [a.slice(0, -9), b]);
    expect(await read(at(3, 0))).toEqual(['3.2']);
  });
});

describe('several events at once', () => {
  test('are recorded all or none', async () => {
    const log = await AuditLog.open({ directory, chain });
    await expect(log.appendAll([{ ok: 1 }, { text: 'x'.repeat(70_000) }])).rejects.toMatchObject({
      code: 'audit_event_invalid',
    });
    const events = Array.from({ length: 100 }, (_, n) => ({ n }));
    expect((await log.appendAll(events)).sequence).toBe(106);
    await expect(log.appendAll(Array.from({ length: 10_001 }, () => ({})))).rejects.toMatchObject({
      code: 'audit_overloaded',
    });
    await log.close();
    const seen: unknown[] = [];
    const report = await verifyAuditLog({ directory, chain, onEvent: (event) => seen.push(event['n']) });
    expect(report).toMatchObject({ intact: true, lines: 106 });
    expect(seen.slice(6)).toEqual(events.map(({ n }) => n));
  });
});

describe('a search from the end', () => {
  test('gives the newest event of a kind, from whichever segment and however far from the end', async () => {
    const find = (isWanted: (event: JsonObject) => boolean) => findLastAuditEvent({ directory, isWanted });
    expect(await find(({ day }) => day === 1)).toMatchObject({ day: 1, n: 2 });
    expect(await find(({ n }) => n === 1)).toMatchObject({ day: 3, n: 1 });
    expect(await find(() => false)).toBeUndefined();
    // More than is read at a time, and lines that end anywhere in it.
    const log = await AuditLog.open({ directory, chain, now: () => at(3) });
    await log.append({ type: 'wanted', text: '\n' });
    await log.appendAll(
      Array.from({ length: 30 }, (_, index) => ({ type: 'x', index, text: 'y'.repeat(20_011 + index) })),
    );
    await log.close();
    expect(await find(({ index }) => index === 29)).toBeDefined();
    for (let index = 0; index < 30; index += 1)
      expect(await find((event) => event['index'] === index)).toMatchObject({ index });
    expect(await find(({ type }) => type === 'wanted')).toMatchObject({ text: '\n' });
    // A crash left half a line, and nothing else, behind it.
    const newest = (await names()).filter((name) => name.endsWith('.jsonl')).at(-1) ?? '';
    await writeFile(join(directory, newest), `${await readFile(join(directory, newest), 'utf8')}{"sequence":`);
    expect(await find(({ type }) => type === 'wanted')).toMatchObject({ type: 'wanted' });
  });
});
