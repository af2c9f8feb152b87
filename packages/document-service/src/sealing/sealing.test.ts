import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { SigillumError } from '@sigillum/errors';
import { chainEvents, setCredentialStatus, verifyEvents } from '@sigillum/store';
import { makeSamplePdf } from '@sigillum/testing';
import { TestService } from '../../test/test-service.ts';
import { type SealStep, sealSteps } from './seal-steps.ts';
import { createPausingStepGate } from './step-gate.ts';
import { Sweeper } from './sweeper.ts';

const service = new TestService();
const pdf = Buffer.from(makeSamplePdf());
let key: string;

beforeAll(async () => {
  await service.start();
  key = await service.provision('Sandbox');
});
afterAll(() => service.stop());
afterEach(async () => {
  service.signInstead = undefined;
  service.tsa.failWith = undefined;
  await service.writeCrl();
});

type Answer = { status: number; headers: Headers; body: Buffer };

async function call(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(service.url + path, init);
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
}

function seal(query = '', headers: Record<string, string> = {}, body: Buffer = pdf): Promise<Answer> {
  return call(`/v1/seals${query}`, {
    method: 'POST',
    body,
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/pdf', ...headers },
  });
}

const get = (path: string, by = key): Promise<Answer> => call(path, { headers: { Authorization: `Bearer ${by}` } });
const json = (answer: Answer) => JSON.parse(answer.body.toString());
const idOf = (answer: Answer) => answer.headers.get('sigillum-seal-id') ?? '';
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function tenant() {
  const row = await service.services.db
    .selectFrom('organisations')
    .select('id')
    .where('name', '=', 'Sandbox')
    .executeTakeFirstOrThrow();
  return { organisationId: row.id, mode: 'test' as const };
}

async function eventTypes(sealId: string): Promise<string[]> {
  const rows = await service.services.db.selectFrom('events').select(['type', 'bytes']).execute();
  return rows.filter((row) => Buffer.from(row.bytes).includes(sealId)).map((row) => row.type);
}

/** CMS and signed bytes of the last signature, cut out by its ByteRange. */
function cutSignature(file: Buffer): { cms: Buffer; signed: Buffer } {
  const text = file.toString('latin1');
  const range = text.match(/\/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]/g)?.at(-1) ?? '';
  const [a = 0, b = 0, c = 0, d = 0] = (range.match(/\d+/g) ?? []).map(Number);
  expect(c + d).toBe(file.length);
  const hex = text.slice(a + b + 1, c - 1);
  return {
    cms: Buffer.from(hex, 'hex'),
    signed: Buffer.concat([file.subarray(a, a + b), file.subarray(c, c + d)]),
  };
}

