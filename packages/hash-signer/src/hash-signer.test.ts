import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getDigestOf, getVerifyParameters, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { verifyAuditLog } from '@sigillum/audit';
import { SignerClient } from '@sigillum/signer-rpc';

const root = resolve(import.meta.dirname, '../../..');
const node = process.execPath;
const softhsm = ['/usr/lib/softhsm/libsofthsm2.so', `/usr/lib/${process.arch}-linux-gnu/softhsm/libsofthsm2.so`].find(
  (path) => existsSync(path),
);
const userPin = 'pin-of-the-user-4711';
const soPin = 'pin-of-the-officer-0815';

type Manifest = { key_id: string; name: string; algorithm: SignatureAlgorithmName; purpose: string; spki: string };

const keyPlan = [
  { name: 'p256', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'seal' },
  { name: 'p384', spec: 'p384', algorithm: 'ecdsa-p384-sha384', purpose: 'seal' },
  { name: 'rsa-pss-3072', spec: 'rsa-3072', algorithm: 'rsassa-pss-sha256', purpose: 'seal' },
  { name: 'rsa-2048', spec: 'rsa-2048', algorithm: 'rsassa-pkcs1-v1_5-sha256', purpose: 'seal' },
  { name: 'tsu', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'timestamp' },
  { name: 'canary', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'canary' },
  { name: 'root', spec: 'p384', algorithm: 'ecdsa-p384-sha384', purpose: 'certificate' },
] as const;

let home = '';
let serial = '';
const daemons: Daemon[] = [];

type Daemon = { child: ChildProcess; port: number; internalPort: number; log: () => string; auditDirectory: string };

/** Makes the token and its manifests in a child process: the native addon never runs inside jest. */
function makeToken(): void {
  writeFileSync(join(home, 'softhsm2.conf'), `directories.tokendir = ${join(home, 'tokens')}\nlog.level = ERROR\n`);
  mkdirSync(join(home, 'tokens'));
  mkdirSync(join(home, 'keys'));
  const script = `
    import { loadModule } from '@sigillum/pkcs11';
    const module = loadModule(${JSON.stringify(softhsm)});
    const info = module.initToken({ label: 'service', soPin: Buffer.from('${soPin}'), userPin: Buffer.from('${userPin}') });
    const token = module.openToken(info, Buffer.from('${userPin}'));
    const manifests = ${JSON.stringify(keyPlan)}.map(({ name, spec, algorithm, purpose }) => {
      const made = token.generateKeyPair({ spec, algorithm, label: name });
      return {
        version: 1, key_id: Buffer.from(made.keyId).toString('hex'), name, token_label: info.label,
        token_serial: info.serial, key_spec: spec, algorithm, purpose,
        spki: Buffer.from(made.spki).toString('base64'), created: new Date().toISOString(),
      };
    });
    token.close();
    module.finalize();
    process.stdout.write(JSON.stringify(manifests));`;
  const manifests = JSON.parse(runScript(script)) as (Manifest & { token_serial: string })[];
  for (const manifest of manifests) {
    writeFileSync(join(home, 'keys', `${manifest.name}.json`), JSON.stringify(manifest));
    serial = manifest.token_serial;
  }
  writeSecret('user.pin', `${userPin}\n`);
}

/**
 * A second token whose public objects lie: key A's public half is replaced by that of key B, and the manifest of A
 * pins B. Everything looks consistent at the start; only A's signatures don't verify.
 */
function makeLyingToken(): { label: string; serial: string; manifests: string } {
  const script = `
    import { createRequire } from 'node:module';
    import { loadModule } from '@sigillum/pkcs11';
    const module = loadModule(${JSON.stringify(softhsm)});
    const info = module.initToken({ label: 'lying', soPin: Buffer.from('${soPin}'), userPin: Buffer.from('${userPin}') });
    const token = module.openToken(info, Buffer.from('${userPin}'));
    const plan = [
      { name: 'ec', spec: 'p256', algorithm: 'ecdsa-p256-sha256' },
      { name: 'rsa', spec: 'rsa-2048', algorithm: 'rsassa-pkcs1-v1_5-sha256' },
      { name: 'pss', spec: 'rsa-3072', algorithm: 'rsassa-pss-sha256' },
    ];
    const pairs = plan.map(({ name, spec, algorithm }) => {
      const [a, b] = ['a', 'b'].map((half) => token.generateKeyPair({ spec, algorithm, label: name + half }));
      return { a, b, manifest: {
        version: 1, key_id: Buffer.from(a.keyId).toString('hex'), name, token_label: info.label,
        token_serial: info.serial, key_spec: spec, algorithm, purpose: 'seal',
        spki: Buffer.from(b.spki).toString('base64'), created: new Date().toISOString(),
      } };
    });
    token.close();
    module.finalize();
    const { PKCS11, ...ck } = createRequire(import.meta.url)('pkcs11js');
    const native = new PKCS11();
    native.load(${JSON.stringify(softhsm)});
    native.C_Initialize({ flags: 2 });
    const slot = native.C_GetSlotList(true).find((id) => native.C_GetTokenInfo(id).serialNumber.trim() === info.serial);
    const session = native.C_OpenSession(slot, 6);
    native.C_Login(session, 1, '${userPin}');
    const findPublic = (id) => {
      native.C_FindObjectsInit(session, [{ type: ck.CKA_CLASS, value: 2 }, { type: ck.CKA_ID, value: Buffer.from(id) }]);
      const [object] = native.C_FindObjects(session, 1);
      native.C_FindObjectsFinal(session);
      return object;
    };
    for (const { a, b, manifest } of pairs) {
      const types = manifest.name === 'ec' ? [ck.CKA_EC_PARAMS, ck.CKA_EC_POINT] : [ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT];
      const shape = native.C_GetAttributeValue(session, findPublic(b.keyId), types.map((type) => ({ type })));
      native.C_DestroyObject(session, findPublic(a.keyId));
      native.C_CreateObject(session, [
        { type: ck.CKA_CLASS, value: 2 }, { type: ck.CKA_KEY_TYPE, value: manifest.name === 'ec' ? 3 : 0 },
        { type: ck.CKA_TOKEN, value: true }, { type: ck.CKA_PRIVATE, value: false },
        { type: ck.CKA_ID, value: Buffer.from(a.keyId) }, ...shape,
      ]);
    }
    native.C_Finalize();
    process.stdout.write(JSON.stringify(pairs.map(({ manifest }) => manifest)));`;
  const manifests = join(home, 'keys-lying');
  mkdirSync(manifests);
  let serialOfLying = '';
  for (const made of JSON.parse(runScript(script)) as (Manifest & { token_serial: string })[]) {
    writeFileSync(join(manifests, `${made.name}.json`), JSON.stringify(made));
    serialOfLying = made.token_serial;
  }
  return { label: 'lying', serial: serialOfLying, manifests };
}

