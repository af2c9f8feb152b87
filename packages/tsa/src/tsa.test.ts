import { execFile } from 'node:child_process';
import { createHash, createPublicKey } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { getSignatureAlgorithm, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { AuditLog, verifyAuditLog } from '@sigillum/audit';
import { SigillumError } from '@sigillum/errors';
import {
  contextTag,
  encodeBoolean,
  encodeInteger,
  encodeMessageImprint,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTimeStampRequest,
  encodeTlv,
  parseSignedData,
  parseTimeStampResponse,
  TimeStampRefusal,
  type TimeStampToken,
  verifyTimeStampToken,
} from '@sigillum/pki';
import { createLogger, createMetrics, type Metrics } from '@sigillum/service-kit';
import {
  type OpensslCertificate,
  type OpensslKeyKind,
  OpensslPki,
  opensslExtensions,
  judgesDirectory,
  SoftwareSignerForTests,
} from '@sigillum/testing';
import { type RunningTsa, startTsa, type TsaOptions } from './start-tsa.ts';
import { type ClockFault, type ClockWatch, createUnsupervisedWatch } from './clock/clock-supervisor.ts';
import { AddressShares } from './http/address-shares.ts';
import { PublicAdmission } from './http/admission.ts';
import { toRateKey } from './http/rate-key.ts';
import { ClientKeys } from './http/client-keys.ts';
import { createTsaMetrics } from './tsa-metrics.ts';
import { openTimeStampUnit, type TimeStampUnit } from './unit/time-stamp-unit.ts';
import { UnitRotation } from './unit/unit-rotation.ts';

const policy = '2.25.123456789012345678901234567890';
const rates = { perAddress: 1000, perClient: 1000, failures: 5 };
const pki = new OpensslPki();
const data = Buffer.from('data to be time-stamped');
const imprint = { algorithm: 'sha256', digest: new Uint8Array(createHash('sha256').update(data).digest()) } as const;
let root: OpensslCertificate;
let ca: OpensslCertificate;
let tsu: OpensslCertificate;
let folder: string;
let audit: AuditLog;
let metrics: Metrics;
let running: RunningTsa[] = [];
/** What was logged in this test. */
let log: string;

beforeAll(() => {
  root = pki.issue('root', { key: 'p384', extensions: opensslExtensions.root });
  ca = pki.issue('tsa-ca', { issuer: root, extensions: opensslExtensions.ca });
  tsu = pki.issue('tsu', { issuer: ca, extensions: opensslExtensions.tsu });
});
afterAll(() => pki.remove());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sigillum-tsa-'));
  audit = await AuditLog.open({ directory: join(folder, 'audit'), chain: 'tsa-test' });
  metrics = createMetrics({ service: 'tsa' });
  log = '';
});
afterEach(async () => {
  for (const tsa of running) await tsa.stop();
  running = [];
  await audit.close();
  rmSync(folder, { recursive: true, force: true });
});

const manifestOf = (certificate: OpensslCertificate, algorithm: SignatureAlgorithmName) => ({
  key_id: '00112233445566778899aabbccddeeff',
  algorithm,
  purpose: 'timestamp' as const,
  spki: createPublicKey(certificate.privateKey).export({ format: 'der', type: 'spki' }).toString('base64'),
});

function openUnit(
  certificate: OpensslCertificate = tsu,
  more: {
    algorithm?: SignatureAlgorithmName;
    development?: boolean;
    qualified?: boolean;
    from?: Date;
    until?: Date;
    name?: string;
    chain?: OpensslCertificate[];
    key?: OpensslCertificate;
  } = {},
): TimeStampUnit {
  return openTimeStampUnit({
    name: more.name ?? 'tsu',
    manifest: manifestOf(more.key ?? certificate, more.algorithm ?? 'ecdsa-p256-sha256'),
    certificate: certificate.certificate,
    chain: (more.chain ?? [ca]).map((issuer) => issuer.certificate),
    development: more.development ?? true,
    qualified: more.qualified ?? false,
    from: more.from,
    until: more.until,
    marginMs: 3_600_000,
  });
}

const signWith =
  (certificate: OpensslCertificate, algorithm: SignatureAlgorithmName): TsaOptions['sign'] =>
  (_unit, digests) => {
    const signer = new SoftwareSignerForTests(certificate.privateKey, getSignatureAlgorithm(algorithm).scheme);
    return Promise.resolve(digests.map((digest) => ({ signature: signer.signSync(digest) })));
  };

async function start({ unit, ...more }: Partial<TsaOptions> & { unit?: TimeStampUnit } = {}): Promise<RunningTsa> {
  const address = { host: '127.0.0.1', port: 0 };
  const stream = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      log += Buffer.from(chunk).toString();
      done();
    },
  });
  const tsa = await startTsa({
    listen: { public: address, seals: address, internal: address },
    rotation: new UnitRotation([unit ?? openUnit()]),
    policy,
    watch: createUnsupervisedWatch(1000),
    tsaMetrics: createTsaMetrics(metrics.registry, { boundMs: () => undefined, units: () => [] }),
    stateFile: join(folder, 'state'),
    queueLimits: { public: 500, seals: 500 },
    sign: signWith(tsu, 'ecdsa-p256-sha256'),
    describeSigner: () => Promise.resolve('ok'),
    audit,
    logger: createLogger({ service: 'tsa', instance: 'tsa-test', stream }),
    metrics,
    now: () => new Date(),
    ...more,
  });
  running.push(tsa);
  return tsa;
}

type Answer = { status: number; headers: Record<string, unknown>; body: Uint8Array };

async function openConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  return socket;
}

