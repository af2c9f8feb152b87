import { spawnSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getDigestOf, getVerifyParameters } from '@sigillum/algorithms';
import { parse } from 'yaml';

const root = resolve(import.meta.dirname, '../../..');
const machine = process.arch === 'x64' ? 'x86_64' : 'aarch64';

const findModule = (...places: string[]): string | undefined => places.find((path) => existsSync(path));
const softhsm = findModule('/usr/lib/softhsm/libsofthsm2.so', `/usr/lib/${machine}-linux-gnu/softhsm/libsofthsm2.so`);
const softokn = findModule(`/usr/lib/${machine}-linux-gnu/libsoftokn3.so`, '/usr/lib64/libsoftokn3.so');

/** How a module is started, its token made, and how it differs. */
type ModuleUnderTest = {
  readonly name: string;
  readonly path: string | undefined;
  readonly profile: string;
  readonly prepare: (folder: string) => { environment: NodeJS.ProcessEnv; parameters?: string };
  /** JavaScript that leaves the token's `info`. */
  readonly initToken: string;
};

const modules: readonly ModuleUnderTest[] = [
  {
    name: 'SoftHSM',
    path: softhsm,
    profile: 'softhsm.yaml',
    prepare: (folder) => {
      mkdirSync(join(folder, 'tokens'));
      writeFileSync(join(folder, 'conf'), `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`);
      return { environment: { SOFTHSM2_CONF: join(folder, 'conf') } };
    },
    initToken: `const info = module.initToken({ label: 'contract', soPin: pin('so-pin-0000'), userPin: pin() });`,
  },
  {
    name: 'NSS softokn',
    path: softokn,
    profile: 'nss.yaml',
    prepare: (folder) => ({
      environment: { NSS_MAX_MP_PBE_ITERATION_COUNT: '1' },
      // The space at the end belongs to it.
      parameters: `configdir='sql:${folder}' certPrefix='' keyPrefix='' secmod='' flags= dbTokenDescription='contract' `,
    }),
    // NSS has no SO PIN: on a new database the SO logs in with none, once, and sets the user's.
    initToken: `
      module.finalize();
      const { PKCS11 } = createRequire(import.meta.url)('pkcs11js');
      const native = new PKCS11();
      native.load(path);
      native.C_Initialize({ flags: 2, libraryParameters: parameters });
      const slot = native.C_GetSlotList(true).find((id) => native.C_GetTokenInfo(id).label.startsWith('contract'));
      const session = native.C_OpenSession(slot, 6);
      native.C_Login(session, 0, '');
      native.C_InitPIN(session, pin().toString());
      native.C_CloseSession(session);
      native.C_Finalize();
      module = loadModule(path, parameters);
      const info = module.findToken({ label: 'contract' });`,
  },
];

const plans = [
  { spec: 'p256', algorithm: 'ecdsa-p256-sha256', other: 'rsassa-pss-sha256', mechanism: 0x1041 },
  { spec: 'p384', algorithm: 'ecdsa-p384-sha384', other: 'rsassa-pss-sha256', mechanism: 0x1041 },
  { spec: 'rsa-3072', algorithm: 'rsassa-pss-sha256', other: 'ecdsa-p256-sha256', mechanism: 0xd },
  { spec: 'rsa-2048', algorithm: 'rsassa-pkcs1-v1_5-sha256', other: 'ecdsa-p256-sha256', mechanism: 0x1 },
] as const;

const requiredAttributes = {
  CKA_TOKEN: true,
  CKA_PRIVATE: true,
  CKA_SENSITIVE: true,
  CKA_SIGN: true,
  CKA_EXTRACTABLE: false,
  CKA_MODIFIABLE: false,
  CKA_COPYABLE: false,
  CKA_DECRYPT: false,
  CKA_UNWRAP: false,
  CKA_DERIVE: false,
  CKA_SIGN_RECOVER: false,
  CKA_ALWAYS_SENSITIVE: true,
  CKA_NEVER_EXTRACTABLE: true,
  CKA_LOCAL: true,
};