function runScript(script: string): string {
  return execFileSync(node, ['--conditions=source', '--input-type=module', '-e', script], {
    cwd: root,
    env: { ...process.env, SOFTHSM2_CONF: join(home, 'softhsm2.conf') },
  }).toString();
}

function writeSecret(name: string, text: string): string {
  const path = join(home, name);
  writeFileSync(path, text, { mode: 0o600 });
  chmodSync(path, 0o600);
  return path;
}

const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { cwd: join(home, 'tls'), stdio: 'pipe' });
};

function makeRoot(name: string): void {
  const subject = `/CN=${name}`;
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-subj',
    subject,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
  );
}

function makeCertificate(name: string, issuer: string, extensions: string, days = '2'): void {
  writeFileSync(join(home, 'tls', `${name}.ext`), extensions);
  openssl(
    'req',
    '-new',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
  );
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${issuer}.pem`,
    '-CAkey',
    `${issuer}.key`,
    '-CAcreateserial',
    '-days',
    days,
    '-extfile',
    `${name}.ext`,
    '-out',
    `${name}.pem`,
  );
  chmodSync(join(home, 'tls', `${name}.key`), 0o600);
}

const uri = (name: string): string => `URI:spiffe://sigillum.internal/${name}`;
const clientExtensions = (...names: string[]): string =>
  `extendedKeyUsage=clientAuth\n${names.length > 0 ? `subjectAltName=${names.join(',')}\n` : ''}`;

function makeTls(): void {
  mkdirSync(join(home, 'tls'));
  makeRoot('root');
  makeRoot('stranger');
  const server = (name: string): string =>
    `extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1,${uri(name)}\n`;
  makeCertificate('hash-signer', 'root', server('hash-signer'));
  makeCertificate('impostor', 'root', server('document-service'));
  makeCertificate('document-service', 'root', clientExtensions(uri('document-service')));
  makeCertificate('tsa', 'root', clientExtensions(uri('tsa')));
  makeCertificate('monitor', 'root', clientExtensions(uri('monitor')));
  makeCertificate('nameless', 'root', clientExtensions('DNS:document-service'));
  makeCertificate('two-names', 'root', clientExtensions(uri('document-service'), uri('tsa')));
  makeCertificate('someone', 'root', clientExtensions(uri('someone')));
  makeCertificate('no-purpose', 'root', `subjectAltName=${uri('document-service')}\n`);
  makeCertificate('server-only', 'root', `extendedKeyUsage=serverAuth\nsubjectAltName=${uri('document-service')}\n`);
  makeCertificate('stranger-client', 'stranger', clientExtensions(uri('document-service')));
  // Its time ends in the second in which it begins.
  makeCertificate('expired', 'root', clientExtensions(uri('document-service')), '0');
}

const tls = (name: string): string => readFileSync(join(home, 'tls', name), 'utf8');

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return address.port;
}

type ConfigChanges = Readonly<Record<string, unknown>> & { readonly token?: Readonly<Record<string, unknown>> };

async function writeConfig(name: string, { token, ...changes }: ConfigChanges = {}) {
  const [port, internalPort] = [await findFreePort(), await findFreePort()];
  const auditDirectory = join(home, 'audit', name);
  const config = {
    instance: name,
    listen: { host: '127.0.0.1', port },
    internal: { host: '127.0.0.1', port: internalPort },
    tls: { certificate: 'tls/hash-signer.pem', key: 'tls/hash-signer.key', client_roots: 'tls/root.pem' },
    pkcs11: { module: softhsm, softhsm_conf: 'softhsm2.conf' },
    tokens: [{ label: 'service', serial, pin_file: 'user.pin', signers: 2, lanes: 2, ...token }],
    manifests: 'keys',
    clients: [
      { name: uri('document-service').slice(4), methods: ['signDigests', 'keys', 'health'], purposes: ['seal'] },
      { name: uri('tsa').slice(4), methods: ['signDigests', 'keys', 'health'], purposes: ['timestamp'] },
      { name: uri('monitor').slice(4), methods: ['health'], purposes: ['seal', 'timestamp'] },
    ],
    audit: { directory: auditDirectory },
    ...changes,
  };
  const path = join(home, `${name}.yaml`);
  // JSON is YAML.
  writeFileSync(path, JSON.stringify(config));
  return { path, port, internalPort, auditDirectory };
}

