import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { startTestPostgres, type TestPostgres } from '../test/start-test-postgres.ts';
import { parseDatabaseUrl } from './database/parse-database-url.ts';
import {
  appendEvent,
  assertSchemaCurrent,
  type BlobStore,
  chainEvents,
  completeSeal,
  createUuid,
  type Database,
  encodeId,
  ensureApiKey,
  ensureCredential,
  ensureOrganisation,
  failSeal,
  findApiKey,
  findCredential,
  findDefaultCredential,
  findIdempotencyKey,
  findSeal,
  findUuid,
  freeIdempotencyKey,
  getEventChainId,
  giveDocumentTimeStamp,
  hashApiKey,
  idempotencyLifetimeMs,
  insertSeal,
  insertUsageRecord,
  inTransaction,
  listCredentials,
  listSeals,
  migrate,
  openBlobStore,
  openDatabase,
  setCredentialStatus,
  setDefaultCredential,
  settleIdempotencyKey,
  sweepBlobs,
  sweepReplays,
  sweepSeals,
  takeIdempotencyKey,
  type Tenant,
  toStorageError,
  verifyEvents,
} from './index.ts';

const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest();
const processId = createUuid();
const now = new Date('2026-11-22T10:00:00.000Z');

describe('public ids', () => {
  test('every UUID has one public form and comes back from it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const uuid = Buffer.from(bytes)
          .toString('hex')
          .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
        const id = encodeId('seal', uuid);
        expect(id).toMatch(/^seal_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
        expect(findUuid('seal', id)).toBe(uuid);
      }),
    );
  });

  test('a known UUID has the known form', () => {
    // The 128 bits of the ULID specification's example.
    expect(encodeId('cred', '01563e3a-b5d3-d676-4c61-efb99302bd5b')).toBe('cred_01ARZ3NDEKTSV4RRFFQ69G5FAV');
  });

  test('nothing else is an id: other prefixes, lengths, cases, look-alikes, more than 128 bits', () => {
    const id = encodeId('seal', createUuid());
    const wrong = [
      id.replace('seal_', 'cred_'),
      id.slice(0, -1),
      `${id}0`,
      id.toLowerCase(),
      '',
      'seal_',
      `${id.slice(0, -1)}I`,
    ];
    for (const text of [...wrong, `seal_8${'0'.repeat(25)}`, `seal_${'Z'.repeat(26)}`])
      expect(findUuid('seal', text)).toBeUndefined();
  });

  test('a UUIDv7 carries its version, variant and time, and sorts by it', () => {
    const uuid = createUuid(0x0123456789ab, (size) => new Uint8Array(size).fill(0xff));
    expect(uuid).toBe('01234567-89ab-7fff-bfff-ffffffffffff');
    expect(createUuid(1_000) < createUuid(1_001)).toBe(true);
  });
});