function send(
  port: number,
  body: Uint8Array,
  options: { method?: string; headers?: Record<string, string>; path?: string } = {},
): Promise<Answer> {
  const { method = 'POST', headers = { 'content-type': 'application/timestamp-query' }, path = '/' } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: new Uint8Array(Buffer.concat(chunks)),
      }),
    );
    response.on('error', reject);
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

const query = (nonce?: Uint8Array, more: { certReq?: boolean; policy?: string } = {}): Uint8Array =>
  encodeTimeStampRequest({ imprint, nonce, certReq: true, ...more });

function getToken(answer: Answer, nonce?: Uint8Array): TimeStampToken {
  expect(answer.status).toBe(200);
  const response = parseTimeStampResponse(answer.body);
  if (!response.granted) throw new Error(`${response.failure}: ${response.text}`);
  return verifyTimeStampToken(response.token, {
    imprint,
    nonce,
    policy,
    roots: [root.certificate],
    certificates: [tsu.certificate, ca.certificate],
  });
}

const getFailure = (answer: Answer): string | undefined => {
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('application/timestamp-reply');
  const response = parseTimeStampResponse(answer.body);
  return response.granted ? 'granted' : response.failure;
};

/** One of the outside clients in test/judges: what it printed, as JSON. */
function runClient(program: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
  execFile(program, args, { timeout: 50_000 }, (error, stdout, stderr) => {
    if (error) reject(new Error(`${error.message}\n${stderr}`));
    else resolve(JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>);
  });
  return promise;
}
const python = join(judgesDirectory, '.venv/bin/python');
const dss = join(judgesDirectory, 'dss/target');
/** In CI a missing client is a failure. */
const testWith = (path: string) => (existsSync(path) || process.env['CI'] === 'true' ? test : test.skip);

describe('outside clients', () => {
  const check = (said: Record<string, unknown>): void => {
    expect(said).toMatchObject({ granted: true, matches: true });
    const token = new Uint8Array(Buffer.from(String(said['token']), 'base64'));
    const said512 = parseSignedData(token);
    expect(said512.certificates).toHaveLength(Number(said['certificates']));
    const data = pki.write('text', 'text to time-stamp');
    const file = pki.write('client.tst', token);
    const verified = pki.run([
      'ts',
      '-verify',
      '-token_in',
      '-in',
      file,
      '-data',
      data,
      '-CAfile',
      root.certificateFile,
    ]);
    expect(Buffer.from(verified).toString()).toContain('Verification: OK');
  };

  testWith(python)(
    "pyHanko's HTTPTimeStamper gets a token, also with Basic, and is told when there is none",
    async () => {
      const open = await start();
      const script = join(judgesDirectory, 'pyhanko/time_stamp.py');
      check(await runClient(python, [script, `http://127.0.0.1:${open.ports.public}/`, 'text to time-stamp']));
      const secret = 'a-secret-of-twenty-characters';
      const admission = new PublicAdmission(new ClientKeys([{ name: 'pyhanko', secrets: [secret] }]), rates);
      metrics = createMetrics({ service: 'tsa' });
      const closed = await start({ admission, stateFile: join(folder, 'state-2') });
      const url = `http://127.0.0.1:${closed.ports.public}/`;
      const password = pki.write('password', secret);
      check(await runClient(python, [script, url, 'text to time-stamp', 'pyhanko', password]));
      expect(await runClient(python, [script, url, 'text'])).toMatchObject({ granted: false });
    },
  );

  testWith(join(dss, 'installed'))(
    "EU DSS's OnlineTSPSource gets a token, and is told of a policy that is not served",
    async () => {
      const tsa = await start();
      const url = `http://127.0.0.1:${tsa.ports.public}/`;
      const java = [
        '-XX:TieredStopAtLevel=1',
        '-XX:+UseSerialGC',
        '-cp',
        `${dss}/judge.jar:${dss}/lib/*`,
        'sigillum.judge.TimeStampClient',
      ];
      check(await runClient('java', [...java, url, 'text to time-stamp', policy]));
      expect(await runClient('java', [...java, url, 'text', '1.2.3'])).toMatchObject({
        granted: false,
        reason: expect.stringContaining(policy),
      });
    },
  );
});