function spawnDaemon(configPath: string, ...args: string[]): { child: ChildProcess; log: () => string } {
  const chunks: string[] = [];
  const child = spawn(
    node,
    ['--conditions=source', join(import.meta.dirname, 'main.ts'), '--config', configPath, ...args],
    {
      cwd: home,
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  return { child, log: () => chunks.join('') };
}

async function waitUntil(what: string, condition: () => boolean | Promise<boolean>, seconds = 40): Promise<void> {
  const until = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > until) throw new Error(`waited too long for: ${what}`);
    await sleep(20);
  }
}

const isReady = async (port: number): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.ok === true;

async function startDaemon(name: string, changes: ConfigChanges = {}): Promise<Daemon> {
  const { path, port, internalPort, auditDirectory } = await writeConfig(name, changes);
  const { child, log } = spawnDaemon(path, '--lifeline');
  const daemon = { child, log, port, internalPort, auditDirectory };
  daemons.push(daemon);
  await waitUntil(`${name} ready: ${log()}`, async () => {
    if (child.exitCode !== null) throw new Error(`the daemon ended: ${log()}`);
    return await isReady(internalPort);
  });
  return daemon;
}

async function waitForExit(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function stopDaemon(daemon: Daemon): Promise<number | null> {
  daemon.child.kill('SIGTERM');
  return await waitForExit(daemon.child);
}

const createClient = (daemon: Daemon, name: string, serverUri?: string): SignerClient =>
  new SignerClient({
    url: `https://127.0.0.1:${daemon.port}`,
    certificate: tls(`${name}.pem`),
    key: tls(`${name}.key`),
    roots: tls('root.pem'),
    ...(serverUri === undefined ? {} : { serverUri }),
  });

const manifest = (name: string): Manifest =>
  JSON.parse(readFileSync(join(home, 'keys', `${name}.json`), 'utf8')) as Manifest;

const digestOf = (algorithm: SignatureAlgorithmName, message: Uint8Array): Buffer =>
  createHash(getDigestOf(algorithm).name).update(message).digest();

function isRight(key: Manifest, message: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = createPublicKey({ key: Buffer.from(key.spki, 'base64'), format: 'der', type: 'spki' });
  const parameters = getVerifyParameters(key.algorithm, publicKey);
  return verify(parameters.digest, message, parameters.key, signature);
}

const newId = (): string => `test_${randomBytes(8).toString('hex')}`;

function sign(
  client: SignerClient,
  key: Manifest,
  messages: readonly Uint8Array[],
  requestId = newId(),
  timeoutMs = 10_000,
) {
  return client.signDigests({
    requestId,
    timeoutMs,
    keyId: key.key_id,
    algorithm: key.algorithm,
    digests: messages.map((message) => ({
      digest: digestOf(key.algorithm, message),
      context: {
        organisation: 'org_test',
        seal_id: 'seal_test',
        document_sha256: '00'.repeat(32),
        authorization: 'secret-sad',
      },
    })),
  });
}

type Line = { event: Record<string, unknown> };

function readLines(daemon: Daemon): Line[] {
  return (
    readdirSync(daemon.auditDirectory)
      .filter((name) => name.endsWith('.jsonl') || name.endsWith('.log'))
      .sort()
      .flatMap((name) => readFileSync(join(daemon.auditDirectory, name), 'utf8').split('\n'))
      // What is behind the last line end is still being written.
      .filter((line) => line.endsWith('}}'))
      .map((line) => JSON.parse(line) as Line)
  );
}

const linesOf = (daemon: Daemon, requestId: string): Record<string, unknown>[] =>
  readLines(daemon)
    .map(({ event }) => event)
    .filter((event) => event['request_id'] === requestId);

/** Descendants that are signer processes, from /proc: what an outsider sees. */
function listSigners(daemonPid: number | undefined): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        return Number(parent) === daemonPid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('signer/main');
      } catch {
        return false;
      }
    });
}

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

beforeAll(() => {
  if (softhsm === undefined) throw new Error('SoftHSM is not installed');
  home = mkdtempSync(join(tmpdir(), 'hash-signer-test-'));
  makeToken();
  makeTls();
});

afterAll(async () => {
  for (const { child } of daemons) child.kill('SIGKILL');
  await Promise.all(daemons.map(({ child }) => waitForExit(child)));
  if (home !== '') rmSync(home, { recursive: true, force: true });
});

