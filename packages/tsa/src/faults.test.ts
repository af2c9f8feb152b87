import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type JsonObject, verifyAuditLog } from '@sigillum/audit';
import { encodeTimeStampRequest, parseSignedData, parseTimeStampResponse, parseTstInfo } from '@sigillum/pki';
import { buildFaultyLibc, kill, send, TsaHome, type TsaProcess } from '../test/tsa-home.ts';

const home = new TsaHome();
const { pki } = home;
const query = encodeTimeStampRequest({ imprint: { algorithm: 'sha256', digest: new Uint8Array(32) }, certReq: true });
let library: string;

beforeAll(async () => {
  await home.open();
  library = buildFaultyLibc(pki.directory);
});
afterEach(() => home.killAll());
afterAll(() => home.remove());

/** The time of a token, the failure of RFC 3161, or the HTTP status. */
async function ask(port: number): Promise<Date | string | number> {
  const { status, body } = await send(port, '/', query);
  if (status !== 200) return status;
  const response = parseTimeStampResponse(body);
  if (!response.granted) return response.failure ?? 'no failure';
  return parseTstInfo(parseSignedData(response.token).content ?? new Uint8Array()).genTime;
}

const readText = async (port: number, path: string): Promise<string> =>
  Buffer.from((await send(port, path)).body).toString();

async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await isSo()); ) {
    if (Date.now() > deadline) throw new Error('it did not come');
    await sleep(50);
  }
}

async function stop({ child }: TsaProcess): Promise<unknown> {
  child.stdin?.end();
  return (await once(child, 'exit'))[0];
}

/** A configuration of its own and a start of it, with a clock and a disk that the test sets. */
function prepare(name: string) {
  const file = pki.write(`${name}.yaml`, home.config(undefined, name));
  const [clock, hang] = [pki.path(`${name}.clock`), pki.path(`${name}.hang`)];
  const through = ['env', `LD_PRELOAD=${library}`, `SIGILLUM_CLOCK=${clock}`, `SIGILLUM_HANG=${hang}`];
  return {
    file,
    state: pki.path(`${name}/state`),
    start: () => home.start(file, through),
    setClock: (seconds: number) => writeFileSync(clock, `${seconds}\n`),
    hang: (part: string) => writeFileSync(hang, `${part}\n`),
    goOn: () => rmSync(hang),
    async readLog(): Promise<readonly JsonObject[]> {
      const events: JsonObject[] = [];
      const directory = join(pki.directory, name, 'log');
      const report = await verifyAuditLog({ directory, chain: 'tsa-1', onEvent: (event) => events.push(event) });
      expect(report).toMatchObject({ intact: true });
      return events;
    },
  };
}

describe('a clock that is set back an hour', () => {
  test('gives nothing until it has passed the last time given, also over kill -9, and says why everywhere', async () => {
    const own = prepare('stepped');
    own.setClock(3600);
    const first = await own.start();
    const given = await ask(first.ports.public);
    if (!(given instanceof Date)) throw new Error(String(given));
    expect(given.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    own.setClock(0);
    expect(await ask(first.ports.public)).toBe('timeNotAvailable');
    await waitFor(async () => first.log.some((line) => line.includes('behind_mark')));
    await kill(first.child);

    const second = await own.start();
    expect(await ask(second.ports.public)).toBe('timeNotAvailable');
    expect(await readText(second.ports.internal, '/readyz')).toContain('"clock":"behind_mark"');
    expect(await readText(second.ports.internal, '/metrics')).toMatch(/tsa_clock_fault\{[^}]*"behind_mark"[^}]*\} 1/);
    own.setClock(3660);
    const later = await ask(second.ports.public);
    if (!(later instanceof Date)) throw new Error(String(later));
    expect(later.getTime()).toBeGreaterThan(given.getTime());
    await waitFor(async () => !(await readText(second.ports.internal, '/metrics')).includes('"behind_mark"'));
    expect(await readText(second.ports.internal, '/readyz')).toContain('"clock":"ok"');
    await stop(second);
    const faults = (await own.readLog()).filter(({ type }) => type === 'tsa.clock_changed').map(({ fault }) => fault);
    expect(faults).toEqual(['behind_mark', 'behind_mark', undefined]);
  });

  test('is known from the audit log where an old state was put back, and no start without one', async () => {
    const own = prepare('restored');
    own.setClock(3600);
    const first = await own.start();
    const given = await ask(first.ports.public);
    if (!(given instanceof Date)) throw new Error(String(given));
    await kill(first.child);
    own.setClock(0);

    rmSync(own.state);
    const args = ['--conditions=source', join(import.meta.dirname, 'main.ts'), '--config', own.file];
    const refused = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000 });
    const line = `{"version":1,"mark":"${given.toISOString()}"}`;
    expect([refused.status, refused.stderr]).toEqual([78, expect.stringContaining(line)]);

    writeFileSync(own.state, '{"version":1,"mark":"2020-01-01T00:00:00.000Z"}\n');
    const second = await own.start();
    expect(second.log.join()).toContain('the state is older than the audit log');
    expect(await ask(second.ports.public)).toBe('timeNotAvailable');
    await kill(second.child);

    // What the refusal says to write, as an editor leaves it.
    writeFileSync(own.state, line);
    const third = await own.start();
    expect(await ask(third.ports.public)).toBe('timeNotAvailable');
    own.setClock(3660);
    expect(await ask(third.ports.public)).toBeInstanceOf(Date);
    await stop(third);
  });
});