type MadeKey = { keyId: string; spki: string; attributes: Record<string, unknown> };

/** The addon never runs inside jest: each script runs in a process of its own. */
describe.each(modules)('the contract on $name', ({ name, path, profile, prepare, initToken }) => {
  const folder = mkdtempSync(join(tmpdir(), 'pkcs11-contract-'));
  const { key_attributes: departures } = parse(readFileSync(join(root, 'hsm/profiles', profile), 'utf8')) as {
    key_attributes?: { unknown: string[]; reads_back: Record<string, boolean> };
  };
  let made: readonly MadeKey[] = [];
  let environment: NodeJS.ProcessEnv = {};
  let parameters: string | undefined;

  const run = (script: string, options: readonly string[] = []): readonly unknown[] => {
    const source = `
      import { LanePool, loadModule } from '@sigillum/pkcs11';
      import { createHash } from 'node:crypto';
      import { createRequire } from 'node:module';
      const path = ${JSON.stringify(path)};
      const parameters = ${JSON.stringify(parameters)};
      const plans = ${JSON.stringify(plans)};
      const departures = ${JSON.stringify({ unknown: departures?.unknown ?? [], readsBack: departures?.reads_back ?? {} })};
      let module = loadModule(path, parameters);
      const pin = (text = 'pin-of-the-contract') => Buffer.from(text);
      const report = (value) => process.stdout.write(JSON.stringify(value ?? null) + '\\n');
      const attempt = async (call) => { try { await call(); return 'no error'; } catch (error) { return error.code ?? error.name; } };
      const hash = (text, name = 'sha256') => createHash(name).update(text).digest();
      const open = () => module.openToken(module.findToken({ label: 'contract' }), pin());
      ${script}`;
    const args = ['--conditions=source', ...options, '--input-type=module', '-e', source];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...environment, UV_THREADPOOL_SIZE: '8' },
      encoding: 'utf8',
      timeout: 100_000,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.split('\n').filter((line) => line.length > 0);
    return lines.map((line) => JSON.parse(line) as unknown);
  };

  beforeAll(() => {
    if (path === undefined) throw new Error(`${name} is not installed`);
    ({ environment, parameters } = { parameters: undefined, ...prepare(folder) });
    const [keys] = run(`
      ${initToken}
      const token = module.openToken(info, pin());
      const hex = (bytes) => Buffer.from(bytes).toString('hex');
      report(plans.map(({ spec, algorithm }) => {
        const { keyId, spki, attributes } = token.generateKeyPair({ spec, algorithm, label: 'key ' + spec, departures });
        return { keyId: hex(keyId), spki: hex(spki), attributes };
      }));
      module.finalize();`);
    made = keys as MadeKey[];
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('keys have the required attributes, but for what the profile says', () => {
    for (const [index, { spec, mechanism }] of plans.entries()) {
      const { keyId, attributes } = made[index] ?? { keyId: '', attributes: {} };
      expect(keyId).toMatch(/^[0-9a-f]{32}$/);
      const expected: Record<string, unknown> = {
        ...requiredAttributes,
        CKA_KEY_GEN_MECHANISM: spec.startsWith('rsa') ? 0 : 0x1040,
        CKA_ALLOWED_MECHANISMS: [mechanism],
        CKA_ID: keyId,
        CKA_LABEL: `key ${spec}`,
        ...departures?.reads_back,
      };
      for (const unknown of departures?.unknown ?? []) {
        delete expected[unknown];
        expect(attributes).not.toHaveProperty(unknown);
      }
      expect(attributes).toMatchObject(expected);
    }
  });

  test('without the profile, a module that differs makes no key', () => {
    const [codes, left] = run(`
      const token = open();
      const { spec, algorithm } = plans[0];
      report(await attempt(() => token.generateKeyPair({ spec, algorithm, label: 'another', departures: { ...departures, readsBack: { CKA_SENSITIVE: false } } })));
      report(token.listKeys().length);
      module.finalize();`);
    expect({ codes, left }).toEqual({ codes: 'pkcs11_key_attributes_wrong', left: plans.length });
  });

  test('a wrong PIN is rejected and wiped, the right one opens', () => {
    const [result] = run(`
      const info = module.findToken({ label: 'contract' });
      const [wrong, right] = [pin('wrong-pin-wrong'), pin()];
      const code = await attempt(() => module.openToken(info, wrong));
      const token = module.openToken(info, right);
      report({ code, keys: token.listKeys().length, wiped: [...wrong, ...right].every((byte) => byte === 0) });
      module.finalize();`);
    expect(result).toEqual({ code: 'pkcs11_pin_rejected', keys: plans.length, wiped: true });
  });

  test('every algorithm signs as node:crypto understands it, verifies, and refuses what does not fit', () => {
    const results = run(`
      const token = open();
      const listed = token.listKeys();
      for (const [index, { spec, algorithm, other }] of plans.entries()) {
        const { keyId, spki } = ${JSON.stringify(made)}[index];
        const digest = spec === 'p384' ? 'sha384' : 'sha256';
        const key = token.findKey(Buffer.from(keyId, 'hex'));
        const der = Buffer.from(spki, 'hex');
        const signatures = await Promise.all(Array.from({ length: 10 }, (_, number) => token.sign(key, algorithm, hash('m' + number, digest))));
        const verify = (text, signature) => token.verify(der, algorithm, hash(text, digest), signature);
        report({
          listed: listed.some((one) => one.keyId === keyId && one.spec === spec && one.label === 'key ' + spec && der.equals(one.spki)),
          signatures: signatures.map((signature) => Buffer.from(signature).toString('hex')),
          verdicts: [verify('m0', signatures[0]), verify('m1', signatures[0]), verify('m0', signatures[0].subarray(1)), verify('m0', Buffer.alloc(signatures[0].length))],
          refusals: [
            await attempt(() => token.sign(key, algorithm, Buffer.alloc(20))),
            await attempt(() => token.sign(key, algorithm, Buffer.alloc(digest === 'sha256' ? 48 : 32))),
            await attempt(() => token.sign(key, other, Buffer.alloc(32))),
            await attempt(() => token.findKey(Buffer.alloc(16))),
            await attempt(() => token.generateKeyPair({ spec, algorithm: other, label: 'x', departures })),
          ],
        });
      }
      module.finalize();`) as {
      listed: boolean;
      signatures: string[];
      verdicts: boolean[];
      refusals: string[];
    }[];
    expect(results).toHaveLength(plans.length);
    for (const [index, { listed, signatures, verdicts, refusals }] of results.entries()) {
      const algorithm = plans[index]?.algorithm ?? 'ecdsa-p256-sha256';
      const der = Buffer.from(made[index]?.spki ?? '', 'hex');
      const { digest, key } = getVerifyParameters(
        algorithm,
        createPublicKey({ key: der, format: 'der', type: 'spki' }),
      );
      const isRight = (signature: string, number: number): boolean =>
        verify(digest, Buffer.from(`m${number}`), key, Buffer.from(signature, 'hex'));
      expect(digest).toBe(getDigestOf(algorithm).name);
      expect(signatures.map(isRight)).toEqual(Array(10).fill(true));
      expect({ listed, verdicts }).toEqual({ listed: true, verdicts: [true, false, false, false] });
      expect(refusals).toEqual([
        'pkcs11_digest_length_wrong',
        'pkcs11_digest_length_wrong',
        'pkcs11_algorithm_unfit',
        'pkcs11_key_not_found',
        'pkcs11_algorithm_unfit',
      ]);
    }
  });

  test('lanes sign side by side under constant garbage collection, in bounds, and drain before the end', () => {
    const [result] = run(
      `
      const token = open();
      const { keyId, spki } = ${JSON.stringify(made)}[0];
      const key = token.findKey(Buffer.from(keyId, 'hex'));
      const trusted = token.createVerificationKey(Buffer.from(spki, 'hex'));
      const pool = new LanePool(token, { lanes: 4, maxWaiting: 96 });
      const inProcess = new LanePool(token, { lanes: 4, maxWaiting: 96, isInProcess: true });
      const collect = setInterval(() => globalThis.gc(), 1);
      const results = [];
      for (const used of [pool, inProcess, pool]) {
        results.push(...await Promise.all(Array.from({ length: 100 }, (_, index) => used.run(async (lane) => {
          const signature = await lane.sign(key, 'ecdsa-p256-sha256', hash('m' + index));
          return [await lane.verify(trusted, 'ecdsa-p256-sha256', hash('m' + index), signature),
            await lane.verify(trusted, 'ecdsa-p256-sha256', hash('other'), signature)];
        }))));
      }
      clearInterval(collect);
      const many = Array.from({ length: 101 }, () => attempt(() => pool.run((lane) => lane.sign(key, 'ecdsa-p256-sha256', hash('m')))));
      const early = await attempt(() => module.finalize());
      const codes = await Promise.all(many);
      await pool.drain();
      module.finalize();
      report({ good: results.filter(([right, wrong]) => right && !wrong).length,
        full: codes.filter((code) => code === 'pkcs11_lanes_full').length,
        signed: codes.filter((code) => code === 'no error').length, early });`,
      ['--expose-gc'],
    );
    expect(result).toEqual({ good: 300, full: 1, signed: 100, early: 'pkcs11_busy' });
  });

  test('a lane goes on with a fresh session after each error', () => {
    const [codes] = run(`
      const token = open();
      const key = token.findKey(Buffer.from(${JSON.stringify(made)}[0].keyId, 'hex'));
      const lane = token.openLane();
      const stale = { ...key, handle: Buffer.from('ffffff0000000000', 'hex') };
      const wrong = { ...key, spec: 'rsa-2048' };
      const codes = [];
      for (let round = 0; round < 5; round += 1) {
        codes.push([await attempt(() => lane.sign(stale, 'ecdsa-p256-sha256', hash('m'))),
          await attempt(() => lane.sign(wrong, 'rsassa-pkcs1-v1_5-sha256', hash('m'))),
          await attempt(() => lane.sign(key, 'ecdsa-p256-sha256', hash('m')))]);
      }
      report(codes);
      module.finalize();`) as [string[][]];
    for (const [stale, wrong, right] of codes) {
      // A handle to nothing is a matter of the session or of the request, as the module likes; never of the token.
      expect(stale).toMatch(/^pkcs11_(session_lost|request_refused)$/);
      expect(wrong).toMatch(/^pkcs11_(session_lost|request_refused)$/);
      expect(right).toBe('no error');
    }
  });

  test('nothing is closed under a signature; afterwards the module starts again and finds its keys', () => {
    const [result] = run(`
      const token = open();
      const key = token.findKey(Buffer.from(${JSON.stringify(made)}[0].keyId, 'hex'));
      const signing = token.sign(key, 'ecdsa-p256-sha256', hash('m'));
      const early = await attempt(() => token.close());
      const signed = await attempt(() => signing);
      token.close();
      const late = await attempt(() => token.sign(key, 'ecdsa-p256-sha256', hash('m')));
      module.finalize();
      module = loadModule(path, parameters);
      const keys = open().listKeys().length;
      module.finalize();
      report({ codes: [early, signed, late], keys });`);
    expect(result).toEqual({ codes: ['pkcs11_busy', 'no error', 'RangeError'], keys: plans.length });
  });
});