describe('a running hash-signer', () => {
  let daemon: Daemon;
  let documentService: SignerClient;
  let tsa: SignerClient;

  beforeAll(async () => {
    daemon = await startDaemon('hash-signer-1');
    documentService = createClient(daemon, 'document-service');
    tsa = createClient(daemon, 'tsa');
  });

  afterAll(() => {
    documentService.close();
    tsa.close();
  });

  test.each(['p256', 'p384', 'rsa-pss-3072', 'rsa-2048'])(
    'signs with %s what node:crypto verifies, in order',
    async (name) => {
      const key = manifest(name);
      const messages = Array.from({ length: 25 }, (_, index) => Buffer.from(`${name} ${index}`));
      const results = await sign(documentService, key, messages);
      expect(results).toHaveLength(messages.length);
      for (const [index, result] of results.entries()) {
        if (!('signature' in result)) throw new Error(result.code);
        expect(isRight(key, messages[index] ?? Buffer.alloc(0), result.signature)).toBe(true);
      }
    },
  );

  test('has a durable audit line for every answered digest before the answer arrives, in an unbroken chain', async () => {
    const key = manifest('p256');
    const requestId = newId();
    const messages = Array.from({ length: 100 }, (_, index) => Buffer.from(`audited ${index}`));
    const results = await sign(documentService, key, messages, requestId);
    const lines = linesOf(daemon, requestId);
    expect(lines).toHaveLength(100);
    for (const [index, result] of results.entries()) {
      if (!('signature' in result)) throw new Error(result.code);
      const line = lines[index] ?? {};
      expect(line).toMatchObject({
        type: 'hash_signer.item_answered',
        client: 'spiffe://sigillum.internal/document-service',
        key_id: key.key_id,
        purpose: 'seal',
        algorithm: key.algorithm,
        digest: digestOf(key.algorithm, messages[index] ?? Buffer.alloc(0)).toString('hex'),
        outcome: 'signed',
        signature_sha256: createHash('sha256').update(result.signature).digest('hex'),
        context: {
          organisation: 'org_test',
          seal_id: 'seal_test',
          document_sha256: '00'.repeat(32),
          authorization_sha256: createHash('sha256').update('secret-sad').digest('hex'),
        },
      });
      expect(line['exec_ms']).toBeGreaterThan(0);
      expect(line['queue_ms']).toBeGreaterThanOrEqual(0);
    }
    expect(JSON.stringify(lines)).not.toContain('secret-sad');
    const report = await verifyAuditLog({ directory: daemon.auditDirectory, chain: 'hash-signer/hash-signer-1' });
    expect(report.problems).toEqual([]);
  });

  test('lists the keys of the client, and no others', async () => {
    const names = (await documentService.keys()).map(({ name }) => name).sort();
    expect(names).toEqual(['p256', 'p384', 'rsa-2048', 'rsa-pss-3072']);
    const own = await tsa.keys();
    expect(own).toEqual([
      {
        key_id: manifest('tsu').key_id,
        name: 'tsu',
        algorithm: 'ecdsa-p256-sha256',
        purpose: 'timestamp',
        spki: manifest('tsu').spki,
      },
    ]);
  });

  test('says that it can sign, for the purposes of the client', async () => {
    expect(await documentService.health()).toMatchObject({ status: 'ok', purposes: { seal: 'ok' } });
    expect(await tsa.health()).toEqual({
      status: 'ok',
      purposes: { timestamp: 'ok' },
      min_timeout_ms: expect.any(Number),
    });
  });

  test('refuses a digest of the wrong length and signs nothing of that request', async () => {
    const key = manifest('p256');
    const requestId = newId();
    const digests = [32, 48].map((length) => ({ digest: randomBytes(length), context: {} }));
    const call = documentService.signDigests({
      requestId,
      timeoutMs: 5000,
      keyId: key.key_id,
      algorithm: key.algorithm,
      digests,
    });
    await expect(call).rejects.toMatchObject({ code: 'signer_digest_length_wrong' });
    expect(linesOf(daemon, requestId)).toEqual([]);
  });

  test('refuses the key of another purpose, either way, a CA key and an unknown one', async () => {
    const message = [Buffer.from('x')];
    await expect(sign(documentService, manifest('tsu'), message)).rejects.toMatchObject({
      code: 'signer_key_forbidden',
    });
    await expect(sign(tsa, manifest('p256'), message)).rejects.toMatchObject({ code: 'signer_key_forbidden' });
    await expect(sign(documentService, manifest('root'), message)).rejects.toMatchObject({
      code: 'signer_key_unknown',
    });
    const unknown = { ...manifest('p256'), key_id: '0'.repeat(32) };
    await expect(sign(documentService, unknown, message)).rejects.toMatchObject({ code: 'signer_key_unknown' });
  });

  test('refuses an algorithm that is not the key’s, and a time that is too short', async () => {
    const message = [Buffer.from('x')];
    const other = { ...manifest('rsa-2048'), algorithm: 'rsassa-pss-sha256' as const };
    await expect(sign(documentService, other, message)).rejects.toMatchObject({ code: 'signer_algorithm_wrong' });
    const hurried = sign(documentService, manifest('p256'), message, newId(), 10);
    await expect(hurried).rejects.toMatchObject({ code: 'signer_deadline_too_short' });
  });

  test('asks the policy for the method', async () => {
    const monitor = createClient(daemon, 'monitor');
    expect(await monitor.health()).toMatchObject({ status: 'ok', purposes: { seal: 'ok', timestamp: 'ok' } });
    await expect(monitor.keys()).rejects.toMatchObject({ code: 'signer_method_forbidden' });
    const call = sign(monitor, manifest('p256'), [Buffer.from('x')]);
    await expect(call).rejects.toMatchObject({ code: 'signer_method_forbidden' });
    monitor.close();
  });

  test.each(['nameless', 'two-names', 'someone', 'no-purpose'])(
    'knows nobody by the certificate "%s"',
    async (name) => {
      const client = createClient(daemon, name);
      await expect(client.keys()).rejects.toMatchObject({ code: 'signer_client_unknown' });
      const call = sign(client, manifest('p256'), [Buffer.from('x')]);
      await expect(call).rejects.toMatchObject({ code: 'signer_client_unknown' });
      client.close();
    },
  );

  test.each(['stranger-client', 'server-only', 'expired'])(
    'has no connection for the certificate "%s"',
    async (name) => {
      const client = createClient(daemon, name);
      await expect(client.keys()).rejects.toMatchObject({ code: 'signer_unavailable' });
      client.close();
    },
  );

  test('has no connection without a certificate, and none below TLS 1.3', async () => {
    const outcome = await talk({ host: '127.0.0.1', port: daemon.port, ca: tls('root.pem') });
    expect(outcome).toMatch(/^error/);
    const old = { cert: tls('document-service.pem'), key: tls('document-service.key'), maxVersion: 'TLSv1.2' } as const;
    const outcomeOfOld = await talk({ host: '127.0.0.1', port: daemon.port, ca: tls('root.pem'), ...old });
    expect(outcomeOfOld).toMatch(/^error/);
    const current = { cert: tls('document-service.pem'), key: tls('document-service.key') };
    const outcomeOfCurrent = await talk({ host: '127.0.0.1', port: daemon.port, ca: tls('root.pem'), ...current });
    expect(outcomeOfCurrent).toMatch(/^HTTP\/1.1 200/);
  });

  test('is not trusted by a client that expects another service', async () => {
    const client = createClient(daemon, 'document-service', 'spiffe://sigillum.internal/other');
    await expect(client.keys()).rejects.toMatchObject({ code: 'signer_unavailable' });
    client.close();
  });

  test('answers what is not the contract with typed problems', async () => {
    const valid = {
      request_id: 'r',
      timeout_ms: 10_000,
      key_id: manifest('p256').key_id,
      algorithm: 'ecdsa-p256-sha256',
      digests: [{ digest: randomBytes(32).toString('base64'), context: {} }],
    };
    const post = (body: unknown, type = 'application/json') =>
      call(daemon, 'POST', '/v1/signDigests', typeof body === 'string' ? body : JSON.stringify(body), type);
    expect(await post(valid)).toMatchObject({ status: 200 });
    expect(await post({ ...valid, extra: 1 })).toMatchObject({ status: 400, body: { code: 'request_invalid' } });
    expect(await post({ ...valid, digests: [{ digest: 'AAA', context: {} }] })).toMatchObject({
      status: 400,
      body: { code: 'request_invalid', errors: [{ pointer: '/digests/0/digest' }] },
    });
    const context = { organisation: 'org', other: 'x' };
    expect(await post({ ...valid, digests: [{ ...valid.digests[0], context }] })).toMatchObject({ status: 400 });
    expect(await post({ ...valid, digests: Array(101).fill(valid.digests[0]) })).toMatchObject({ status: 400 });
    expect(await post({ ...valid, digests: [] })).toMatchObject({ status: 400 });
    expect(await post('{')).toMatchObject({ status: 400, body: { code: 'request_invalid' } });
    expect(await post(valid, 'text/plain')).toMatchObject({ status: 415 });
    expect(await post(`"${'x'.repeat(600_000)}"`)).toMatchObject({ status: 413 });
    expect(await call(daemon, 'GET', '/v1/signDigests')).toMatchObject({ status: 405 });
    expect(await call(daemon, 'GET', '/v1/other')).toMatchObject({ status: 404, type: 'application/problem+json' });
  });

  test('records what was signed for a caller that hung up', async () => {
    const key = manifest('rsa-pss-3072');
    const requestId = newId();
    const body = JSON.stringify({
      request_id: requestId,
      timeout_ms: 10_000,
      key_id: key.key_id,
      algorithm: key.algorithm,
      digests: Array.from({ length: 60 }, () => ({ digest: randomBytes(32).toString('base64'), context: {} })),
    });
    const socket = connectTls({
      host: '127.0.0.1',
      port: daemon.port,
      ca: tls('root.pem'),
      cert: tls('document-service.pem'),
      key: tls('document-service.key'),
    });
    await once(socket, 'secureConnect');
    const head = `POST /v1/signDigests HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    await new Promise((done) => socket.write(head + body, done));
    socket.destroy();
    await waitUntil('the lines', () => linesOf(daemon, requestId).length === 60);
    expect(linesOf(daemon, requestId).every(({ outcome }) => outcome === 'signed')).toBe(true);
  });

  test('keeps native code and the PIN out of the daemon, and the PIN out of everything that can be read', () => {
    const pid = daemon.child.pid;
    const signers = listSigners(pid);
    expect(signers).toHaveLength(2);
    const maps = (of: number | undefined): string => readFileSync(`/proc/${of}/maps`, 'utf8');
    expect(maps(pid)).not.toMatch(/softhsm|pkcs11\.node/);
    for (const signer of signers) expect(maps(signer)).toMatch(/libsofthsm2\.so[^]*|pkcs11\.node/);
    for (const signer of signers) expect(maps(signer)).toContain('pkcs11.node');
    for (const process of [pid, ...signers]) {
      const visible = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${process}/${name}`, 'utf8')).join();
      expect(visible).not.toContain(userPin);
      expect(visible).not.toContain(soPin);
    }
    for (const signer of signers) {
      const names = readFileSync(`/proc/${signer}/environ`, 'utf8')
        .split('\0')
        .map((entry) => entry.split('=')[0]);
      expect(names.filter((name) => name !== '').sort()).toEqual(['SOFTHSM2_CONF', 'UV_THREADPOOL_SIZE']);
      expect(readFileSync(`/proc/${signer}/limits`, 'utf8')).toMatch(/Max core file size\s+0\s+0/);
    }
    expect(daemon.log()).not.toContain(userPin);
    expect(JSON.stringify(readLines(daemon))).not.toContain(userPin);
  });

  test('exports queue, execution and outcome without open labels', async () => {
    const text = await (await fetch(`http://127.0.0.1:${daemon.internalPort}/metrics`)).text();
    expect(text).toMatch(
      /hash_signer_items_total\{purpose="seal",algorithm="ecdsa-p256-sha256",outcome="signed",service="hash-signer"\} \d+/,
    );
    expect(text).toContain('hash_signer_queue_seconds_bucket');
    expect(text).toContain('hash_signer_execution_seconds_bucket');
    expect(text).toMatch(/hash_signer_usable_signers\{[^}]*\} 2/);
    expect(text).toContain('hash_signer_queue_length{purpose="seal",service="hash-signer"} 0');
    expect(text).toMatch(/hash_signer_audit_head_sequence\{[^}]*\} [1-9]/);
    expect(text).not.toContain(manifest('p256').key_id);
  });

  test('loses no request when a signer process is killed under load, and has a new one soon', async () => {
    const key = manifest('p256');
    const before = listSigners(daemon.child.pid);
    const victim = before[0];
    if (victim === undefined) throw new Error('no signer process');
    const load = { isDone: false };
    const answers: boolean[] = [];
    const workers = Array.from({ length: 8 }, async (_, worker) => {
      for (let index = 0; !load.isDone; index += 1) {
        const messages = [0, 1, 2, 3].map((part) => Buffer.from(`load ${worker} ${index} ${part}`));
        const results = await sign(documentService, key, messages);
        for (const [part, result] of results.entries()) {
          answers.push('signature' in result && isRight(key, messages[part] ?? Buffer.alloc(0), result.signature));
        }
      }
    });
    await waitUntil('some load', () => answers.length > 100);
    process.kill(victim, 'SIGKILL');
    const since = answers.length;
    await waitUntil('load after the kill', () => answers.length > since + 100);
    await waitUntil('a new signer process', () => {
      const now = listSigners(daemon.child.pid);
      return now.length === 2 && !now.includes(victim);
    });
    await waitUntil('the new one ready', () => isReady(daemon.internalPort));
    load.isDone = true;
    await Promise.all(workers);
    expect(answers.every(Boolean)).toBe(true);
    expect(daemon.log()).toContain('"reason":"died"');
  });

  test('comes back by itself when all its signer processes are killed at once', async () => {
    const before = listSigners(daemon.child.pid);
    for (const pid of before) process.kill(pid, 'SIGKILL');
    // Not by its readiness: on a busy machine we may not look while it is away.
    await waitUntil('new signer processes', () => {
      const now = listSigners(daemon.child.pid);
      return now.length === 2 && !now.some((pid) => before.includes(pid));
    });
    await waitUntil('they can sign', () => isReady(daemon.internalPort));
    expect(await sign(documentService, manifest('p256'), [Buffer.from('again')])).toHaveLength(1);
  });

  test('stops on SIGTERM with exit 0, takes its signer processes along, and continues its chain afterwards', async () => {
    const signers = listSigners(daemon.child.pid);
    expect(await stopDaemon(daemon)).toBe(0);
    expect(signers.filter(isAlive)).toEqual([]);
    const lines = readLines(daemon).length;
    const next = await startDaemon('hash-signer-1');
    const client = createClient(next, 'document-service');
    await sign(client, manifest('p256'), [Buffer.from('next')]);
    client.close();
    // One for the start, one for the signature.
    expect(readLines(next)).toHaveLength(lines + 2);
    const report = await verifyAuditLog({ directory: next.auditDirectory, chain: 'hash-signer/hash-signer-1' });
    expect(report.problems).toEqual([]);
    const left = listSigners(next.child.pid);
    next.child.kill('SIGKILL');
    await waitForExit(next.child);
    await waitUntil('signers gone after kill -9 of the daemon', () => !left.some(isAlive));
  });
});

