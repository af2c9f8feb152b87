import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getDigestOf, getVerifyParameters } from '@sigillum/algorithms';
import { readAuditEvents } from '@sigillum/audit';
import { type RunningSigner, waitUntil } from './faults/running-signer.ts';
import { type ConfigChanges, SignerHome, type TestKey, testPins } from './faults/signer-home.ts';

/** What is not ours at either end: a client in another language, and another vendor's module. */
const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const example = join(root, 'packages/signer-rpc/examples/sign.py');

let home: SignerHome;

beforeAll(() => {
  home = new SignerHome();
});

afterAll(() => home.remove());

function isRight({ algorithm, spki }: TestKey, message: Uint8Array, signature: string): boolean {
  const publicKey = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
  const { digest, key } = getVerifyParameters(algorithm, publicKey);
  return verify(digest, message, key, Buffer.from(signature, 'base64'));
}

describe('the Python client', () => {
  const files = ['one', 'two', 'three'];
  let daemon: RunningSigner;
  const tls = (name: string): string[] =>
    ['root.pem', `${name}.pem`, `${name}.key`].map((file) => home.path(`tls/${file}`));
  const python = (port: number, name: string, ...args: string[]) =>
    run('python3', [example, `https://127.0.0.1:${port}`, ...tls(name), ...args]).then(
      ({ stdout }) => ({ stdout, stderr: '' }),
      (error: unknown) => error as { stdout: string; stderr: string },
    );

  beforeAll(async () => {
    daemon = await home.start('python');
    for (const name of files) writeFileSync(home.path(name), `file ${name}`);
  });

  test('has at most 60 lines, and imports the standard library alone', () => {
    const text = readFileSync(example, 'utf8');
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(60);
    expect(text.match(/^(import|from) .*$/gm)).toEqual([
      'import base64, hashlib, http.client, json, ssl, sys, urllib.parse, uuid',
    ]);
  });

  test.each(['p256', 'p384', 'rsa-pss-3072', 'rsa-2048'])('signs three files with %s', async (name) => {
    const key = home.key(name);
    const { stdout, stderr } = await python(
      daemon.port,
      'document-service',
      key.key_id,
      ...files.map((file) => home.path(file)),
    );
    expect(stderr).toBe('');
    const signatures = stdout.trim().split('\n');
    expect(signatures.map((one, index) => isRight(key, Buffer.from(`file ${files[index]}`), one))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test('lists what it may use', async () => {
    const { stdout } = await python(daemon.port, 'tsa');
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual([home.key('tsu').key_id]);
  });

  test('stops with the code when it may not, and before anything is sent when the server is another service', async () => {
    // The policy does not show it the key; asking all the same is what a wrong client would do.
    const forced = `import sys; sys.argv = ${JSON.stringify([example])}; sys.path.insert(0, ${JSON.stringify(join(example, '..'))})
from sign import Signer
signer = Signer(${[`https://127.0.0.1:${daemon.port}`, ...tls('tsa')].map((word) => JSON.stringify(word)).join(', ')})
signer.sign({"key_id": ${JSON.stringify(home.key('p256').key_id)}, "algorithm": "ecdsa-p256-sha256"}, [b"x"])`;
    const { stderr } = spawnSync('python3', ['-B', '-c', forced], { encoding: 'utf8' });
    expect(stderr).toContain('403 signer_key_forbidden');
    home.issue('impostor', 'serverAuth', 'IP:127.0.0.1,');
    const impostor = await home.start('impostor', {
      tls: { certificate: 'tls/impostor.pem', key: 'tls/impostor.key', client_roots: 'tls/root.pem' },
    });
    const refused = await python(impostor.port, 'document-service');
    expect(refused.stderr).toContain("the server is ['spiffe://sigillum.internal/impostor']");
    await impostor.stop();
  });
});

describe('keys on an NSS token', () => {
  const machine = process.arch === 'x64' ? 'x86_64' : 'aarch64';
  const softokn = [`/usr/lib/${machine}-linux-gnu/libsoftokn3.so`, '/usr/lib64/libsoftokn3.so'].find((path) =>
    existsSync(path),
  );
  const plans = [
    { name: 'p256', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'seal' },
    { name: 'p384', spec: 'p384', algorithm: 'ecdsa-p384-sha384', purpose: 'seal' },
    { name: 'pss', spec: 'rsa-3072', algorithm: 'rsassa-pss-sha256', purpose: 'seal' },
    { name: 'rsa', spec: 'rsa-2048', algorithm: 'rsassa-pkcs1-v1_5-sha256', purpose: 'seal' },
    { name: 'canary', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'canary' },
  ];
  let keys: readonly TestKey[] = [];
  let changes: ConfigChanges = {};

  beforeAll(() => {
    if (softokn === undefined) throw new Error('NSS softokn (libnss3) is not installed');
    mkdirSync(home.path('nss'));
    const parameters = `configdir='sql:${home.path('nss')}' certPrefix='' keyPrefix='' secmod='' flags= dbTokenDescription='nss' `;
    const environment = { NSS_MAX_MP_PBE_ITERATION_COUNT: '1' };
    const script = `
      import { createRequire } from 'node:module';
      import { readFileSync } from 'node:fs';
      import { loadModule } from '@sigillum/pkcs11';
      import { parse } from 'yaml';
      const [path, parameters] = ${JSON.stringify([softokn, parameters])};
      const { PKCS11 } = createRequire('${join(root, 'packages/pkcs11/package.json')}')('pkcs11js');
      const native = new PKCS11();
      native.load(path);
      native.C_Initialize({ flags: 2, libraryParameters: parameters });
      const slot = native.C_GetSlotList(true).find((id) => native.C_GetTokenInfo(id).label.trim() === 'nss');
      const session = native.C_OpenSession(slot, 6);
      native.C_Login(session, 0, '');
      native.C_InitPIN(session, '${testPins.user}');
      native.C_CloseSession(session);
      native.C_Finalize();
      const { unknown, reads_back: readsBack } = parse(readFileSync('hsm/profiles/nss.yaml', 'utf8')).key_attributes;
      const module = loadModule(path, parameters);
      const token = module.openToken(module.findToken({ label: 'nss' }), Buffer.from('${testPins.user}'));
      const made = ${JSON.stringify(plans)}.map(({ name, spec, algorithm, purpose }) => {
        const pair = token.generateKeyPair({ spec, algorithm, label: name, departures: { unknown, readsBack } });
        return { version: 1, key_id: Buffer.from(pair.keyId).toString('hex'), name, token_label: 'nss',
          token_serial: token.info.serial, key_spec: spec, algorithm, purpose,
          spki: Buffer.from(pair.spki).toString('base64'), created: new Date().toISOString() };
      });
      token.close();
      module.finalize();
      process.stdout.write(JSON.stringify(made));`;
    const args = ['--conditions=source', '--input-type=module', '-e', script];
    const made = execFileSync(process.execPath, args, { cwd: root, env: { ...process.env, ...environment } });
    keys = JSON.parse(made.toString()) as TestKey[];
    mkdirSync(home.path('nss-keys'));
    for (const key of keys) writeFileSync(home.path(`nss-keys/${key.name}.json`), JSON.stringify(key));
    changes = {
      token: { label: 'nss', serial: keys[0]?.token_serial },
      pkcs11: {
        module: softokn,
        library_parameters: parameters,
        environment,
        profile: join(root, 'hsm/profiles/nss.yaml'),
      },
      manifests: 'nss-keys',
    };
  });

  const seals = (): readonly TestKey[] => keys.filter(({ purpose }) => purpose === 'seal');

  test('are served like any others: every algorithm, in batches, after the death of a process, recorded', async () => {
    const daemon = await home.start('nss', changes);
    await daemon.waitUntilReady(2);
    const client = home.connect(daemon);
    const signAll = async (what: string): Promise<void> => {
      for (const key of seals()) {
        const messages = Array.from({ length: 7 }, (_, index) => Buffer.from(`${what} ${key.name} ${index}`));
        const digests = messages.map((message) => ({
          digest: new Uint8Array(createHash(getDigestOf(key.algorithm).name).update(message).digest()),
          context: { organisation: 'org_nss' },
        }));
        const results = await client.signDigests({
          requestId: `nss-${what}-${key.name}`,
          timeoutMs: 20_000,
          keyId: key.key_id,
          algorithm: key.algorithm,
          digests,
        });
        const right = results.map(
          (result, index) =>
            'signature' in result &&
            isRight(key, messages[index] ?? Buffer.of(), Buffer.from(result.signature).toString('base64')),
        );
        expect({ key: key.name, right }).toEqual({ key: key.name, right: Array(7).fill(true) });
      }
    };
    await signAll('before');
    const [victim] = daemon.signers();
    if (victim === undefined) throw new Error('no signer process');
    process.kill(victim, 'SIGKILL');
    await signAll('meanwhile');
    await daemon.waitUntilReady(2);
    await signAll('after');
    await waitUntil('a canary', async () => (await daemon.metric('hash_signer_canaries_total', 'outcome="ok"')) > 0);
    expect(await daemon.stop()).toBe(0);
    const lines: string[] = [];
    for await (const event of readAuditEvents({ directory: daemon.auditDirectory, since: new Date(0) })) {
      if (event['outcome'] === 'signed') lines.push(String(event['request_id']));
    }
    expect(lines).toHaveLength(3 * seals().length * 7);
    expect(daemon.log).not.toContain(testPins.user);
  });

  test('are out of reach with a wrong PIN: one attempt, a latch, exit 78', async () => {
    const pin = home.writeSecret('wrong.pin', 'pin-that-is-wrong\n');
    await home.writeConfig('nss-pin', { ...changes, token: { ...changes.token, pin_file: pin } });
    const codes: (number | null)[] = [];
    for (let start = 0; start < 2; start += 1) codes.push(await home.launch('nss-pin').waitForExit());
    expect(codes).toEqual([78, 78]);
  });
});