describe('a time-stamp over HTTP', () => {
  test.each<[SignatureAlgorithmName, OpensslKeyKind]>([
    ['ecdsa-p256-sha256', 'p256'],
    ['ecdsa-p384-sha384', 'p384'],
    ['rsassa-pkcs1-v1_5-sha256', 'rsa-3072'],
  ])('by a TSU with %s is asked for and verified by openssl ts', async (algorithm, key) => {
    const certificate = pki.issue(`tsu-${key}`, { key, issuer: ca, extensions: opensslExtensions.tsu });
    const tsa = await start({ unit: openUnit(certificate, { algorithm }), sign: signWith(certificate, algorithm) });
    const asked = pki.run(['ts', '-query', '-data', pki.write('data', data), '-sha512', '-cert']);
    const answer = await send(tsa.ports.public, asked);
    expect(answer.headers['content-type']).toBe('application/timestamp-reply');
    const files = [pki.write('o.tsr', answer.body), pki.write('o.tsq', asked)] as const;
    const said = pki.run(['ts', '-verify', '-in', files[0], '-queryfile', files[1], '-CAfile', root.certificateFile]);
    expect(Buffer.from(said).toString()).toContain('Verification: OK');
    const text = Buffer.from(pki.run(['ts', '-reply', '-in', files[0], '-text'])).toString();
    expect(text).toContain('Accuracy: 0x01 seconds');
    expect(text).toContain('Ordering: no');
    expect(text).toContain(`Policy OID: ${policy}`);
  });

  test.each([
    ['a positive one', Uint8Array.of(0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0)],
    ['one with a sign octet', Uint8Array.of(0x00, 0xff)],
    ['a negative one', Uint8Array.of(0x80, 0x00)],
    ['zero', Uint8Array.of(0)],
    ['none', undefined],
  ])('repeats the nonce exactly: %s', async (_what, nonce) => {
    const tsa = await start();
    const token = getToken(await send(tsa.ports.seals, query(nonce)), nonce);
    expect(token.nonce).toEqual(nonce);
  });

  test('carries the certificates of TSU and CA when certReq says so, and none when it does not', async () => {
    const tsa = await start();
    const certificatesOf = (answer: Answer): number => parseSignedData(getToken(answer).der).certificates.length;
    expect(certificatesOf(await send(tsa.ports.public, query()))).toBe(2);
    expect(certificatesOf(await send(tsa.ports.public, query(undefined, { certReq: false })))).toBe(0);
  });

  test('honours the policy asked for, or says that it does not serve it', async () => {
    const tsa = await start();
    expect(getToken(await send(tsa.ports.public, query(undefined, { policy }))).policy).toBe(policy);
    expect(getFailure(await send(tsa.ports.public, query(undefined, { policy: '1.2.3' })))).toBe('unacceptedPolicy');
  });

  describe('is refused in RFC 3161, with HTTP 200 and a text to act on, when the query', () => {
    const digestOf = (...args: string[]) => pki.run(['ts', '-query', '-data', pki.write('data', data), ...args]);
    const change = (at: number, value: number): Uint8Array => query().with(at, value);
    const withExtension = (critical: boolean): Uint8Array => {
      const extension = encodeSequence(
        encodeOid('1.2.3.4'),
        ...(critical ? [encodeBoolean(true)] : []),
        encodeOctetString(Uint8Array.of(5, 0)),
      );
      return encodeSequence(encodeInteger(1), encodeMessageImprint(imprint), encodeTlv(contextTag(0), extension));
    };
    const withImprint = (oid: string, length: number, parameters: Uint8Array[] = []): Uint8Array =>
      encodeSequence(
        encodeInteger(1),
        encodeSequence(encodeSequence(encodeOid(oid), ...parameters), encodeOctetString(new Uint8Array(length))),
      );
    const sha256 = '2.16.840.1.101.3.4.2.1';

    test.each<[string, () => Uint8Array, string, string]>([
      ['is cut', () => query().subarray(0, -1), 'badDataFormat', 'malformed'],
      ['is followed by more', () => Buffer.concat([query(), Buffer.of(0)]), 'badDataFormat', 'malformed'],
      ['is empty', () => new Uint8Array(0), 'badDataFormat', 'malformed'],
      ['is something else', () => encodeSequence(encodeOid(sha256)), 'badDataFormat', 'malformed'],
      ['has a length in BER', () => Uint8Array.of(0x30, 0x81, 0x03, 0x02, 0x01, 0x01), 'badDataFormat', 'malformed'],
      [
        'says certReq FALSE in full',
        () => encodeSequence(encodeInteger(1), encodeMessageImprint(imprint), Uint8Array.of(1, 1, 0)),
        'badDataFormat',
        'certReq',
      ],
      ['has version 2', () => change(4, 2), 'badRequest', 'version 1'],
      ['has version 0', () => change(4, 0), 'badRequest', 'version 1'],
      ['has a nonce of 65 bytes', () => query(new Uint8Array(65).fill(1)), 'badRequest', 'nonce'],
      ['is made with SHA-1', () => digestOf('-sha1'), 'badAlg', 'SHA-1 is no longer secure. Use SHA-256'],
      ['is made with MD5', () => digestOf('-md5'), 'badAlg', 'MD5 is no longer secure. Use SHA-256'],
      ['is made with SHA-224', () => digestOf('-sha224'), 'badAlg', 'not supported'],
      [
        'has an algorithm with parameters',
        () => withImprint(sha256, 32, [encodeOctetString(Uint8Array.of(1))]),
        'badAlg',
        'parameters',
      ],
      ['has an imprint a byte too short', () => withImprint(sha256, 31), 'badDataFormat', '31 bytes'],
      ['has an imprint a byte too long', () => withImprint(sha256, 33), 'badDataFormat', '33 bytes'],
      ['has a critical extension', () => withExtension(true), 'unacceptedExtension', 'no request extensions'],
      [
        'has an extension that is not critical',
        () => withExtension(false),
        'unacceptedExtension',
        'no request extensions',
      ],
      ['asks for another policy', () => query(undefined, { policy: '1.2.3' }), 'unacceptedPolicy', policy],
    ])('%s', async (_what, make, failure, text) => {
      const tsa = await start();
      const answer = await send(tsa.ports.public, make());
      expect(getFailure(answer)).toBe(failure);
      const response = parseTimeStampResponse(answer.body);
      expect(response).toMatchObject({ granted: false, status: 2, text: expect.stringContaining(text) });
      // openssl reads the refusal too.
      const said = pki.run(['ts', '-reply', '-in', pki.write('refusal.tsr', answer.body), '-text']);
      expect(Buffer.from(said).toString()).toContain('Status: Rejected');
      expect(audit.head.sequence).toBe(0);
    });
  });

  test('is refused by HTTP for a wrong method, media type, size or path', async () => {
    const { ports } = await start();
    const get = await send(ports.public, new Uint8Array(0), { method: 'GET', headers: {} });
    expect([get.status, get.headers['allow']]).toEqual([405, 'POST']);
    expect((await send(ports.public, query(), { headers: { 'content-type': 'application/json' } })).status).toBe(415);
    expect((await send(ports.public, query(), { headers: {} })).status).toBe(415);
    const gzip = { 'content-type': 'application/timestamp-query', 'content-encoding': 'gzip' };
    expect((await send(ports.public, query(), { headers: gzip })).status).toBe(415);
    expect((await send(ports.public, new Uint8Array(20_000))).status).toBe(413);
    expect((await send(ports.public, query(), { path: '/other' })).status).toBe(404);
    const parameter = { 'content-type': 'Application/Timestamp-Query; charset=binary' };
    expect((await send(ports.public, query(), { headers: parameter })).status).toBe(200);
  });

  test('has a durable record before it leaves, and the chain of records is intact', async () => {
    let recordedAtSigning = -1;
    const sign = signWith(tsu, 'ecdsa-p256-sha256');
    const tsa = await start({
      sign: (unit, digests) => {
        recordedAtSigning = audit.head.sequence;
        return sign(unit, digests);
      },
    });
    const answer = await send(tsa.ports.seals, query());
    const token = getToken(answer);
    // One line says which unit began to sign, one is the token's.
    expect([recordedAtSigning, audit.head.sequence]).toEqual([0, 2]);
    const text = readFileSync(join(folder, 'audit', '000000000001.jsonl'), 'utf8');
    const { event } = JSON.parse(text.trim().split('\n')[1] ?? '') as { event: Record<string, unknown> };
    expect(event).toEqual({
      type: 'tsa.time_stamped',
      serial: token.serialNumber.padStart(32, '0'),
      gen_time: token.genTime.toISOString(),
      imprint: { algorithm: 'sha256', digest: Buffer.from(imprint.digest).toString('hex') },
      policy,
      accuracy_ms: 1000,
      requester: 'seals',
      request_id: answer.headers['sigillum-request-id'],
      tsu: openUnit().certificate.serialNumber,
      token_sha256: createHash('sha256').update(token.der).digest('hex'),
    });
    expect((await verifyAuditLog({ directory: join(folder, 'audit'), chain: 'tsa-test' })).intact).toBe(true);
  });

  test('is not given when it can not be recorded', async () => {
    const fail = () => Promise.reject(new SigillumError('audit_write_failed', 'No.'));
    const failing = { failure: undefined, append: fail, appendAll: fail };
    const tsa = await start({ audit: failing });
    const answer = await send(tsa.ports.public, query());
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
  });

  test('is not given when the signer answers the signature of another key', async () => {
    const other = pki.issue('other', { issuer: ca, extensions: opensslExtensions.tsu });
    const tsa = await start({ sign: signWith(other, 'ecdsa-p256-sha256') });
    expect((await send(tsa.ports.public, query())).status).toBe(503);
    expect(audit.head.sequence).toBe(0);
    expect(log).toContain('signer_signature_wrong');
  });

  test('is 503 while the signer is away, and comes back with it', async () => {
    let away = true;
    const sign = signWith(tsu, 'ecdsa-p256-sha256');
    const tsa = await start({
      sign: (unit, digests) =>
        away
          ? Promise.reject(new SigillumError('signer_unavailable', 'Away.', { retryAfterSeconds: 3 }))
          : sign(unit, digests),
      describeSigner: () => Promise.resolve(away ? 'unavailable' : 'ok'),
    });
    const ready = (): Promise<Answer> =>
      send(tsa.ports.internal, new Uint8Array(0), { method: 'GET', path: '/readyz', headers: {} });
    const answer = await send(tsa.ports.public, query());
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '3']);
    // What fails is measured and logged as what works.
    expect(await metrics.registry.getSingleMetricAsString('http_request_duration_seconds')).toMatch(
      /_count\{[^}]*route="\/",status="503"/,
    );
    expect((await ready()).status).toBe(503);
    away = false;
    getToken(await send(tsa.ports.public, query()));
    expect((await ready()).status).toBe(200);
  });
});