describe('bounds of a hash-signer', () => {
  test('a full queue is 503 at once, and a batch is admitted whole or not at all', async () => {
    const daemon = await startDaemon('bounded', {
      token: { signers: 1, lanes: 1 },
      limits: { queue_per_purpose: 10, in_flight_per_purpose: 1 },
    });
    const client = createClient(daemon, 'document-service');
    const key = manifest('p256');
    const messages = Array.from({ length: 11 }, (_, index) => Buffer.from(`m${index}`));
    const requestId = newId();
    const refused = sign(client, key, messages, requestId);
    await expect(refused).rejects.toMatchObject({ code: 'signer_overloaded', retryAfterSeconds: 1 });
    expect(linesOf(daemon, requestId)).toEqual([]);
    expect(await sign(client, key, messages.slice(1))).toHaveLength(10);
    client.close();
    expect(await stopDaemon(daemon)).toBe(0);
  });

  test('the policy may name keys', async () => {
    const daemon = await startDaemon('few-keys', {
      token: { signers: 1, lanes: 1 },
      clients: [
        {
          name: 'spiffe://sigillum.internal/document-service',
          methods: ['signDigests', 'keys'],
          purposes: ['seal'],
          keys: [manifest('p256').key_id],
        },
      ],
    });
    const client = createClient(daemon, 'document-service');
    expect((await client.keys()).map(({ name }) => name)).toEqual(['p256']);
    const call = sign(client, manifest('p384'), [Buffer.from('x')]);
    await expect(call).rejects.toMatchObject({ code: 'signer_key_forbidden' });
    client.close();
    // The end of the lifeline is the same as SIGTERM.
    daemon.child.stdin?.end();
    expect(await waitForExit(daemon.child)).toBe(0);
  });

  test('a client does not talk to a server of another name', async () => {
    const daemon = await startDaemon('impostor', {
      token: { signers: 1, lanes: 1 },
      tls: { certificate: 'tls/impostor.pem', key: 'tls/impostor.key', client_roots: 'tls/root.pem' },
    });
    const client = createClient(daemon, 'document-service');
    await expect(client.keys()).rejects.toMatchObject({ code: 'signer_unavailable' });
    client.close();
    expect(await stopDaemon(daemon)).toBe(0);
  });
});