describe('database URLs', () => {
  test('say host, socket folder, port, user and database', () => {
    expect(parseDatabaseUrl('postgresql://me@/data?host=%2Ftmp%2Fx')).toEqual({
      host: '/tmp/x',
      database: 'data',
      user: 'me',
      ssl: false,
    });
    expect(parseDatabaseUrl('postgres://m%40e:p%2Fw@db.example:6432/a%20b?sslmode=verify-full')).toEqual({
      host: 'db.example',
      port: 6432,
      database: 'a b',
      user: 'm@e',
      password: 'p/w',
      ssl: { rejectUnauthorized: true },
    });
  });

  test.each([
    '',
    'http://x/y',
    'postgresql://me@/data',
    'postgresql://h/',
    'postgresql://h/d?sslmode=prefer',
    'postgresql://h/d?x=1',
  ])('%p is refused, and what stands in it is not repeated', (url) => {
    expect(() => parseDatabaseUrl(url)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  });
});

describe('on PostgreSQL', () => {
  let postgres: TestPostgres;
  let urls: Awaited<ReturnType<TestPostgres['createDatabase']>>;
  let db: Database;
  let tenant: Tenant;
  let credentialId: string;

  beforeAll(async () => {
    postgres = await startTestPostgres();
    urls = await postgres.createDatabase();
    db = openDatabase(urls.app);
    await expect(assertSchemaCurrent(db)).rejects.toMatchObject({ code: 'database_schema_outdated' });
    expect(await migrate(urls.owner)).toEqual(['0001-seals', '0002-levels', '0003-left-alone']);
  });

  afterAll(async () => {
    await db?.destroy();
    await postgres?.stop();
  });

  /** Each test has an organisation of its own. */
  beforeEach(async () => {
    tenant = { organisationId: await ensureOrganisation(db, `Org ${randomBytes(4).toString('hex')}`), mode: 'test' };
    credentialId = (await ensureCredential(db, tenant, credentialInput('p256'))).id;
  });

  const credentialInput = (name: string, keyId = randomBytes(16).toString('hex')) => ({
    name,
    keyId,
    algorithm: 'ecdsa-p256-sha256',
    certificate: Buffer.from('leaf'),
    chain: [Buffer.from('issuing'), Buffer.from('root')],
  });

  const begin = async (overrides: Partial<Parameters<typeof insertSeal>[1]> = {}) => {
    const seal = {
      ...tenant,
      id: createUuid(),
      kind: 'seal' as const,
      credentialId,
      level: 'b-t' as const,
      requestId: 'req_X',
      instance: 'document-service-1',
      process: processId,
      content: { size: 1_000, sha256: sha256('document') },
      createdAt: now,
      ...overrides,
    };
    await insertSeal(db, seal);
    return seal;
  };

  const outcome = {
    signingTime: now,
    genTime: now,
    timeStampSerial: 'ab',
    fieldName: 'Signature1',
    earlierSignatures: [
      { field_name: 'A', state: 'intact' as const },
      { field_name: null, state: 'broken' as const },
    ],
    sealed: { size: 21_000, sha256: sha256('sealed') },
    finishedAt: now,
    incrementSha256: sha256('increment'),
    incrementExpiresAt: new Date(now.getTime() + idempotencyLifetimeMs),
  };

  describe('roles', () => {
    test('migrating again changes nothing, and the schema is current', async () => {
      expect(await migrate(urls.owner)).toEqual([]);
      await expect(assertSchemaCurrent(db)).resolves.toBeUndefined();
    });

    test('two processes that migrate at once both succeed', async () => {
      const fresh = await postgres.createDatabase();
      const results = await Promise.all([migrate(fresh.owner), migrate(fresh.owner)]);
      expect(results.flat()).toEqual(['0001-seals', '0002-levels', '0003-left-alone']);
    });

    test('the role that migrates, a superuser and a missing role may not serve requests', async () => {
      for (const applicationRole of ['sigillum_owner', 'sigillum_superuser', 'nobody_here']) {
        await expect(migrate({ ...urls.owner, applicationRole })).rejects.toMatchObject({
          code: 'database_migration_failed',
        });
      }
    });

    test("the application's role owns nothing, and can't change, delete, truncate or drop what is written once", async () => {
      const client = await postgres.connect(urls.app);
      const owned = await client.query("select relname from pg_class where relowner = 'sigillum_app'::regrole");
      expect(owned.rows).toEqual([]);
      await inTransaction(db, (transaction) =>
        appendEvent(transaction, { ...tenant, type: 'a.b', occurredAt: now, data: {} }),
      );
      for (const table of ['events', 'event_chain', 'usage_records']) {
        for (const statement of [
          `update ${table} set mode = 'live'`,
          `delete from ${table}`,
          `truncate ${table} cascade`,
          `drop table ${table} cascade`,
          `alter table ${table} disable trigger all`,
        ]) {
          await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
        }
      }
      await expect(client.query('create table public.mine (id int)')).rejects.toMatchObject({ code: '42501' });
      await expect(client.query('set role sigillum_owner')).rejects.toMatchObject({ code: '42501' });
      await client.end();
    });

    test('every table and every unique key of a tenant carries organisation and mode', async () => {
      const client = await postgres.connect(urls.superuser);
      const { rows } = await client.query(`
        select i.indexrelid::regclass::text as index, array_agg(a.attname::text) as columns
        from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
        where n.nspname = 'public' and i.indisunique and c.relname not like 'kysely%' 
          and c.relname not in ('organisations', 'rate_limits')
        group by 1`);
      expect(rows.length).toBeGreaterThan(8);
      for (const row of rows) expect(row.columns).toEqual(expect.arrayContaining(['organisation_id', 'mode']));
      await client.end();
    });
  });

  describe('API keys', () => {
    test('a key is found by its hash alone, and the database holds only the hash and the first characters', async () => {
      const pepper = randomBytes(32);
      const key = `sk_test_${randomBytes(24).toString('base64url')}`;
      expect(await ensureApiKey(db, tenant, { name: 'sandbox', key, pepper, scopes: ['seals:write'] })).toBe(true);
      expect(await ensureApiKey(db, tenant, { name: 'sandbox', key, pepper, scopes: ['seals:read'] })).toBe(false);
      expect(await findApiKey(db, hashApiKey(key, pepper))).toMatchObject({ ...tenant, scopes: ['seals:read'] });
      expect(await findApiKey(db, hashApiKey(key, randomBytes(32)))).toBeUndefined();
      const rows = await db
        .selectFrom('api_keys')
        .selectAll()
        .where('organisation_id', '=', tenant.organisationId)
        .execute();
      expect(rows).toHaveLength(1);
      expect(rows[0]?.prefix).toBe(key.slice(0, 12));
      expect(JSON.stringify(rows)).not.toContain(key.slice(12));
    });

    test('a revoked key is nobody, also after it is provisioned again', async () => {
      const pepper = randomBytes(32);
      const input = { name: 'k', key: 'sk_test_revoked', pepper, scopes: [] };
      await ensureApiKey(db, tenant, input);
      await db
        .updateTable('api_keys')
        .set({ revoked_at: now })
        .where('organisation_id', '=', tenant.organisationId)
        .execute();
      await ensureApiKey(db, tenant, input);
      expect(await findApiKey(db, hashApiKey('sk_test_revoked', pepper))).toBeUndefined();
    });
  });

  describe('credentials', () => {
    test('name and id lead to it in its own organisation and mode only', async () => {
      const other: Tenant = { organisationId: await ensureOrganisation(db, 'Other'), mode: 'test' };
      const id = encodeId('cred', credentialId);
      expect((await findCredential(db, tenant, 'p256'))?.id).toBe(credentialId);
      const found = await findCredential(db, tenant, id);
      expect(found?.chain.map((bytes) => Buffer.from(bytes).toString())).toEqual(['issuing', 'root']);
      for (const stranger of [other, { ...tenant, mode: 'live' as const }]) {
        expect(await findCredential(db, stranger, 'p256')).toBeUndefined();
        expect(await findCredential(db, stranger, id)).toBeUndefined();
      }
      // What no name can be is nobody's, and no error of the database.
      expect(await findCredential(db, tenant, 'p256\0')).toBeUndefined();
    });

    test('provisioning the same again changes nothing, a new certificate renews it, and its id and status stay', async () => {
      const input = credentialInput('renewed');
      const first = await ensureCredential(db, tenant, input);
      expect(first.change).toBe('created');
      await setCredentialStatus(db, tenant, first.id, 'suspended');
      expect(await ensureCredential(db, tenant, input)).toEqual({ id: first.id, change: 'none' });
      const renewed = await ensureCredential(db, tenant, { ...input, certificate: Buffer.from('new leaf') });
      expect(renewed).toEqual({ id: first.id, change: 'renewed' });
      expect(await findCredential(db, tenant, 'renewed')).toMatchObject({ status: 'suspended' });
    });

    test('a revoked credential stays revoked', async () => {
      expect(await setCredentialStatus(db, tenant, credentialId, 'revoked')).toBe(true);
      expect(await setCredentialStatus(db, tenant, credentialId, 'active')).toBe(false);
      expect((await findCredential(db, tenant, 'p256'))?.status).toBe('revoked');
    });

    test('there is one default, which can move', async () => {
      const second = await ensureCredential(db, tenant, credentialInput('second'));
      expect(await findDefaultCredential(db, tenant)).toBeUndefined();
      for (const id of [credentialId, second.id, second.id]) {
        await inTransaction(db, (transaction) => setDefaultCredential(transaction, tenant, id));
        expect((await findDefaultCredential(db, tenant))?.id).toBe(id);
      }
      expect(
        (await listCredentials(db, tenant, { limit: 10 })).map(({ name, isDefault }) => [name, isDefault]),
      ).toEqual([
        ['p256', false],
        ['second', true],
      ]);
      expect(await listCredentials(db, tenant, { limit: 10, after: credentialId })).toHaveLength(1);
    });
  });

  describe('seals', () => {
    test('goes from pending to completed once', async () => {
      const seal = await begin();
      expect(await findSeal(db, tenant, seal.id)).toMatchObject({
        status: 'pending',
        outcome: undefined,
        failure: undefined,
      });
      expect(await completeSeal(db, seal, outcome)).toBe(true);
      expect(await completeSeal(db, seal, outcome)).toBe(false);
      expect(await failSeal(db, seal, { code: 'x_y', detail: 'z', finishedAt: now })).toBe(false);
      expect(await findSeal(db, tenant, seal.id)).toMatchObject({
        status: 'completed',
        credential: { id: credentialId, name: 'p256' },
        document: { size: 1_000 },
        outcome: { genTime: now, sealed: { size: 21_000 }, earlierSignatures: outcome.earlierSignatures },
      });
    });

    test('keeps names of fields that PostgreSQL would not take as they are', async () => {
      const seal = await begin();
      const odd = (name: string) => [{ field_name: name, state: 'intact' as const }];
      expect(await completeSeal(db, seal, { ...outcome, earlierSignatures: odd('a\0b\u{d83d}') })).toBe(true);
      expect(await findSeal(db, tenant, seal.id)).toMatchObject({
        outcome: { earlierSignatures: odd('a\uFFFDb\uFFFD') },
      });
    });

    test("can't point at another organisation's credential, and is not seen by another organisation or mode", async () => {
      const other: Tenant = { organisationId: await ensureOrganisation(db, 'Other'), mode: 'test' };
      await expect(begin({ ...other })).rejects.toMatchObject({ code: '23503' });
      await expect(begin({ mode: 'live' })).rejects.toMatchObject({ code: '23503' });
      const seal = await begin();
      for (const stranger of [other, { ...tenant, mode: 'live' as const }]) {
        expect(await findSeal(db, stranger, seal.id)).toBeUndefined();
        expect(await listSeals(db, stranger, { kinds: ['seal'], limit: 10 })).toEqual([]);
        expect(await completeSeal(db, { ...stranger, id: seal.id }, outcome)).toBe(false);
      }
    });

    test('pages go from the newest to the oldest without gaps or repeats', async () => {
      const ids: string[] = [];
      for (let index = 0; index < 7; index += 1) {
        ids.push((await begin({ id: createUuid(now.getTime() + index) })).id);
      }
      const seen: string[] = [];
      for (let after: string | undefined; ; after = seen.at(-1)) {
        const page = await listSeals(db, tenant, {
          kinds: ['seal'],
          limit: 3,
          ...(after === undefined ? {} : { after }),
        });
        seen.push(...page.map((seal) => seal.id));
        if (page.length < 3) break;
      }
      expect(seen).toEqual(ids.toReversed());
      expect(await listSeals(db, tenant, { kinds: ['seal'], limit: 10, status: 'completed' })).toEqual([]);
    });

    test('of a digest has no document, an extension no credential, and neither can be mixed up with the other', async () => {
      const digest = { digestAlgorithm: 'sha256', digest: sha256('range') };
      const hashOnly = await begin({ kind: 'digest', content: digest });
      expect(await completeSeal(db, hashOnly, { ...outcome, sealed: undefined })).toBe(true);
      expect(await findSeal(db, tenant, hashOnly.id)).toMatchObject({
        kind: 'digest',
        document: undefined,
        digest: { algorithm: 'sha256' },
        outcome: { sealed: undefined },
      });
      const extension = await begin({ kind: 'extension', credentialId: undefined, level: 'b-lta' });
      const { signingTime: _, genTime: __, ...extended } = outcome;
      const leftAlone = [{ field_name: 'Théirs', code: 'extension_not_pades', detail: 'Not PAdES.' }];
      expect(await completeSeal(db, extension, { ...extended, fromLevel: 'b-t', leftAlone })).toBe(true);
      expect(await findSeal(db, tenant, extension.id)).toMatchObject({
        credential: undefined,
        kind: 'extension',
        outcome: { fromLevel: 'b-t', leftAlone },
      });
      expect((await listSeals(db, tenant, { kinds: ['extension'], limit: 10 })).map(({ id }) => id)).toEqual([
        extension.id,
      ]);
      for (const wrong of [{ kind: 'digest' as const }, { content: digest }, { credentialId: undefined }]) {
        await expect(begin(wrong)).rejects.toMatchObject({ code: '23514' });
      }
    });

    test('of a digest gets one document time-stamp, and no second one', async () => {
      const seal = await begin({ kind: 'digest', content: { digestAlgorithm: 'sha256', digest: sha256('range') } });
      const given = { token: Buffer.from('token'), digest: sha256('a'), time: now, serial: '01' };
      expect(await giveDocumentTimeStamp(db, seal, given)).toBe(false);
      await completeSeal(db, seal, { ...outcome, sealed: undefined });
      expect(await giveDocumentTimeStamp(db, seal, given)).toBe(true);
      expect(await giveDocumentTimeStamp(db, seal, { ...given, digest: sha256('b') })).toBe(false);
      expect((await findSeal(db, tenant, seal.id))?.outcome?.documentTimeStamp).toEqual({ time: now, serial: '01' });
    });

    test('a completed row without its facts is refused by the database', async () => {
      const seal = await begin();
      await expect(
        db.updateTable('seals').set({ status: 'completed', finished_at: now }).where('id', '=', seal.id).execute(),
      ).rejects.toMatchObject({ code: '23514' });
    });
  });

  describe('idempotency keys', () => {
    const scopeOf = (key: string) => ({ ...tenant, route: 'POST /v1/seals', key });
    const take = async (key: string, at = now) => {
      const seal = await begin();
      const taken = await takeIdempotencyKey(db, scopeOf(key), { fingerprint: sha256('f'), sealId: seal.id, now: at });
      return { seal, taken };
    };

    test('of fifty at once exactly one takes the key', async () => {
      const results = await Promise.all(
        Array.from({ length: 50 }, async () =>
          inTransaction(db, async (transaction) => {
            const seal = { ...(await begin()), id: createUuid() };
            await insertSeal(transaction, seal);
            return takeIdempotencyKey(transaction, scopeOf('race'), { fingerprint: sha256('f'), sealId: seal.id, now });
          }),
        ).map((promise) => promise.catch(() => undefined)),
      );
      expect(results.filter((taken) => taken === true)).toHaveLength(1);
    });

    test('the same text is another key on another route, in another mode and in another organisation', async () => {
      const { seal } = await take('k');
      expect((await findIdempotencyKey(db, scopeOf('k'), now))?.sealId).toBe(seal.id);
      const other = await ensureOrganisation(db, 'Other');
      for (const scope of [
        { ...scopeOf('k'), route: 'POST /v1/extensions' },
        { ...scopeOf('k'), mode: 'live' as const },
        { ...scopeOf('k'), organisationId: other },
      ]) {
        expect(await findIdempotencyKey(db, scope, now)).toBeUndefined();
      }
    });

    test('a settled key keeps its problem, a freed one is gone', async () => {
      const first = await take('settled');
      const problem = { code: 'pdf_xref_damaged', detail: 'It is damaged.', fields: [] };
      await settleIdempotencyKey(db, first.seal, problem);
      expect(await findIdempotencyKey(db, scopeOf('settled'), now)).toMatchObject({ state: 'done', problem });
      const second = await take('freed');
      await freeIdempotencyKey(db, second.seal);
      expect(await findIdempotencyKey(db, scopeOf('freed'), now)).toBeUndefined();
      expect((await take('freed')).taken).toBe(true);
    });

    test('after a day the key is free again', async () => {
      expect((await take('old')).taken).toBe(true);
      expect((await take('old')).taken).toBe(false);
      const later = new Date(now.getTime() + idempotencyLifetimeMs);
      expect(await findIdempotencyKey(db, scopeOf('old'), later)).toBeUndefined();
      expect((await take('old', later)).taken).toBe(true);
    });
  });

  describe('the sweeper', () => {
    const sweep = (overrides = {}) =>
      sweepSeals(db, {
        instance: 'document-service-1',
        process: processId,
        atWork: [],
        olderThanMs: 60_000,
        now,
        ...overrides,
      });

    test('ends pending seals of an earlier process of this instance and frees their keys; leaves the rest alone', async () => {
      const mine = await begin();
      const earlier = await begin({ process: createUuid() });
      const elsewhere = await begin({ process: createUuid(), instance: 'document-service-2' });
      const scope = { ...tenant, route: 'r', key: 'swept' };
      await takeIdempotencyKey(db, scope, { fingerprint: sha256('f'), sealId: earlier.id, now });
      const swept = (await sweep()).filter((seal) => seal.organisationId === tenant.organisationId);
      expect(swept.map((seal) => seal.id)).toEqual([earlier.id]);
      expect(await findSeal(db, tenant, earlier.id)).toMatchObject({
        status: 'failed',
        failure: { code: 'seal_swept' },
      });
      for (const seal of [mine, elsewhere]) expect((await findSeal(db, tenant, seal.id))?.status).toBe('pending');
      expect(await findIdempotencyKey(db, scope, now)).toBeUndefined();
      const events = await db
        .selectFrom('events')
        .selectAll()
        .where('organisation_id', '=', tenant.organisationId)
        .execute();
      expect(events.map((event) => event.type)).toEqual(['seal.swept']);
      expect(JSON.parse(Buffer.from(events[0]?.bytes ?? []).toString()).data).toEqual({
        seal: encodeId('seal', earlier.id),
        signature_may_be_in_signer_log: true,
      });
    });

    test('ends what this process began and no longer works on, when it could not write the end itself', async () => {
      const createdAt = new Date(now.getTime() - 10);
      const atWork = await begin({ createdAt });
      const leftOver = await begin({ createdAt });
      const younger = await begin({ createdAt: now });
      await sweep({ atWork: [atWork.id] });
      expect((await findSeal(db, tenant, leftOver.id))?.status).toBe('failed');
      for (const seal of [atWork, younger]) expect((await findSeal(db, tenant, seal.id))?.status).toBe('pending');
    });

    test('ends old ones of anybody, and a late outcome then finds nothing to complete', async () => {
      const old = await begin({ createdAt: new Date(now.getTime() - 60_001), instance: 'document-service-2' });
      await sweep();
      expect((await findSeal(db, tenant, old.id))?.status).toBe('failed');
      expect(await completeSeal(db, old, outcome)).toBe(false);
    });
  });

  describe('the journal', () => {
    const append = (count: number) =>
      inTransaction(db, async (transaction) => {
        for (let index = 0; index < count; index += 1) {
          await appendEvent(transaction, { ...tenant, type: 'seal.completed', occurredAt: now, data: { index } });
        }
      });

    test('is chained in batches, verified, and says what waits', async () => {
      await append(3);
      expect(await verifyEvents(db, tenant, { now: new Date(now.getTime() + 5_000) })).toMatchObject({
        intact: true,
        lines: 0,
        unchained: { count: 3, oldestAgeMs: 5_000 },
      });
      await chainEvents(db);
      await append(2);
      await chainEvents(db);
      const report = await verifyEvents(db, tenant);
      expect(report).toMatchObject({ intact: true, lines: 5, unchained: { count: 0, oldestAgeMs: 0 } });
      expect(report.head.sequence).toBe(5);
      expect(await verifyEvents(db, tenant, { expectedHead: { sequence: 9, hash: sha256('x') } })).toMatchObject({
        intact: false,
        problems: [{ kind: 'head_missing' }],
      });
    });

    test('an event of a transaction that fails is not there', async () => {
      const failing = inTransaction(db, async (transaction) => {
        await appendEvent(transaction, { ...tenant, type: 'a.b', occurredAt: now, data: {} });
        throw new RangeError('business failed');
      });
      await expect(failing).rejects.toThrow('business failed');
      expect((await verifyEvents(db, tenant)).unchained.count).toBe(0);
    });

    test('sequencers at once make one chain, and organisations and modes have their own', async () => {
      await append(40);
      const live: Tenant = { ...tenant, mode: 'live' };
      await inTransaction(db, (transaction) =>
        appendEvent(transaction, { ...live, type: 'a.b', occurredAt: now, data: {} }),
      );
      await Promise.all(Array.from({ length: 5 }, () => chainEvents(db)));
      await chainEvents(db);
      expect(await verifyEvents(db, tenant)).toMatchObject({ intact: true, lines: 40 });
      expect(await verifyEvents(db, live)).toMatchObject({ intact: true, lines: 1 });
      expect(getEventChainId(tenant)).not.toBe(getEventChainId(live));
    });

    test('one changed byte, a removed event and a swapped pair are found, although the owner did it', async () => {
      await append(6);
      await chainEvents(db);
      const client = await postgres.connect(urls.owner);
      const of = `organisation_id = '${tenant.organisationId}'`;
      const second = `(select event_id from event_chain where ${of} and sequence = 2)`;
      await client.query(
        `update events set bytes = replace(encode(bytes, 'escape'), '"index":', '"other":')::bytea where id = ${second}`,
      );
      expect(await verifyEvents(db, tenant)).toMatchObject({
        intact: false,
        problems: [{ line: 2, kind: 'event_changed' }],
      });
      await client.query(
        `update events set bytes = replace(encode(bytes, 'escape'), '"other":', '"index":')::bytea where id = ${second}`,
      );
      expect((await verifyEvents(db, tenant)).intact).toBe(true);
      await client.query(`delete from event_chain where ${of} and sequence = 4`);
      const report = await verifyEvents(db, tenant);
      expect(report.problems.map((problem) => problem.kind)).toContain('line_does_not_follow');
      expect(report.unchained.count).toBe(1);
      await client.end();
    });
  });

  describe('usage', () => {
    test('one seal is counted once', async () => {
      const seal = await begin();
      const usage = { ...tenant, sealId: seal.id, kind: 'seal' as const, level: 'b-t' as const, occurredAt: now };
      await insertUsageRecord(db, usage);
      await expect(insertUsageRecord(db, usage)).rejects.toMatchObject({ code: '23505' });
    });
  });

  describe('increments', () => {
    let blobs: BlobStore;
    let directory: string;
    beforeEach(async () => {
      directory = mkdtempSync(join(tmpdir(), 'sgl-blobs-'));
      blobs = await openBlobStore(directory);
    });

    test('are forgotten after their time, and blobs that no row names are removed', async () => {
      const seal = await begin();
      const kept = await blobs.put(Buffer.from(`increment of ${seal.id}`));
      await completeSeal(db, seal, { ...outcome, incrementSha256: kept });
      const orphan = await blobs.put(Buffer.from('left by a crash'));
      expect(await sweepBlobs(db, blobs, { now: new Date(), olderThanMs: 3_600_000 })).toBe(0);
      expect(await sweepBlobs(db, blobs, { now: new Date(Date.now() + 3_600_001), olderThanMs: 3_600_000 })).toBe(1);
      await expect(blobs.get(orphan)).rejects.toMatchObject({ code: 'blob_missing' });
      await sweepReplays(db, blobs, new Date(outcome.incrementExpiresAt.getTime() - 1));
      expect(Buffer.from(await blobs.get(kept)).toString()).toBe(`increment of ${seal.id}`);
      await sweepReplays(db, blobs, outcome.incrementExpiresAt);
      await expect(blobs.get(kept)).rejects.toMatchObject({ code: 'blob_missing' });
      expect((await findSeal(db, tenant, seal.id))?.incrementSha256).toBeUndefined();
    });

    test('sealed files are kept for as long as was asked for, and the journal then says that they are gone', async () => {
      async function* pieces() {
        yield Buffer.alloc(300_000, 'a');
        yield Buffer.from('end');
      }
      const content = Buffer.concat([Buffer.alloc(300_000, 'a'), Buffer.from('end')]);
      const seal = await begin();
      const kept = await blobs.putStream(pieces());
      expect(Buffer.from(kept).equals(sha256(content))).toBe(true);
      const expiresAt = new Date(now.getTime() + 60_000);
      await completeSeal(db, seal, { ...outcome, retained: { sha256: kept, expiresAt } });
      const reader = await blobs.open(kept);
      const got: Uint8Array[] = [];
      for await (const piece of reader.read()) got.push(Buffer.from(piece));
      await reader.close();
      expect(Buffer.concat(got).equals(content)).toBe(true);
      await sweepBlobs(db, blobs, { now: new Date(Date.now() + 3_600_001), olderThanMs: 3_600_000 });
      await sweepReplays(db, blobs, new Date(expiresAt.getTime() - 1));
      expect((await blobs.get(kept)).length).toBe(content.length);
      await sweepReplays(db, blobs, expiresAt);
      await expect(blobs.open(kept)).rejects.toMatchObject({ code: 'blob_missing' });
      expect((await findSeal(db, tenant, seal.id))?.retained).toEqual({ sha256: undefined, expiresAt });
    });

    test('a damaged blob never arrives as a whole', async () => {
      const name = await blobs.put(Buffer.alloc(600_000, 'a'));
      const hex = Buffer.from(name).toString('hex');
      writeFileSync(join(directory, hex.slice(0, 2), hex), Buffer.alloc(600_000, 'b'));
      const reader = await blobs.open(name);
      let size = 0;
      const reading = (async () => {
        for await (const piece of reader.read()) size += piece.length;
      })();
      await expect(reading).rejects.toMatchObject({ code: 'blob_damaged' });
      await reader.close();
      expect(size).toBeLessThan(600_000);
    });

    test('what the disk says becomes an error that asks to come again', () => {
      const of = (code: string) => Object.assign(new Error(code), { code });
      for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) {
        expect(toStorageError(of(code))).toMatchObject({ code: 'storage_full', retryAfterSeconds: 30 });
      }
      expect(toStorageError(of('EROFS'))).toMatchObject({ code: 'storage_unavailable' });
      const other = of('ERR_INVALID_ARG_TYPE');
      expect(toStorageError(other)).toBe(other);
    });

    test('a folder that has gone is storage_unavailable', async () => {
      rmSync(directory, { recursive: true });
      await expect(blobs.put(Buffer.from('x'))).rejects.toMatchObject({ code: 'storage_unavailable' });
    });

    test('a damaged blob is told from a missing one, and half-written ones are gone after a restart', async () => {
      const name = await blobs.put(Buffer.from('content'));
      const hex = Buffer.from(name).toString('hex');
      writeFileSync(join(directory, hex.slice(0, 2), hex), 'other');
      await expect(blobs.get(name)).rejects.toMatchObject({ code: 'blob_damaged' });
      await blobs.delete(name);
      await blobs.delete(name);
      writeFileSync(join(directory, 'tmp', 'half'), 'x');
      await openBlobStore(directory);
      expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
      expect(existsSync(join(directory, hex.slice(0, 2), hex))).toBe(false);
    });
  });

  describe('faults', () => {
    test('a server that is away is database_unavailable with a time to come back, and is used again when it is there', async () => {
      const nowhere = openDatabase({ url: 'postgresql://sigillum_app@/none?host=/nonexistent' });
      await expect(assertSchemaCurrent(nowhere)).rejects.toMatchObject({
        code: 'database_unavailable',
        retryAfterSeconds: 2,
      });
      await nowhere.destroy();
      const broken = inTransaction(db, async (transaction) => {
        await ensureOrganisation(transaction, 'Never');
        await postgres.restart();
        await ensureOrganisation(transaction, 'Never either');
      });
      await expect(broken).rejects.toMatchObject({ code: 'database_unavailable' });
      await expect(assertSchemaCurrent(db)).resolves.toBeUndefined();
      const never = await db.selectFrom('organisations').select('id').where('name', 'like', 'Never%').execute();
      expect(never).toEqual([]);
    });
  });
});