describe('the public listener', () => {
  const secret = 'a-secret-of-twenty-characters';
  const other = 'another-secret-of-somebody';
  const keys = () =>
    new ClientKeys([
      { name: 'first', secrets: [secret, 'the-secret-that-comes-next'] },
      { name: 'second', secrets: [other] },
    ]);
  const ask = (port: number, authorization?: string) =>
    send(port, query(), {
      headers: { 'content-type': 'application/timestamp-query', ...(authorization && { authorization }) },
    });
  const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

  test('answers clients by Bearer and Basic, both secrets of one that changes them, and writes down who it was', async () => {
    const tsa = await start({ admission: new PublicAdmission(keys(), rates) });
    for (const good of [
      `Bearer ${secret}`,
      'bearer the-secret-that-comes-next',
      basic('first', secret),
      basic('second', other),
    ]) {
      const answer = await ask(tsa.ports.public, good);
      getToken(answer);
      expect(answer.headers['ratelimit-limit']).toBe('1000');
    }
    const text = readFileSync(join(folder, 'audit', '000000000001.jsonl'), 'utf8');
    expect(text.match(/"client":"first"/g)).toHaveLength(3);
    expect(text).not.toContain(secret);
    expect(log).not.toContain(secret);
    // The listener of seals asks nobody.
    getToken(await ask(tsa.ports.seals));
  });

  test.each([
    ['nothing', undefined],
    ['a wrong key', 'Bearer a-secret-of-twenty-characterz'],
    ["another client's name", basic('second', secret)],
    ['no name', basic('', secret)],
    ['something that is no base64', 'Basic %%%'],
    ['another scheme', `Digest ${secret}`],
    ['an endless header', `Bearer ${'a'.repeat(5000)}`],
  ])('refuses %s with 401 and both challenges', async (_what, authorization) => {
    const tsa = await start({ admission: new PublicAdmission(keys(), rates) });
    const answer = await ask(tsa.ports.public, authorization);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer .*Basic /);
    expect(Buffer.from(answer.body).toString()).toContain('request_unauthenticated');
    expect(audit.head.sequence).toBe(0);
  });

  test('refuses more than its rate by address and by client with 429 and Retry-After, whatever the others do', async () => {
    const byAddress = await start({ admission: new PublicAdmission(undefined, { ...rates, perAddress: 3 }) });
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(byAddress.ports.public)));
    const refused = answers.filter(({ status }) => status === 429);
    // The second may turn in between.
    expect(refused.length).toBeGreaterThanOrEqual(2);
    expect(refused[0]?.headers['retry-after']).toBe('1');
    metrics = createMetrics({ service: 'tsa' });
    const admission = new PublicAdmission(keys(), { ...rates, perClient: 3 });
    const byClient = await start({ admission, stateFile: join(folder, 'state-2') });
    const mine = await Promise.all(Array.from({ length: 8 }, () => ask(byClient.ports.public, `Bearer ${secret}`)));
    expect(mine.some(({ status }) => status === 429)).toBe(true);
    expect((await ask(byClient.ports.public, `Bearer ${other}`)).status).toBe(200);
  });

  test('lets whoever is too fast wait for the refusal, so that a flood comes no faster than its connections allow', async () => {
    const admission = new PublicAdmission(undefined, { ...rates, perAddress: 1 });
    await admission.admit('192.0.2.1', undefined);
    const started = performance.now();
    const refused = Promise.allSettled(Array.from({ length: 20 }, () => admission.admit('192.0.2.1', undefined)));
    // Another address has nothing to do with it.
    await admission.admit('192.0.2.2', undefined);
    expect((await refused).every(({ status }) => status === 'rejected')).toBe(true);
    // A lower bound, which a busy machine only makes truer.
    expect(performance.now() - started).toBeGreaterThan(900);
  });

  test('lets nobody guess: after some wrong secrets an address waits, even with the right one', async () => {
    const tsa = await start({ admission: new PublicAdmission(keys(), rates) });
    for (let index = 0; index < 5; index++) expect((await ask(tsa.ports.public, `Bearer ${index}`)).status).toBe(401);
    expect((await ask(tsa.ports.public, `Bearer ${secret}`)).status).toBe(429);
  });

  test('closes connections of one address beyond its share at once, and takes them again when others have gone', async () => {
    const tsa = await start({ connectionsPerAddress: 3 });
    const open = await Promise.all(Array.from({ length: 3 }, () => openConnection(tsa.ports.public)));
    // Silent ones count too.
    const beyond = await openConnection(tsa.ports.public);
    await once(beyond, 'close');
    expect(beyond.bytesRead).toBe(0);
    // The listener of seals has nothing to do with it.
    expect((await send(tsa.ports.seals, query())).status).toBe(200);
    const [first, ...others] = open;
    first?.end();
    await Promise.all(first === undefined ? [] : [once(first, 'close')]);
    expect((await send(tsa.ports.public, query())).status).toBe(200);
    for (const one of others) one.destroy();
  });

  test('counts connections by address or /64, and those of trusted proxies not at all', () => {
    const shares = new AddressShares(1, ['loopback', '10.1.0.0/16', '2001:db8:9::1', 'fe80::1', 'fe80::2:0%eth0']);
    const meet = (remoteAddress: string | undefined) => {
      const socket = Object.assign(new EventEmitter(), { remoteAddress, isDestroyed: false, destroy: () => undefined });
      shares.meet(Object.assign(socket, { destroy: () => ((socket.isDestroyed = true), undefined) }) as never);
      return socket;
    };
    const refused = (address: string | undefined) => meet(address).isDestroyed;
    const first = meet('192.0.2.1');
    expect([first.isDestroyed, refused('::ffff:192.0.2.1'), refused('192.0.2.2')]).toEqual([false, true, false]);
    expect([refused('2001:db8::1'), refused('2001:db8::2'), refused('2001:db8:0:1::1')]).toEqual([false, true, false]);
    // A link-local address comes with its zone (RFC 4007 §11), which says nothing about who it is.
    const linkLocal = ['fe80::1%eth0', 'fe80::1', 'fe80::2:0%eth0'];
    for (const proxy of ['127.0.0.1', '::ffff:127.0.0.1', '::1', '10.1.2.3', '2001:db8:9::1', ...linkLocal]) {
      expect([refused(proxy), refused(proxy)]).toEqual([false, false]);
    }
    expect([refused('fe80::3%eth0'), refused('fe80::4%eth0')]).toEqual([false, true]);
    expect(refused(undefined)).toBe(true);
    first.emit('close');
    expect([refused('192.0.2.1'), refused('192.0.2.1')]).toEqual([false, true]);
  });

  test('counts a whole /64 of IPv6 as one address, and believes X-Forwarded-For only of a trusted proxy', async () => {
    expect(toRateKey('2001:db8:1:2:3:4:5:6')).toBe(toRateKey('2001:DB8:1:2::1'));
    expect(toRateKey('2001:db8:1:3::1')).not.toBe(toRateKey('2001:db8:1:2::1'));
    expect([toRateKey('::ffff:192.0.2.1'), toRateKey('192.0.2.1'), toRateKey('::1')]).toEqual([
      '192.0.2.1',
      '192.0.2.1',
      '0:0:0:0',
    ]);
    const few = () => new PublicAdmission(undefined, { ...rates, perAddress: 1 });
    const from = (port: number, address: string) =>
      send(port, query(), {
        headers: { 'content-type': 'application/timestamp-query', 'x-forwarded-for': address },
      });
    const behind = await start({ admission: few(), trustedProxies: ['loopback'] });
    const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
    for (const address of addresses) expect((await from(behind.ports.public, address)).status).toBe(200);
    metrics = createMetrics({ service: 'tsa' });
    const alone = await start({ admission: few(), stateFile: join(folder, 'state-2') });
    const statuses = await Promise.all(addresses.map((address) => from(alone.ports.public, address)));
    expect(statuses.some(({ status }) => status === 429)).toBe(true);
  });

  test('speaks TLS, and that of seals may ask for a certificate', async () => {
    const server = pki.issue('server', { issuer: root, extensions: ['subjectAltName=IP:127.0.0.1'] });
    const client = pki.issue('client', { issuer: root, extensions: ['extendedKeyUsage=clientAuth'] });
    const tls = {
      certificate: readFileSync(server.certificateFile, 'utf8'),
      key: readFileSync(server.keyFile, 'utf8'),
    };
    const rootPem = readFileSync(root.certificateFile, 'utf8');
    const address = { host: '127.0.0.1', port: 0 };
    const tsa = await start({
      listen: {
        public: { ...address, tls },
        seals: { ...address, tls: { ...tls, clientRoots: rootPem } },
        internal: address,
      },
    });
    const over = (port: number, more: object): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { 'content-type': 'application/timestamp-query' };
        const options = { host: '127.0.0.1', port, method: 'POST', headers, ca: rootPem, agent: false, ...more };
        const request = httpsRequest(options, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        request.on('error', reject);
        request.end(query());
      });
    expect(await over(tsa.ports.public, {})).toBe(200);
    await expect(over(tsa.ports.seals, {})).rejects.toThrow();
    const identity = { cert: readFileSync(client.certificateFile), key: readFileSync(client.keyFile) };
    expect(await over(tsa.ports.seals, identity)).toBe(200);
  });

  test('may be flooded, and every seal gets its time-stamp', async () => {
    const sign = signWith(tsu, 'ecdsa-p256-sha256');
    const tsa = await start({
      queueLimits: { public: 50, seals: 50 },
      // A signer with a rhythm: what arrives faster waits or is refused.
      sign: async (unit, digests) => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        return sign(unit, digests);
      },
    });
    const flood = new AbortController();
    const statuses = new Map<number, number>();
    const flooders = Array.from({ length: 80 }, async () => {
      while (!flood.signal.aborted) {
        const { status } = await send(tsa.ports.public, query());
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    await waitFor(() => Promise.resolve((statuses.get(503) ?? 0) > 0));
    for (let index = 0; index < 20; index++) getToken(await send(tsa.ports.seals, query()));
    flood.abort();
    await Promise.all(flooders);
    expect(statuses.get(200)).toBeGreaterThan(0);
    expect([...statuses.keys()].sort()).toEqual([200, 503]);
  });
});

