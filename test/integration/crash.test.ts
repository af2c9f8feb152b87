import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { DevelopmentHome, makeSamplePdf, type ServiceName } from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { postSeal, readAuditEvents, readJournal, sealOrThrow, sha256 } from './seal-client.ts';

const steps = ['admit', 'intent', 'prepare', 'sign', 'time-stamp', 'assemble', 'outcome', 'answer'] as const;
const victims = ['document-service', 'hash-signer', 'signer', 'tsa', 'postgres'] as const;
/** After a kill everything must be back in this time: respawn, recovery of PostgreSQL, a new login. */
const recoveryMs = 30_000;

let home: DevelopmentHome;
let pauseFolder = '';
/** Every file that a caller holds, by its seal. */
const received = new Map<string, Uint8Array>();
let sent = 0;

beforeAll(async () => {
  home = await DevelopmentHome.start();
  pauseFolder = join(home.directory, 'run/pause');
  mkdirSync(pauseFolder, { recursive: true });
}, 180_000);
afterAll(async () => {
  await home?.remove();
}, 60_000);

function nextPdf(): Uint8Array {
  sent += 1;
  return makeSamplePdf('classic', { text: `Crash test ${sent}` });
}

async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  milliseconds = 20_000,
): Promise<T> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function findMarkers(step: string): readonly string[] {
  return readdirSync(pauseFolder).filter((name) => name.startsWith(`paused-${step}-`));
}

function kill(victim: (typeof victims)[number]): void {
  const entry = victim === 'signer' ? home.findSigners().at(-1) : home.findService(victim satisfies ServiceName);
  if (!entry) throw new Error(`no process of ${victim}`);
  process.kill(entry.pid, 'SIGKILL');
}

/** A document sealed from end to end: the house is whole again. */
async function waitUntilSealsAgain(): Promise<void> {
  await until(
    'a seal after the crash',
    async () => {
      const reply = await postSeal(home, nextPdf());
      if (reply.kind !== 'sealed') return undefined;
      received.set(reply.sealId, reply.bytes);
      return true;
    },
    recoveryMs,
  );
}

describe.each(victims)('kill -9 of %s', (victim) => {
  test.each(steps)(
    'before the step "%s" leaves nothing unrecorded, and the house heals itself',
    async (step) => {
      writeFileSync(join(pauseFolder, `pause-${step}`), '');
      const pdf = nextPdf();
      const reply = postSeal(home, pdf);
      await until(`the step ${step}`, () => findMarkers(step)[0]);
      kill(victim);
      rmSync(join(pauseFolder, `pause-${step}`));
      for (const marker of findMarkers(step)) rmSync(join(pauseFolder, marker), { force: true });
      const outcome = await reply;
      if (outcome.kind === 'sealed') {
        received.set(outcome.sealId, outcome.bytes);
        expect(Buffer.from(outcome.bytes.subarray(0, pdf.length)).equals(Buffer.from(pdf))).toBe(true);
      } else if (outcome.kind === 'problem') {
        // Ours to answer for: never a 4xx that a caller would take for a fault of the document.
        expect(outcome.status).toBeGreaterThanOrEqual(500);
      } else {
        expect(victim).toBe('document-service');
      }
      await waitUntilSealsAgain();
    },
    90_000,
  );
});

describe('kill -9 of document-service under an idempotency key', () => {
  const json = { accept: 'application/json' };
  const digest = (): Record<string, unknown> => ({
    digest: Buffer.from(sha256(nextPdf()), 'hex').toString('base64'),
    digest_algorithm: 'sha256',
  });
  const post = async (path: string, body: Uint8Array | object, headers: Record<string, string>) => {
    const isPdf = body instanceof Uint8Array;
    const response = await fetch(new URL(path, home.ready.url), {
      method: 'POST',
      headers: {
        authorization: `Bearer ${home.ready.api_key}`,
        'content-type': isPdf ? 'application/pdf' : 'application/json',
        ...headers,
      },
      body: isPdf ? Buffer.from(body) : JSON.stringify(body),
    }).catch(() => undefined);
    const content = await response?.arrayBuffer().catch(() => undefined);
    const bytes = Buffer.from(content ?? new ArrayBuffer(0));
    return { status: response?.status ?? 0, isReplayed: response?.headers.has('sigillum-replayed') ?? false, bytes };
  };
  const sealDigest = async () => {
    const credential = await fetch(new URL('/v1/credentials/default', home.ready.url), {
      headers: { authorization: `Bearer ${home.ready.api_key}` },
    });
    const { contents_size, server_time } = (await credential.json()) as Record<string, string>;
    const signing_time = server_time?.replace(/\.\d+/, '');
    return { ...digest(), level: 'b-lta', contents_size, signing_time };
  };
  const timeStampOf = async (): Promise<[string, object]> => {
    const made = JSON.parse(String((await post('/v1/seals/digest', await sealDigest(), {})).bytes));
    return [made.links.document_time_stamp, { ...digest(), contents_size: made.document_time_stamp.contents_size }];
  };
  const extend = async (): Promise<[string, Uint8Array]> => [
    '/v1/extensions?level=b-lta&retain=1h',
    await sealOrThrow(home, nextPdf()),
  ];
  const sealDigestCall = async (): Promise<[string, object]> => ['/v1/seals/digest', await sealDigest()];
  const retained = async (): Promise<[string, Uint8Array]> => ['/v1/seals?level=b-lta&retain=1h', nextPdf()];

  /** What is asked, before which step the kill comes, and whether the outcome stood already. */
  const cases: readonly (readonly [string, () => Promise<[string, Uint8Array | object]>, string, boolean, object])[] = [
    ['an extension', extend, 'prepare', false, {}],
    ['an extension', extend, 'outcome', false, {}],
    ['an extension', extend, 'answer', true, {}],
    ['a seal that is kept', retained, 'outcome', false, json],
    ['a seal that is kept', retained, 'answer', true, json],
    ['the seal of a digest', sealDigestCall, 'outcome', false, {}],
    ['the document time-stamp of a digest', timeStampOf, 'document-time-stamp', false, {}],
  ];
  test.each(cases)(
    '%s: the same call again succeeds (%#), and says the same ever after',
    async (_what, prepare, step, stood, accept) => {
      const [path, body] = await prepare();
      const headers = { ...accept, 'idempotency-key': randomUUID() };
      writeFileSync(join(pauseFolder, `pause-${step}`), '');
      const first = post(path, body, headers);
      await until(`the step ${step}`, () => findMarkers(step)[0]);
      kill('document-service');
      rmSync(join(pauseFolder, `pause-${step}`));
      for (const marker of findMarkers(step)) rmSync(join(pauseFolder, marker), { force: true });
      expect((await first).status).toBe(0);
      const second = await until(
        'an answer to the same call',
        async () => {
          const reply = await post(path, body, headers);
          return reply.status === 201 ? reply : undefined;
        },
        recoveryMs,
      );
      expect(second.isReplayed).toBe(stood);
      const third = await post(path, body, headers);
      expect([third.status, third.isReplayed, third.bytes.equals(second.bytes)]).toEqual([201, true, true]);
    },
    90_000,
  );

  test('leaves no draft in the store', () => {
    expect(readdirSync(join(home.directory, 'blobs/tmp'))).toEqual([]);
  });
});