describe('an HSM that signs wrongly', () => {
  test('gets no signature past us: the key goes into quarantine, the others stay', async () => {
    const { label, serial: serialOfLying, manifests } = makeLyingToken();
    const daemon = await startDaemon('lying', { token: { label, serial: serialOfLying }, manifests });
    const client = createClient(daemon, 'document-service');
    const keys = ['ec', 'rsa', 'pss'].map(
      (name) => JSON.parse(readFileSync(join(manifests, `${name}.json`), 'utf8')) as Manifest,
    );
    for (const [index, key] of keys.entries()) {
      const requestId = newId();
      const wrong = sign(client, key, [Buffer.from('x')], requestId);
      await expect(wrong).rejects.toMatchObject({ code: 'signer_signature_wrong' });
      expect(linesOf(daemon, requestId)).toMatchObject([{ outcome: 'signer_signature_wrong' }]);
      await expect(sign(client, key, [Buffer.from('y')])).rejects.toMatchObject({ code: 'signer_key_quarantined' });
      const metrics = await (await fetch(`http://127.0.0.1:${daemon.internalPort}/metrics`)).text();
      expect(metrics).toMatch(new RegExp(`hash_signer_quarantined_keys\\{[^}]*\\} ${index + 1}`));
    }
    expect(await client.health()).toMatchObject({ status: 'unavailable', purposes: { seal: 'unavailable' } });
    expect(daemon.log()).toContain('wrong signature from the HSM, key quarantined');
    client.close();
    expect(await stopDaemon(daemon)).toBe(0);
  });
});