describe('a disk that hangs', () => {
  test.each<[string, string, string, string | number, RegExp]>([
    [
      'state',
      'state.new',
      '"clock":"mark_not_written"',
      'timeNotAvailable',
      /tsa_clock_fault\{[^}]*"mark_not_written"/,
    ],
    ['audit log', '.jsonl', '"audit":"the disk does not answer"', 503, /tsa_audit_stuck\{[^}]*\} 1/],
  ])(
    'under the %s is a refusal soon and then at once, no readiness, and time-stamps again when it is back',
    async (what, part, check, refusal, metric) => {
      const own = prepare(`hangs-${what.slice(0, 5)}`);
      const tsa = await own.start();
      expect(await ask(tsa.ports.public)).toBeInstanceOf(Date);
      own.hang(part);
      // The mark is written every three seconds; until then there are times.
      let given = 1;
      const answers = new Set<string | number>();
      await waitFor(async () => {
        const all = await Promise.all(
          Array.from({ length: 5 }, (_none, index) => ask(index % 2 === 0 ? tsa.ports.seals : tsa.ports.public)),
        );
        for (const answer of all) {
          if (answer instanceof Date) given += 1;
          else answers.add(answer);
        }
        return all.every((answer) => !(answer instanceof Date));
      });
      expect([...answers]).toEqual([refusal]);
      const ready = await send(tsa.ports.internal, '/readyz');
      expect([ready.status, Buffer.from(ready.body).toString()]).toEqual([503, expect.stringContaining(check)]);
      await waitFor(async () => metric.test(await readText(tsa.ports.internal, '/metrics')));
      // Now nobody waits for the disk: far more than it could take, were each to wait.
      const many = await Promise.all(Array.from({ length: 50 }, () => ask(tsa.ports.seals)));
      expect(new Set(many)).toEqual(new Set([refusal]));
      own.goOn();
      await waitFor(async () => (await send(tsa.ports.internal, '/readyz')).status === 200);
      expect(await ask(tsa.ports.public)).toBeInstanceOf(Date);
      given += 1;
      expect(await stop(tsa)).toBe(0);
      const recorded = (await own.readLog()).filter(({ type }) => type === 'tsa.time_stamped');
      expect(recorded.length).toBeGreaterThanOrEqual(given);
    },
  );
});

describe('a unit whose key the signer does not serve', () => {
  test('is an alarm before its time, no readiness in it, and nothing of either when the key comes', async () => {
    const served = home.keys;
    const nextId = 'ff112233445566778899aabbccddeeff';
    pki.write('next.json', JSON.stringify({ ...home.manifest(), key_id: nextId }));
    const from = new Date(Date.now() + 3_600_000).toISOString();
    const next = `{name: next, manifest: next.json, certificate: tsu.pem, chain: [tsa-ca.pem], from: "${from}"}`;
    const file = pki.write(
      'units.yaml',
      home.config((text) => text.replace('units: [', `units: [${next}, `), 'units'),
    );
    const { ports, log } = await home.start(file);
    try {
      await waitFor(async () =>
        /tsa_unit_key_served\{[^}]*"next"[^}]*\} 0/.test(await readText(ports.internal, '/metrics')),
      );
      expect(await readText(ports.internal, '/metrics')).toMatch(/tsa_unit_key_served\{[^}]*"tsu"[^}]*\} 1/);
      expect(log.join()).toContain('the signer does not serve the key of a time-stamp unit');
      expect((await send(ports.internal, '/readyz')).status).toBe(200);
      // The id of the one that signs, but another key.
      home.keys = [{ key_id: home.keyId, spki: 'AAAA' }];
      const ready = await send(ports.internal, '/readyz');
      expect([ready.status, Buffer.from(ready.body).toString()]).toEqual([
        503,
        expect.stringContaining('the key of tsu'),
      ]);
      home.keys = [...(served ?? []), ...(served ?? []).map(({ spki }) => ({ key_id: nextId, spki }))];
      expect((await send(ports.internal, '/readyz')).status).toBe(200);
      expect(await readText(ports.internal, '/metrics')).toMatch(/tsa_unit_key_served\{[^}]*"next"[^}]*\} 1/);
      // A policy from before, without the method: as it was.
      home.keys = undefined;
      expect((await send(ports.internal, '/readyz')).status).toBe(200);
    } finally {
      home.keys = served;
    }
  });
});