describe('the clock', () => {
  const refuse = (): never => {
    throw new TimeStampRefusal('timeNotAvailable', 'It was set.');
  };

  test('states what was measured, and when it can not be relied on there is no time at once and no readiness', async () => {
    let fault: ClockFault | undefined;
    const watch: ClockWatch = {
      findFault: () => fault,
      assess: () => (fault === undefined ? { boundMs: 12.3, accuracyMs: 13 } : refuse()),
    };
    const tsa = await start({ watch });
    const ready = () => send(tsa.ports.internal, new Uint8Array(0), { method: 'GET', path: '/readyz', headers: {} });
    expect(getToken(await send(tsa.ports.public, query())).accuracyMs).toBe(13);
    const text = readFileSync(join(folder, 'audit', '000000000001.jsonl'), 'utf8');
    expect(text).toContain('"accuracy_ms":13,"clock_bound_us":12300,');
    expect((await ready()).status).toBe(200);
    fault = 'stepped';
    expect(getFailure(await send(tsa.ports.public, query()))).toBe('timeNotAvailable');
    expect(getFailure(await send(tsa.ports.seals, query()))).toBe('timeNotAvailable');
    const answer = await ready();
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([503, expect.stringContaining('stepped')]);
    fault = undefined;
    getToken(await send(tsa.ports.public, query()));
  });

  test('writes milliseconds without trailing zeros, and none when there are none', async () => {
    const text = async (now: string): Promise<string> => {
      metrics = createMetrics({ service: 'tsa' });
      const tsa = await start({ now: () => new Date(now), stateFile: join(folder, now) });
      const answer = await send(tsa.ports.seals, query());
      return Buffer.from(answer.body).toString('latin1');
    };
    const day = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const digits = day.replaceAll('-', '');
    expect(await text(`${day}T01:02:03.120Z`)).toContain(`${digits}010203.12Z`);
    expect(await text(`${day}T01:02:03.005Z`)).toContain(`${digits}010203.005Z`);
    expect(await text(`${day}T01:02:03.000Z`)).toContain(`${digits}010203Z`);
  });
});