describe('a hash-signer that must not start', () => {
  async function runToEnd(name: string, changes: ConfigChanges): Promise<{ code: number | null; log: string }> {
    const { path } = await writeConfig(name, changes);
    const { child, log } = spawnDaemon(path);
    const code = await waitForExit(child);
    await sleep(50);
    return { code, log: log() };
  }

  function writeManifests(folder: string, change: (name: string, value: Record<string, unknown>) => void): string {
    const directory = join(home, folder);
    mkdirSync(directory);
    for (const { name } of keyPlan) {
      const value = { ...manifest(name) };
      change(name, value);
      writeFileSync(join(directory, `${name}.json`), JSON.stringify(value));
    }
    return directory;
  }

  test('exits 78 when a manifest pins another public key than the token has', async () => {
    const manifests = writeManifests('keys-mismatch', (name, value) => {
      if (name === 'p256') value['spki'] = manifest('tsu').spki;
    });
    const { code, log } = await runToEnd('mismatch', { manifests });
    expect(log).toContain('is not the one of its manifest');
    expect(code).toBe(78);
  });

  test('exits 78 when the key of a manifest is not on the token', async () => {
    const manifests = writeManifests('keys-missing', (name, value) => {
      if (name === 'p256') value['key_id'] = 'f'.repeat(32);
    });
    // Also the third time: the login before was no attempt that nobody answered.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { code, log } = await runToEnd('missing', { manifests });
      expect(log).toContain('is not on the token');
      expect(code).toBe(78);
    }
  });

  test('exits 78 for a manifest that contradicts itself', async () => {
    const manifests = writeManifests('keys-wrong', (name, value) => {
      if (name === 'p256') value['algorithm'] = 'ecdsa-p384-sha384';
    });
    const { code, log } = await runToEnd('wrong', { manifests });
    expect(log).toContain('does not sign with');
    expect(code).toBe(78);
  });

  test('tries a rejected PIN once in its life, over restarts, and takes a changed PIN file for a new PIN', async () => {
    const pinFile = writeSecret('wrong.pin', 'not-the-right-pin\n');
    const changes = { token: { pin_file: pinFile } };
    const first = await runToEnd('pin', changes);
    expect(first.code).toBe(78);
    expect(first.log.match(/"reason":"pin-rejected"/g)).toHaveLength(1);
    expect(first.log).not.toContain('not-the-right-pin');
    const second = await runToEnd('pin', changes);
    expect(second.code).toBe(78);
    // No signer process ran at all.
    expect(second.log).not.toContain('signer process ended');
    expect(second.log).toContain('rejected the PIN');
    writeSecret('wrong.pin', `${userPin}\n`);
    utimesSync(pinFile, new Date(), new Date(Date.now() + 5000));
    const daemon = await startDaemon('pin', changes);
    expect(await stopDaemon(daemon)).toBe(0);
  });

  test('exits 78 also when it can not remember the rejected PIN, so that nobody starts it for another attempt', async () => {
    const pinFile = writeSecret('wrong-again.pin', 'not-the-right-pin\n');
    // Nobody, root neither, can write a file where a folder is.
    const state = join(home, 'state-unwritable');
    mkdirSync(join(state, `pin-rejected-${Buffer.from(serial).toString('hex')}.json.new`), { recursive: true });
    const end = await runToEnd('pin-unremembered', { token: { pin_file: pinFile }, state });
    expect(end.code).toBe(78);
    expect(end.log.match(/"reason":"pin-rejected"/g)).toHaveLength(1);
    expect(end.log).toContain('could not be remembered');
  });

  test('exits 78 and names every problem of a wrong configuration; --check-config says yes to a right one', async () => {
    const { path } = await writeConfig('check');
    const check = (file: string) => {
      const args = ['--conditions=source', join(import.meta.dirname, 'main.ts'), '--config', file, '--check-config'];
      return spawnSync(node, args, { encoding: 'utf8' });
    };
    expect(check(path).status).toBe(0);
    const broken = await writeConfig('broken', {
      token: { signers: 0 },
      limits: { queue_per_purpose: 0 },
      surprise: true,
    });
    const result = check(broken.path);
    expect(result.status).toBe(78);
    expect(result.stderr).toContain('/tokens/0/signers');
    expect(result.stderr).toContain('/limits/queue_per_purpose');
    expect(result.stderr).toContain('surprise');
  });

  test('--check-config looks into the files: each problem a sentence with the name of its file, and nothing of what is in it', async () => {
    const manifests = writeManifests('keys-check', (name, value) => {
      if (name === 'p384') value['spki'] = 'AAAA';
    });
    writeSecret('open.pin', `${userPin}\n`);
    chmodSync(join(home, 'open.pin'), 0o644);
    writeSecret('tls/no.pem', 'nothing');
    const { path } = await writeConfig('check-files', {
      tls: { certificate: 'tls/expired.pem', key: 'tls/tsa.key', client_roots: 'tls/no.pem' },
      token: { pin_file: 'open.pin' },
      manifests,
      pkcs11: { module: 'absent.so', softhsm_conf: 'softhsm2.conf' },
    });
    const args = ['--conditions=source', join(import.meta.dirname, 'main.ts'), '--config', path, '--check-config'];
    const { status, stderr, stdout } = spawnSync(node, args, { encoding: 'utf8' });
    expect(status).toBe(78);
    const file = (name: string): string => join(home, name);
    expect(stderr.trim().split('\n')).toEqual([
      `There is no PKCS#11 module ${file('absent.so')}.`,
      `The PIN file ${file('open.pin')} must be readable by its owner only: chmod 600`,
      `There is no certificate (PEM) in ${file('tls/no.pem')}.`,
      `The key in ${file('tls/tsa.key')} is not that of the certificate in ${file('tls/expired.pem')}.`,
      expect.stringContaining(`The certificate in ${file('tls/expired.pem')} has expired at 20`),
      expect.stringContaining(`The key manifest ${join(manifests, 'p384.json')} is not valid: spki`),
    ]);
    expect(stderr + stdout).not.toContain(userPin);
    expect(stderr + stdout).not.toContain('PRIVATE KEY');
  });

  test('keeps trying while the token is not there, and says 503 with Retry-After at once', async () => {
    const { path, internalPort, port } = await writeConfig('absent', {
      token: { serial: '0000000000000000' },
      manifests: writeManifests('keys-absent', (_name, value) => {
        value['token_serial'] = '0000000000000000';
      }),
    });
    const { child, log } = spawnDaemon(path, '--lifeline');
    const daemon = { child, log, port, internalPort, auditDirectory: join(home, 'audit', 'absent') };
    daemons.push(daemon);
    await waitUntil('two attempts', () => (log().match(/"reason":"token-missing"/g)?.length ?? 0) >= 2);
    const key = { ...manifest('p256') };
    const started = performance.now();
    const client = createClient(daemon, 'document-service');
    const refused = sign(client, key, [Buffer.from('x')], newId(), 60_000);
    await expect(refused).rejects.toMatchObject({ code: 'signer_unavailable', retryAfterSeconds: 1 });
    // It did not use the minute that it had.
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(await client.health()).toMatchObject({ status: 'unavailable', purposes: { seal: 'unavailable' } });
    client.close();
    const response = await fetch(`http://127.0.0.1:${internalPort}/readyz`);
    expect(response.status).toBe(503);
    expect((await fetch(`http://127.0.0.1:${internalPort}/healthz`)).status).toBe(200);
    expect(await stopDaemon(daemon)).toBe(0);
  });
});

/** What a TLS client hears: the status line or the error. */
function talk(options: ConnectionOptions): Promise<string> {
  return new Promise((done) => {
    const socket = connectTls(options, () =>
      socket.write('GET /v1/keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    );
    socket.once('data', (bytes: Buffer) => done(bytes.toString().split('\r\n')[0] ?? ''));
    socket.once('error', (error) => done(`error ${error.message}`));
    socket.once('close', () => done('error closed'));
  });
}

type Reply = { status: number; type: string | undefined; retryAfter: string | undefined; body: unknown };

/** A request that the typed client would not send. */
function call(
  daemon: Daemon,
  method: string,
  path: string,
  body?: string,
  contentType = 'application/json',
): Promise<Reply> {
  return new Promise((done, fail) => {
    const options = {
      host: '127.0.0.1',
      port: daemon.port,
      method,
      path,
      agent: false,
      ca: tls('root.pem'),
      cert: tls('document-service.pem'),
      key: tls('document-service.key'),
      headers: body === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) },
    } as const;
    const sent = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        done({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'],
          retryAfter: response.headers['retry-after'],
          body: text === '' ? undefined : JSON.parse(text),
        });
      });
    });
    sent.on('error', fail);
    sent.end(body);
  });
}