describe('a seal', () => {
  test.each(['p256', 'p384', 'rsa-pss-3072', 'rsa-2048'])(
    'with %s is accepted by OpenSSL, and its prefix is the input',
    async (name) => {
      const answer = await seal(`?credential=${name}&reason=Approved&location=Trento&contact_info=a%40b.it&name=Acme`);
      expect(answer.status).toBe(201);
      expect(answer.body.subarray(0, pdf.length).equals(pdf)).toBe(true);
      expect(Number(answer.headers.get('content-length'))).toBe(answer.body.length);
      expect(answer.headers.get('location')).toBe(`/v1/seals/${idOf(answer)}`);
      const { cms, signed } = cutSignature(answer.body);
      const cmsFile = service.pki.write('seal.cms', cms);
      const signedFile = service.pki.write('seal.signed', signed);
      const flags = [
        '-inform',
        'DER',
        '-binary',
        '-cades',
        '-purpose',
        'any',
        '-CAfile',
        service.get('root').certificateFile,
      ];
      expect(() => service.run(['cms', '-verify', ...flags, '-in', cmsFile, '-content', signedFile])).not.toThrow();
      service.pki.write('seal.signed', Buffer.concat([signed.subarray(1), Buffer.of(0)]));
      expect(() => service.run(['cms', '-verify', ...flags, '-in', cmsFile, '-content', signedFile])).toThrow();

      const record = json(await get(`/v1/seals/${idOf(answer)}`));
      expect(record).toMatchObject({
        status: 'completed',
        mode: 'test',
        level: 'b-t',
        credential: { name },
        document: { size: pdf.length, sha256: sha256(pdf) },
        sealed: { size: answer.body.length, sha256: sha256(answer.body) },
        failure: null,
        request_id: answer.headers.get('sigillum-request-id'),
      });
      expect(service.signRequests.at(-1)?.digests[0]?.context).toMatchObject({
        seal_id: idOf(answer),
        document_sha256: sha256(pdf),
      });
      expect(await eventTypes(idOf(answer))).toEqual(['seal.completed']);
    },
  );

  test('can be sealed again, and a file larger than memory allows goes through the spool', async () => {
    const large = Buffer.from(makeSamplePdf('classic', { padding: 2_000_000 }));
    const first = await seal('', {}, large);
    expect(first.status).toBe(201);
    expect(first.body.subarray(0, large.length).equals(large)).toBe(true);
    const second = await seal('', {}, first.body);
    expect(second.status).toBe(201);
    expect(second.body.subarray(0, first.body.length).equals(first.body)).toBe(true);
    cutSignature(second.body);
    expect(readdirSync(service.services.spoolDirectory)).toEqual([]);
  });

  test('is counted, and its journal is chained', async () => {
    const answer = await seal();
    while ((await chainEvents(service.services.db)) > 0);
    const report = await verifyEvents(service.services.db, await tenant());
    expect(report).toMatchObject({ intact: true, unchained: { count: 0 } });
    const usage = await service.services.db.selectFrom('usage_records').selectAll().execute();
    const seals = await service.services.db
      .selectFrom('seals')
      .select('id')
      .where('status', '=', 'completed')
      .execute();
    expect(usage).toHaveLength(seals.length);
    expect(answer.status).toBe(201);
  });
});