test('the unit changes with the time, and the log says which signs', async () => {
  const next = pki.issue('next', { issuer: ca, extensions: opensslExtensions.tsu });
  const day = 86_400_000;
  let now = Date.now();
  const turn = new Date(now + 5 * day);
  const byKey = new Map(
    [tsu, next].map((certificate) => [certificate.name, signWith(certificate, 'ecdsa-p256-sha256')]),
  );
  const tsa = await start({
    rotation: new UnitRotation([openUnit(tsu, { name: 'tsu' }), openUnit(next, { name: 'next', from: turn })]),
    now: () => new Date(now),
    sign: (unit, digests) => byKey.get(unit.name)?.(unit, digests) ?? Promise.reject(new Error('which unit?')),
  });
  const signer = async (): Promise<string> => {
    const answer = await send(tsa.ports.public, query());
    const response = parseTimeStampResponse(answer.body);
    if (!response.granted) throw new Error(response.text);
    const { certificates } = parseSignedData(response.token);
    return certificates.some((der) => Buffer.from(der).equals(next.certificate)) ? 'next' : 'tsu';
  };
  expect(await signer()).toBe('tsu');
  now += 4 * day;
  expect(await signer()).toBe('tsu');
  now += 1.1 * day;
  expect(await signer()).toBe('next');
  const text = readFileSync(join(folder, 'audit', '000000000001.jsonl'), 'utf8');
  expect([...text.matchAll(/"type":"tsa.unit_selected","unit":"(\w+)"/g)].map(([, name]) => name)).toEqual([
    'tsu',
    'next',
  ]);
  // Within the margin of its end it does not sign, though the certificate is still valid.
  now = openUnit(next, { from: turn }).ends.getTime();
  expect(getFailure(await send(tsa.ports.public, query()))).toBe('systemFailure');
});