describe('a caller that hangs up', () => {
  test('at the last byte: the seal is recorded as what was sent', async () => {
    const pdf = makeSamplePdf('classic', { padding: 300_000 });
    const sealId = await new Promise<string>((resolve, reject) => {
      const call = request(
        new URL('/v1/seals', home.ready.url),
        {
          method: 'POST',
          headers: { authorization: `Bearer ${home.ready.api_key}`, 'content-type': 'application/pdf' },
        },
        (response) => {
          let got = 0;
          response.on('data', (data: Buffer) => {
            got += data.length;
            // All but the last bytes have arrived or are on their way; the caller goes without them.
            if (got >= pdf.length) {
              call.destroy();
              resolve(String(response.headers['sigillum-seal-id']));
            }
          });
        },
      );
      call.on('error', reject);
      call.end(pdf);
    });
    const seal = (await readJournal(home)).find((entry) => entry.id === sealId);
    expect(seal?.status).toBe('completed');
    expect(seal?.document.sha256).toBe(sha256(pdf));
  });

  test('in the middle of the upload: nothing is sealed and the service goes on', async () => {
    const before = (await readJournal(home)).length;
    await new Promise<void>((resolve) => {
      const call = request(new URL('/v1/seals', home.ready.url), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${home.ready.api_key}`,
          'content-type': 'application/pdf',
          'content-length': 1_000_000,
        },
      });
      call.on('error', () => resolve());
      call.write(makeSamplePdf(), () => setTimeout(() => call.destroy(), 100));
    });
    await sealOrThrow(home, nextPdf());
    const journal = await readJournal(home);
    expect(journal).toHaveLength(before + 1);
  });
});

describe('afterwards', () => {
  test('everything that a caller holds is in the journal, byte for byte', async () => {
    const journal = new Map((await readJournal(home)).map((seal) => [seal.id, seal]));
    expect(received.size).toBeGreaterThan(steps.length * victims.length);
    for (const [id, bytes] of received) {
      expect(journal.get(id)?.status).toBe('completed');
      expect(journal.get(id)?.sealed).toEqual({ size: bytes.length, sha256: sha256(bytes) });
    }
  });

  test('nothing stays pending: what was not finished is swept', async () => {
    await until(
      'the sweeper',
      async () => {
        const pending = (await readJournal(home)).filter((seal) => seal.status === 'pending');
        return pending.length === 0 ? true : undefined;
      },
      30_000,
    );
    const failed = (await readJournal(home)).filter((seal) => seal.status === 'failed');
    expect(failed.length).toBeGreaterThan(0);
    for (const seal of failed) expect(seal.failure?.code).toBeTruthy();
  }, 60_000);

  test('every completed seal has its line in the audit log of hash-signer, and every line a seal', async () => {
    const folder = join(home.directory, 'audit/hash-signer');
    const files = readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .toSorted();
    const signed = readAuditEvents(files.map((name) => join(folder, name))).filter(
      (event) => event['purpose'] === 'seal' && event['outcome'] === 'signed',
    );
    const ids = new Set(signed.map((event) => (event['context'] as { seal_id: string }).seal_id));
    const journal = await readJournal(home);
    for (const seal of journal) if (seal.status === 'completed') expect(ids.has(seal.id)).toBe(true);
    const known = new Set(journal.map((seal) => seal.id));
    for (const id of ids) expect(known.has(id)).toBe(true);
  });

  test('the spool holds no document', () => {
    expect(readdirSync(join(home.directory, 'spool'), { recursive: true })).toEqual([]);
  });
});