describe('refusals', () => {
  test('what is not a PDF is 422 with a reason, recorded as failed, and nothing was signed', async () => {
    const before = service.signRequests.length;
    const answer = await seal('', {}, Buffer.from('hello, I am not a PDF'));
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    const problem = json(answer);
    expect(problem.code).toMatch(/^pdf_/);
    expect(problem.request_id).toBe(answer.headers.get('sigillum-request-id'));
    expect(service.signRequests).toHaveLength(before);
    const [latest] = json(await get('/v1/seals?limit=1')).data;
    expect(latest).toMatchObject({ status: 'failed', failure: { code: problem.code }, sealed: null });
    expect(await eventTypes(latest.id)).toEqual(['seal.failed']);
  });

  test.each([
    ['an unknown parameter', '?colour=red', {}, 400, 'request_invalid', '/query/colour'],
    ['a repeated parameter', '?reason=a&reason=b', {}, 400, 'request_invalid', '/query/reason'],
    ['a reason with control characters', '?reason=a%00b', {}, 400, 'request_invalid', '/query/reason'],
    ['an endless reason', `?reason=${'x'.repeat(1025)}`, {}, 400, 'request_invalid', '/query/reason'],
    ['a level that is no level', '?level=b-b', {}, 400, 'request_invalid', '/query/level'],
    ['a level that is not offered', '?level=b-lta', {}, 422, 'seal_level_unsupported', '/query/level'],
    ['an unknown credential', '?credential=nobody', {}, 404, 'credential_not_found', '/query/credential'],
    [
      'an idempotency key with blanks',
      '',
      { 'Idempotency-Key': 'a b' },
      400,
      'request_invalid',
      '/header/idempotency-key',
    ],
    [
      'another media type',
      '',
      { 'Content-Type': 'application/octet-stream' },
      415,
      'request_media_type_unsupported',
      undefined,
    ],
    ['a packed body', '', { 'Content-Encoding': 'gzip' }, 415, 'request_media_type_unsupported', undefined],
    ['a caller who wants HTML', '', { Accept: 'text/html' }, 406, 'request_not_acceptable', undefined],
    [
      'a wrong key',
      '',
      { Authorization: `Bearer sk_test_${'x'.repeat(32)}` },
      401,
      'request_unauthenticated',
      undefined,
    ],
    ['no key', '', { Authorization: '' }, 401, 'request_unauthenticated', undefined],
  ])('%s', async (_what, query, headers, status, code, pointer) => {
    const answer = await seal(query, headers);
    expect([answer.status, json(answer).code, json(answer).errors?.[0]?.pointer]).toEqual([status, code, pointer]);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test('a media type with parameters and in capitals is the same media type', async () => {
    expect((await seal('', { 'Content-Type': 'Application/PDF; version="1.7"' })).status).toBe(201);
  });

  test('an empty body and one that is too large, announced or not', async () => {
    expect(json(await seal('', {}, Buffer.alloc(0))).code).toBe('seal_document_empty');
    const announced = await seal('', {}, Buffer.alloc(6_000_001));
    expect([announced.status, json(announced).code]).toEqual([413, 'request_too_large']);
    expect(json(announced).detail).toContain('6000000');
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${service.url}/v1/seals`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/pdf', 'Transfer-Encoding': 'chunked' },
      });
      request.on('response', (response) => resolve(response.resume().statusCode));
      request.on('error', reject);
      for (let index = 0; index < 7; index += 1) request.write(Buffer.alloc(1_000_000));
      request.end();
    });
    expect(status).toBe(413);
    expect(service.services.places.taken).toBe(0);
  });

  test('an upload that stands still is given up', async () => {
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(`${service.url}/v1/seals`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/pdf', 'Content-Length': '1000' },
      });
      request.on('response', (response) => {
        resolve(response.statusCode);
        request.destroy();
      });
      request.on('error', reject);
      request.write('%PDF-1.7');
    });
    expect(status).toBe(408);
  });

  test('more seals at once than there are places are told at once to come again', async () => {
    const pause = mkdtempSync(join(tmpdir(), 'sigillum-pause-'));
    await service.open({ stepGate: createPausingStepGate(pause, 'prepare') });
    const running = Array.from({ length: 8 }, () => seal());
    while (readdirSync(pause).length < 8) await sleep(10);
    const refused = await seal();
    expect([refused.status, json(refused).code]).toEqual([503, 'service_overloaded']);
    expect(refused.headers.get('retry-after')).toBe('1');
    rmSync(pause, { recursive: true });
    expect((await Promise.all(running)).map((answer) => answer.status)).toEqual(Array(8).fill(201));
    await service.open();
  });

  test('a scope that the key does not have is 403', async () => {
    const { db } = service.services;
    const limited = await service.provision('Limited');
    await db
      .updateTable('api_keys')
      .set({ scopes: ['seals:read'] })
      .where('organisation_id', 'in', db.selectFrom('organisations').select('id').where('name', '=', 'Limited'))
      .execute();
    const answer = await seal('', { Authorization: `Bearer ${limited}` });
    expect([answer.status, json(answer).code]).toEqual([403, 'request_forbidden']);
    expect((await get('/v1/seals', limited)).status).toBe(200);
  });
});

describe('a credential', () => {
  test('that is suspended, revoked by the CRL, or without a current CRL seals nothing', async () => {
    const { db } = service.services;
    const id = (await db.selectFrom('credentials').select('id').where('name', '=', 'p384').executeTakeFirstOrThrow())
      .id;
    const whose = await tenant();
    const before = service.signRequests.length;
    const codes: unknown[] = [];
    const attempt = async () => {
      const answer = await seal('?credential=p384');
      codes.push([answer.status, json(answer).code]);
      return answer;
    };
    await setCredentialStatus(db, whose, id, 'suspended');
    await attempt();
    await setCredentialStatus(db, whose, id, 'active');
    await service.writeCrl({ revoked: ['p384'] });
    await attempt();
    await service.writeCrl({ thisUpdate: new Date(Date.now() - 31 * 86_400_000) });
    expect((await attempt()).headers.get('retry-after')).toBe('60');
    service.pki.write('issuing-ca.crl', 'broken');
    await attempt();
    rmSync(service.pki.path('issuing-ca.crl'));
    await attempt();
    expect(codes).toEqual([
      [409, 'credential_suspended'],
      [409, 'credential_revoked'],
      [503, 'credential_status_unknown'],
      [503, 'credential_status_unknown'],
      [503, 'credential_status_unknown'],
    ]);
    expect(service.signRequests).toHaveLength(before);
    await service.writeCrl();
    expect((await seal('?credential=p384')).status).toBe(201);
  });

  test('has to be named where there is no default', async () => {
    const undecided = await service.provision('Undecided', 'test', ['rsa-2048']);
    const { db } = service.services;
    const { id } = await db
      .selectFrom('organisations')
      .select('id')
      .where('name', '=', 'Undecided')
      .executeTakeFirstOrThrow();
    await db.updateTable('credentials').set({ is_default: false }).where('organisation_id', '=', id).execute();
    const by = { Authorization: `Bearer ${undecided}` };
    const refused = await seal('', by);
    expect([refused.status, json(refused).code, json(refused).errors]).toEqual([
      422,
      'credential_required',
      [expect.objectContaining({ pointer: '/query/credential' })],
    ]);
    expect((await seal('?credential=rsa-2048', by)).status).toBe(201);
  });

  test('and a seal of another organisation or mode do not exist', async () => {
    const answer = await seal();
    const other = await service.provision('Other', 'test', ['rsa-2048']);
    const live = await service.provision('Sandbox', 'live', ['rsa-2048']);
    // nor is a seal an extension
    const elsewhere = await get(`/v1/extensions/${idOf(answer).replace('seal_', 'ext_')}`);
    expect([elsewhere.status, json(elsewhere).code]).toEqual([404, 'extension_not_found']);
    const mine = json(await get('/v1/credentials/p256'));
    expect(mine).toMatchObject({ name: 'p256', default: true, status: 'active', development: true });
    for (const stranger of [other, live]) {
      expect(json(await get(`/v1/seals/${idOf(answer)}`, stranger)).code).toBe('seal_not_found');
      expect(json(await get(`/v1/extensions/${idOf(answer)}`, stranger)).code).toBe('extension_not_found');
      expect(json(await get('/v1/seals', stranger)).data).toEqual([]);
      expect(json(await get(`/v1/credentials/${mine.id}`, stranger)).code).toBe('credential_not_found');
      const refused = await seal(`?credential=${mine.id}`, { Authorization: `Bearer ${stranger}` });
      expect([refused.status, json(refused).code]).toEqual([404, 'credential_not_found']);
    }
  });
});

describe('idempotency', () => {
  test('the same request is answered with the same bytes, sealed once, also when the credential is suspended since', async () => {
    const { db } = service.services;
    const headers = { 'Idempotency-Key': randomUUID() };
    const first = await seal('?reason=once&credential=p256', headers);
    const before = service.signRequests.length;
    const id = (await db.selectFrom('credentials').select('id').where('name', '=', 'p256').executeTakeFirstOrThrow())
      .id;
    await setCredentialStatus(db, await tenant(), id, 'suspended');
    const byId = json(await get('/v1/credentials/p256')).id;
    const second = await seal(`?credential=${byId}&reason=once`, headers);
    await setCredentialStatus(db, await tenant(), id, 'active');
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.equals(first.body)).toBe(true);
    expect(idOf(second)).toBe(idOf(first));
    expect([first, second].map((answer) => answer.headers.get('sigillum-replayed'))).toEqual([null, 'true']);
    expect(service.signRequests).toHaveLength(before);
  });

  test('another document or other options under the same key are 422', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    await seal('', headers);
    for (const answer of [
      await seal('?reason=x', headers),
      await seal('', headers, Buffer.concat([pdf, Buffer.from('\n')])),
    ]) {
      expect([answer.status, json(answer).code]).toEqual([422, 'idempotency_key_reused']);
    }
  });

  test('ten at once are one seal: the others are told to wait', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const before = service.signRequests.length;
    const answers = await Promise.all(Array.from({ length: 8 }, () => seal('', headers)));
    const sealed = answers.filter((answer) => answer.status === 201);
    expect(sealed.length).toBeGreaterThanOrEqual(1);
    expect(new Set(sealed.map(idOf)).size).toBe(1);
    for (const answer of answers.filter((other) => other.status !== 201)) {
      expect([answer.status, json(answer).code]).toEqual([409, 'idempotency_key_in_flight']);
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect(service.signRequests.length - before).toBe(1);
  });

  test('a 4xx outcome is answered again, a 5xx frees the key', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const broken = Buffer.from('%PDF-1.7\nbroken');
    const [first, second] = [await seal('', headers, broken), await seal('', headers, broken)];
    expect(first.status).toBe(422);
    const { request_id: _a, ...one } = json(first);
    const { request_id: _b, ...two } = json(second);
    expect(two).toEqual(one);

    const again = { 'Idempotency-Key': randomUUID() };
    service.tsa.failWith = 500;
    const failed = await seal('', again);
    expect([failed.status, json(failed).code]).toEqual([503, 'tsa_unavailable']);
    service.tsa.failWith = undefined;
    expect((await seal('', again)).status).toBe(201);
  });
});

describe('faults', () => {
  test.each([
    [
      'a signer that is away',
      () => Promise.reject(new SigillumError('signer_unavailable', 'Away.', { retryAfterSeconds: 1 })),
      503,
      'signer_unavailable',
    ],
    [
      'a signer that refuses the key',
      () => Promise.reject(new SigillumError('signer_key_forbidden', 'No.')),
      502,
      'seal_signing_refused',
    ],
    [
      'a signer that wants more time than is left',
      () => Promise.reject(new SigillumError('signer_deadline_too_short', 'Leave at least 2500 ms.')),
      503,
      'seal_timeout',
    ],
    [
      'a signer whose key is used too often',
      () => Promise.reject(new SigillumError('signer_rate_exceeded', 'Slow down.', { retryAfterSeconds: 3 })),
      503,
      'signer_overloaded',
    ],
    [
      'a signer that has no answer for the digest',
      () => Promise.resolve([{ code: 'signer_operation_failed' as const }]),
      500,
      'signer_operation_failed',
    ],
    ['a wrong signature', () => Promise.resolve([{ signature: Buffer.alloc(70, 1) }]), 502, 'pades_signature_wrong'],
  ])('%s: nothing leaves, and the seal is failed', async (_what, signInstead, status, code) => {
    service.signInstead = signInstead;
    const headers = { 'Idempotency-Key': randomUUID() };
    const answer = await seal('', headers);
    expect([answer.status, json(answer).code]).toEqual([status, code]);
    if (status === 503) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    const [latest] = json(await get('/v1/seals?limit=1')).data;
    expect(latest).toMatchObject({ status: 'failed', failure: { code } });
    service.signInstead = undefined;
    expect((await seal('', headers)).status).toBe(201);
  });

  test('an outcome that can not be written: nothing leaves, and the sweeper ends the seal', async () => {
    const pause = mkdtempSync(join(tmpdir(), 'sigillum-pause-'));
    await service.open({ stepGate: createPausingStepGate(pause, 'outcome') });
    const headers = { 'Idempotency-Key': randomUUID() };
    const { db } = service.services;
    const running = seal('', headers);
    while (readdirSync(pause).length === 0) await sleep(10);
    const revoke = await service.postgres.connect(service.access.owner);
    await revoke.query('revoke insert on usage_records, events from sigillum_app');
    rmSync(pause, { recursive: true });
    const answer = await running;
    expect([answer.status, json(answer).code]).toEqual([500, 'internal_error']);
    await revoke.query('grant insert on usage_records, events to sigillum_app');
    await revoke.end();
    const pending = await db.selectFrom('seals').select(['id', 'status']).where('status', '=', 'pending').execute();
    expect(pending).toHaveLength(1);
    expect((await seal('', headers)).status).toBe(409);
    // A restart: the same instance, another process.
    await service.open();
    await new Sweeper(service.services).sweep();
    expect(await db.selectFrom('seals').select('id').where('status', '=', 'pending').execute()).toEqual([]);
    expect(service.log).toContain('what the HSM signed for it is in the log of hash-signer');
    expect((await seal('', headers)).status).toBe(201);
  });

  // The two others are of higher levels: test/integration walks them with the real processes.
  test.each(sealSteps.filter((step) => step !== 'revocation' && step !== 'document-time-stamp'))(
    'a caller who hangs up before the step %s leaves a consistent record',
    async (step: SealStep) => {
      const pause = mkdtempSync(join(tmpdir(), 'sigillum-pause-'));
      writeFileSync(join(pause, `pause-${step}`), '');
      await service.open({ stepGate: createPausingStepGate(pause) });
      const abort = new AbortController();
      const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/pdf' };
      const running = fetch(`${service.url}/v1/seals`, { method: 'POST', body: pdf, headers, signal: abort.signal });
      running.catch(() => undefined);
      const paused = () => readdirSync(pause).find((name) => name.startsWith(`paused-${step}-`));
      while (paused() === undefined) await sleep(10);
      abort.abort();
      await sleep(50);
      rmSync(pause, { recursive: true });
      await service.services.places.whenFree();
      const rows = await service.services.db
        .selectFrom('seals')
        .selectAll()
        .where('process', '=', service.services.process)
        .execute();
      const recorded = rows.map((row) => row.status);
      if (step === 'admit' || step === 'intent') expect(recorded).toEqual([]);
      else if (step === 'outcome' || step === 'answer') expect(recorded).toEqual(['completed']);
      else expect(recorded).toEqual(['failed']);
      expect(existsSync(pause)).toBe(false);
      await service.open();
    },
  );
});

describe('pages of the journal', () => {
  test('walk through every seal once, and refuse cursors of others', async () => {
    const all = json(await get('/v1/seals?limit=100')).data.map((entry: { id: string }) => entry.id);
    const walked: string[] = [];
    for (let cursor = ''; ; ) {
      const page = json(await get(`/v1/seals?limit=7${cursor}`));
      walked.push(...page.data.map((entry: { id: string }) => entry.id));
      if (page.next_cursor === null) break;
      cursor = `&cursor=${page.next_cursor}`;
    }
    expect(walked.slice(0, all.length)).toEqual(all);
    expect(new Set(walked).size).toBe(walked.length);
    const credentials = json(await get('/v1/credentials?limit=1'));
    expect(json(await get(`/v1/seals?cursor=${credentials.next_cursor}`)).errors[0].pointer).toBe('/query/cursor');
    for (const limit of ['0', '101', 'x', '1e1']) {
      expect(json(await get(`/v1/seals?limit=${limit}`)).errors[0].pointer).toBe('/query/limit');
    }
    expect(
      json(await get('/v1/seals?status=failed')).data.every((entry: { status: string }) => entry.status === 'failed'),
    ).toBe(true);
  });
});

describe('logs', () => {
  test('hold ids and no key, no pepper and no bytes of a document', () => {
    expect(service.log).toContain('"message":"request"');
    expect(service.log).toMatch(/"message":"request".*"status":201.*"organisation":"org_.*"seal":"seal_/);
    expect(service.log).not.toContain(key);
    expect(service.log).not.toContain(Buffer.from(service.services.pepper).toString());
    expect(service.log).not.toContain('%PDF');
  });
});