describe('many time-stamps at once', () => {
  test('share signing calls, and each gets its own', async () => {
    const sizes: number[] = [];
    const gate = Promise.withResolvers<void>();
    const sign = signWith(tsu, 'ecdsa-p256-sha256');
    const tsa = await start({
      sign: async (unit, digests) => {
        sizes.push(digests.length);
        await gate.promise;
        return sign(unit, digests);
      },
    });
    const nonces = Array.from({ length: 150 }, (_, index) => Uint8Array.of(1, index));
    const answers = nonces.map((nonce) => send(tsa.ports.seals, query(nonce)));
    await waitFor(async () =>
      (await metrics.registry.getSingleMetricAsString('http_requests_in_flight')).includes(' 150'),
    );
    gate.resolve();
    const tokens = (await Promise.all(answers)).map((answer, index) => getToken(answer, nonces[index]));
    expect(new Set(tokens.map(({ serialNumber }) => serialNumber)).size).toBe(150);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(150);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(sizes.length).toBeLessThan(10);
    const inOrder = readFileSync(join(folder, 'audit', '000000000001.jsonl'), 'utf8').matchAll(/"gen_time":"([^"]+)"/g);
    const times = [...inOrder].map(([, time]) => time ?? '');
    expect(times).toEqual(times.toSorted((left, right) => left.localeCompare(right)));
  });

  test('are refused with 503 and Retry-After beyond the bound of their own queue, and a full public queue leaves seals alone', async () => {
    const gate = Promise.withResolvers<void>();
    const sign = signWith(tsu, 'ecdsa-p256-sha256');
    const tsa = await start({
      queueLimits: { public: 2, seals: 2 },
      sign: async (unit, digests) => {
        await gate.promise;
        return sign(unit, digests);
      },
    });
    // One is being signed, two wait.
    const signing = send(tsa.ports.public, query());
    await waitFor(async () =>
      (await metrics.registry.getSingleMetricAsString('tsa_batch_size')).includes(
        'tsa_batch_size_count{service="tsa"} 1',
      ),
    );
    const others = Array.from({ length: 5 }, () => send(tsa.ports.public, query()));
    await waitFor(async () =>
      /outcome="overloaded",[^}]*} 3/.test(await metrics.registry.getSingleMetricAsString('tsa_answers_total')),
    );
    // Not earlier: it takes public ones that wait along, and leaves room for others behind them.
    const fromSeals = send(tsa.ports.seals, query());
    gate.resolve();
    getToken(await signing);
    getToken(await fromSeals);
    const answers = await Promise.all(others);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.map(({ headers }) => headers['retry-after'])).toEqual(['1', '1', '1']);
    expect(Buffer.from(refused[0]?.body ?? []).toString()).toContain('tsa_overloaded');
  });
});

test('a caller that hangs up while it waits costs no signature', async () => {
  const gate = Promise.withResolvers<void>();
  const sign = signWith(tsu, 'ecdsa-p256-sha256');
  const tsa = await start({
    sign: async (unit, digests) => {
      await gate.promise;
      return sign(unit, digests);
    },
  });
  const inFlight = (count: number) => async () =>
    (await metrics.registry.getSingleMetricAsString('http_requests_in_flight')).includes(` ${count}\n`) ||
    (await metrics.registry.getSingleMetricAsString('http_requests_in_flight')).endsWith(` ${count}`);
  const signing = send(tsa.ports.public, query());
  await waitFor(inFlight(1));
  const headers = { 'content-type': 'application/timestamp-query' };
  const waiting = httpRequest({
    host: '127.0.0.1',
    port: tsa.ports.public,
    path: '/',
    method: 'POST',
    headers,
    agent: false,
  });
  waiting.on('error', () => undefined);
  waiting.end(query());
  await waitFor(inFlight(2));
  waiting.destroy();
  await waitFor(inFlight(1));
  gate.resolve();
  getToken(await signing);
  await tsa.stop();
  const text = readFileSync(join(folder, 'audit', '000000000001.jsonl'), 'utf8');
  expect(text.match(/tsa\.time_stamped/g)).toHaveLength(1);
});

describe('genTime', () => {
  test('never goes back when the clock does: then there is no time', async () => {
    let now = Date.now();
    const tsa = await start({ now: () => new Date(now) });
    const first = getToken(await send(tsa.ports.public, query()));
    now -= 1;
    expect(getFailure(await send(tsa.ports.public, query()))).toBe('timeNotAvailable');
    now += 1;
    expect(getToken(await send(tsa.ports.public, query())).genTime).toEqual(first.genTime);
    now += 10_000;
    expect(getToken(await send(tsa.ports.public, query())).genTime.getTime()).toBe(now);
  });

  test('never goes back over a restart', async () => {
    let now = Date.now();
    const first = await start({ now: () => new Date(now) });
    getToken(await send(first.ports.public, query()));
    await first.stop();
    running = [];
    metrics = createMetrics({ service: 'tsa' });
    now -= 60_000;
    const second = await start({ now: () => new Date(now) });
    expect(getFailure(await send(second.ports.public, query()))).toBe('timeNotAvailable');
    const ready = await send(second.ports.internal, new Uint8Array(0), { method: 'GET', path: '/readyz', headers: {} });
    expect(Buffer.from(ready.body).toString()).toContain('behind_mark');
    now += 60_000;
    getToken(await send(second.ports.public, query()));
  });

  test('is covered by a mark on disk before it is given, so that a crash can not lose it', async () => {
    const marks: { mark: number; genTime?: number }[] = [];
    const sign = signWith(tsu, 'ecdsa-p256-sha256');
    const tsa = await start({
      sign: (unit, digests) => {
        marks.push({ mark: Date.parse(readMark()) });
        return sign(unit, digests);
      },
    });
    const token = getToken(await send(tsa.ports.public, query()));
    expect(marks[0]?.mark).toBeGreaterThan(token.genTime.getTime());
    await tsa.stop();
    expect(Date.parse(readMark())).toBe(token.genTime.getTime());
  });

  test('is not begun from a damaged mark', async () => {
    writeFileSync(join(folder, 'state'), '{"version":1,"mark":"yesterday"}\n');
    await expect(start()).rejects.toThrow(expect.objectContaining({ code: 'tsa_state_damaged' }));
  });

  test('is not given when the mark can not be written', async () => {
    const tsa = await start({ stateFile: join(folder, 'missing', 'state') });
    expect(getFailure(await send(tsa.ports.public, query()))).toBe('timeNotAvailable');
  });

  const readMark = (): string => (JSON.parse(readFileSync(join(folder, 'state'), 'utf8')) as { mark: string }).mark;
});

describe('the time-stamp unit', () => {
  const identifiers = ['subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'];
  const later = (days: number): Date => new Date(Date.now() + days * 86_400_000);

  test.each<[string, () => TimeStampUnit, string]>([
    ['has a window in which it could never sign', () => openUnit(tsu, { from: later(40) }), 'no time to sign'],
    ['is called qualified in development', () => openUnit(tsu, { qualified: true }), 'qualified'],
    [
      'outlives its algorithm',
      () =>
        openUnit(pki.issue('long', { key: 'rsa-3072', issuer: ca, extensions: opensslExtensions.tsu, days: 3650 }), {
          algorithm: 'rsassa-pkcs1-v1_5-sha256',
        }),
      '2029-01-01',
    ],
    ['is a development one in production', () => openUnit(tsu, { development: false }), 'development: true'],
    [
      'is not a development one in development',
      () =>
        openUnit(pki.issue('live', { issuer: ca, extensions: opensslExtensions.tsu, subject: '/O=Example/CN=TSU' })),
      'not a development one',
    ],
    ['belongs to another key', () => openUnit(tsu, { key: ca }), 'key in the manifest'],
    [
      'has a second purpose',
      () =>
        openUnit(
          pki.issue('two', {
            issuer: ca,
            extensions: [
              'keyUsage=critical,digitalSignature',
              'extendedKeyUsage=critical,timeStamping,codeSigning',
              ...identifiers,
            ],
          }),
        ),
      'only and critical purpose',
    ],
    [
      'has a purpose that is not critical',
      () =>
        openUnit(
          pki.issue('soft', {
            issuer: ca,
            extensions: ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=timeStamping', ...identifiers],
          }),
        ),
      'only and critical purpose',
    ],
    [
      'has another key usage',
      () =>
        openUnit(
          pki.issue('nr', {
            issuer: ca,
            extensions: ['keyUsage=critical,nonRepudiation', 'extendedKeyUsage=critical,timeStamping', ...identifiers],
          }),
        ),
      'key usage',
    ],
    [
      'lets its key do something beside signatures',
      () =>
        openUnit(
          pki.issue('more', {
            issuer: ca,
            extensions: [
              'keyUsage=critical,digitalSignature,keyEncipherment',
              'extendedKeyUsage=critical,timeStamping',
              ...identifiers,
            ],
          }),
        ),
      'beside signatures',
    ],
    [
      'makes a CA of it',
      () =>
        openUnit(
          pki.issue('authority', {
            issuer: ca,
            extensions: [
              'basicConstraints=critical,CA:TRUE',
              'keyUsage=critical,digitalSignature',
              'extendedKeyUsage=critical,timeStamping',
              ...identifiers,
            ],
          }),
        ),
      'of a CA',
    ],
    ['comes from another CA', () => openUnit(tsu, { chain: [root] }), 'does not lead to its CA'],
    [
      'has a key for PSS',
      () =>
        openUnit(pki.issue('pss', { key: 'rsa-3072', issuer: ca, extensions: opensslExtensions.tsu }), {
          algorithm: 'rsassa-pss-sha256',
        }),
      'RSASSA-PSS',
    ],
    [
      'has an RSA key of 2048 bits',
      () =>
        openUnit(pki.issue('small', { key: 'rsa-2048', issuer: ca, extensions: opensslExtensions.tsu }), {
          algorithm: 'rsassa-pkcs1-v1_5-sha256',
        }),
      '3072',
    ],
    [
      'has a key that does not go with the algorithm',
      () => openUnit(tsu, { algorithm: 'ecdsa-p384-sha384' }),
      "can't use",
    ],
  ])('is refused when its certificate %s', (_why, open, message) => {
    expect(open).toThrow(expect.objectContaining({ code: 'tsa_certificate_unusable' }));
    expect(open).toThrow(message);
  });

  test('stops signing when its certificate ends while the service runs', async () => {
    let now = Date.now();
    const tsa = await start({ now: () => new Date(now) });
    getToken(await send(tsa.ports.public, query()));
    now += 40 * 86_400_000;
    const answer = await send(tsa.ports.public, query());
    expect(getFailure(answer)).toBe('systemFailure');
    expect(Buffer.from(answer.body).toString()).toContain('has expired');
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  // Bounded by the test's own time limit.
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
