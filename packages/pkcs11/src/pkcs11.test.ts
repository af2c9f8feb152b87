import { spawnSync } from 'node:child_process';
import { createHash, createPublicKey, generateKeyPairSync, sign as signWithNode, verify } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SignatureAlgorithmName } from '@sigillum/algorithms';
import { createDigestOperation } from './mechanism.ts';
import { encodeEcdsaSignature, parseEcdsaSignature } from './ecdsa-signature.ts';
import { decodeEcPoint, encodeSpki, parseSpki } from './public-key.ts';
import { callNative, getFailureClass } from './pkcs11-failure.ts';
import { classifyReturnCode, parseReturnCode } from './return-code.ts';
import { padTokenLabel } from './token-info.ts';
import { keySpecs } from '@sigillum/algorithms';

const root = resolve(import.meta.dirname, '../../..');
const softhsm = ['/usr/lib/softhsm/libsofthsm2.so', `/usr/lib/${process.arch}-linux-gnu/softhsm/libsofthsm2.so`].find(
  (path) => existsSync(path),
);

let directory = '';
let conf = '';

beforeAll(() => {
  if (softhsm === undefined) throw new Error('SoftHSM is not installed');
  directory = mkdtempSync(join(tmpdir(), 'pkcs11-test-'));
  conf = join(directory, 'softhsm2.conf');
  mkdirSync(join(directory, 'tokens'));
  writeFileSync(conf, `directories.tokendir = ${join(directory, 'tokens')}\nlog.level = ERROR\n`);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/**
 * Runs a script against SoftHSM in a process of its own: the addon never runs inside jest. The script has `module`,
 * `pin()`, `report(value)` and `attempt(call)` → error code.
 */
function run(
  script: string,
  options: readonly string[] = [],
): { reports: unknown[]; status: number | null; output: string } {
  const source = `
    import { LanePool, loadModule } from '@sigillum/pkcs11';
    import { createHash } from 'node:crypto';
    import { createRequire } from 'node:module';
    const path = ${JSON.stringify(softhsm)};
    const module = loadModule(path);
    const pin = (text = '1234567890') => Buffer.from(text);
    const report = (value) => process.stdout.write(JSON.stringify(value ?? null) + '\\n');
    const attempt = async (call) => { try { await call(); return 'no error'; } catch (error) { return error.code ?? error.name; } };
    const hash = (text, name = 'sha256') => createHash(name).update(text).digest();
    ${script}`;
  const args = ['--conditions=source', ...options, '--input-type=module', '-e', source];
  const result = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...process.env, SOFTHSM2_CONF: conf, UV_THREADPOOL_SIZE: '8' },
    encoding: 'utf8',
    timeout: 50_000,
  });
  const lines = result.stdout.split('\n').filter((line) => line.length > 0);
  return { reports: lines.map((line) => JSON.parse(line) as unknown), status: result.status, output: result.stderr };
}

function runWell(script: string, options: readonly string[] = []): unknown[] {
  const { reports, status, output } = run(script, options);
  expect({ status, output }).toEqual({ status: 0, output: '' });
  return reports;
}

const initToken = (label: string): string =>
  `const info = module.initToken({ label: '${label}', soPin: pin('so-pin-0000'), userPin: pin() });`;

describe('a token', () => {
  test('is made with padded label, SO PIN and user PIN; all Buffers are wiped; found by label and serial', () => {
    const [made, wiped, found, again] = runWell(`
      const [soPin, userPin] = [pin('so-pin-0000'), pin()];
      report(module.initToken({ label: 'made', soPin, userPin }));
      report([...soPin, ...userPin].every((byte) => byte === 0));
      report(module.findToken({ label: 'made' }));
      const right = pin();
      module.openToken(module.findToken({ label: 'made' }), right).close();
      module.finalize();
      const second = loadModule(path);
      const token = second.openToken(second.findToken({ label: 'made' }), pin());
      report({ info: token.info, wiped: right.every((byte) => byte === 0) });
      second.finalize();
    `) as [Record<string, unknown>, boolean, unknown, { info: unknown; wiped: boolean }];
    expect(made).toMatchObject({ label: 'made', isInitialised: true });
    expect(made['serial']).toMatch(/^[0-9a-f]{16}$/);
    expect(wiped).toBe(true);
    expect(found).toEqual(made);
    expect(again).toEqual({ info: made, wiped: true });
  });

  test('is refused under a taken or impossible label, and when it is not there', () => {
    const [codes] = runWell(`
      ${initToken('taken')}
      const make = (label) => attempt(() => module.initToken({ label, soPin: pin('so-pin-0000'), userPin: pin() }));
      report([await make('taken'), await make(''), await make('x'.repeat(33)), await make('é'.repeat(17)),
        await attempt(() => module.findToken({ label: 'nowhere' })),
        await attempt(() => module.findToken({ label: 'taken', serial: 'wrong' }))]);
      module.finalize();
    `);
    expect(codes).toEqual([
      'pkcs11_token_exists',
      'pkcs11_request_refused',
      'pkcs11_request_refused',
      'pkcs11_request_refused',
      'pkcs11_token_not_found',
      'pkcs11_token_not_found',
    ]);
  });

  test('that exists twice under one label is an error unless the serial tells them apart', () => {
    const [codes] = runWell(`
      ${initToken('twin')}
      const { PKCS11 } = createRequire(import.meta.url)('pkcs11js');
      module.finalize();
      // Nobody but another program makes a second one.
      const native = new PKCS11();
      native.load(path);
      native.C_Initialize({ flags: 2 });
      const free = native.C_GetSlotList(true).find((slot) => (native.C_GetTokenInfo(slot).flags & 0x400) === 0);
      native.C_InitToken(free, 'so-pin-0000', 'twin'.padEnd(32));
      native.C_Finalize();
      const again = loadModule(path);
      report([await attempt(() => again.findToken({ label: 'twin' })),
        await attempt(() => again.findToken({ label: 'twin', serial: info.serial }))]);
      again.finalize();
    `);
    expect(codes).toEqual(['pkcs11_token_ambiguous', 'no error']);
  });

  test('needs a module that can be loaded', () => {
    const [code] = runWell(`report(await attempt(() => loadModule('/nowhere/module.so')));`);
    expect(code).toBe('pkcs11_module_unusable');
  });
});

describe('a key pair', () => {
  test('can neither be exported, changed, copied nor used with another mechanism', () => {
    const [refusals] = runWell(`
      ${initToken('closed')}
      const token = module.openToken(info, pin());
      const made = token.generateKeyPair({ spec: 'rsa-2048', algorithm: 'rsassa-pkcs1-v1_5-sha256', label: 'closed' });
      module.finalize();
      const { PKCS11, ...ck } = createRequire(import.meta.url)('pkcs11js');
      const native = new PKCS11();
      native.load(path);
      native.C_Initialize({ flags: 2 });
      const slot = native.C_GetSlotList(true).find((id) => native.C_GetTokenInfo(id).serialNumber.trim() === info.serial);
      const session = native.C_OpenSession(slot, 6);
      native.C_Login(session, 1, '1234567890');
      native.C_FindObjectsInit(session, [{ type: ck.CKA_CLASS, value: 3 }]);
      const [key] = native.C_FindObjects(session, 1);
      native.C_FindObjectsFinal(session);
      report([
        await attempt(() => native.C_GetAttributeValue(session, key, [{ type: ck.CKA_PRIVATE_EXPONENT }])),
        await attempt(() => native.C_SetAttributeValue(session, key, [{ type: ck.CKA_DERIVE, value: true }])),
        await attempt(() => native.C_SetAttributeValue(session, key, [{ type: ck.CKA_LABEL, value: 'other' }])),
        await attempt(() => native.C_CopyObject(session, key, [{ type: ck.CKA_LABEL, value: 'copy' }])),
        await attempt(() => native.C_SignInit(session, { mechanism: ck.CKM_SHA256_RSA_PKCS }, key)),
        await attempt(() => native.C_DecryptInit(session, { mechanism: ck.CKM_RSA_PKCS }, key)),
      ]);
      native.C_Finalize();
    `) as [unknown[]];
    expect(refusals).not.toContain('no error');
  });

  test('under an identifier that exists twice is an error', () => {
    const [codes] = runWell(`
      ${initToken('double')}
      const token = module.openToken(info, pin());
      const made = token.generateKeyPair({ spec: 'p256', algorithm: 'ecdsa-p256-sha256', label: 'one' });
      module.finalize();
      const { PKCS11, ...ck } = createRequire(import.meta.url)('pkcs11js');
      const native = new PKCS11();
      native.load(path);
      native.C_Initialize({ flags: 2 });
      const slot = native.C_GetSlotList(true).find((id) => native.C_GetTokenInfo(id).serialNumber.trim() === info.serial);
      const session = native.C_OpenSession(slot, 6);
      native.C_Login(session, 1, '1234567890');
      const common = [{ type: ck.CKA_TOKEN, value: true }, { type: ck.CKA_ID, value: Buffer.from(made.keyId) }];
      native.C_GenerateKeyPair(session, { mechanism: ck.CKM_EC_KEY_PAIR_GEN },
        [...common, { type: ck.CKA_EC_PARAMS, value: Buffer.from('06082a8648ce3d030107', 'hex') }],
        [...common, { type: ck.CKA_SIGN, value: true }]);
      native.C_Finalize();
      const again = loadModule(path);
      const opened = again.openToken(again.findToken({ label: 'double' }), pin());
      report([await attempt(() => opened.findKey(made.keyId)), await attempt(() => opened.listKeys())]);
      again.finalize();
    `);
    expect(codes).toEqual(['pkcs11_key_ambiguous', 'pkcs11_key_ambiguous']);
  });
});

describe('return codes', () => {
  test('are read from whatever the addon throws', () => {
    const failure = Object.assign(new Error('CKR_PIN_INCORRECT'), { name: 'Pkcs11Error', code: 160 });
    expect(parseReturnCode(failure)).toBe(160);
    expect(parseReturnCode(new Error('CKR_SESSION_HANDLE_INVALID:179\n  at PKCS11.C_FindObjects'))).toBe(179);
    expect(parseReturnCode(new Error('CKR_VENDOR_DEFINED:2147483649'))).toBe(0x80000001);
    // NativeError takes any word before a colon and a number for a code.
    const misread = Object.assign(new Error('line:42'), { name: 'NativeError', code: 42 });
    expect(parseReturnCode(misread)).toBeUndefined();
    expect(parseReturnCode(new TypeError('wrong argument'))).toBeUndefined();
    expect(parseReturnCode('text')).toBeUndefined();
    expect(parseReturnCode(null)).toBeUndefined();
  });

  test('have one class each, which a profile may change', () => {
    expect(classifyReturnCode(0xa0)).toBe('pin');
    expect(classifyReturnCode(0x90)).toBe('session');
    expect(classifyReturnCode(0x32)).toBe('token-down');
    expect(classifyReturnCode(0x21)).toBe('request');
    expect(classifyReturnCode(0x6)).toBe('unknown');
    expect(classifyReturnCode(0x6, new Map([[0x6, 'busy']]))).toBe('busy');
    expect(classifyReturnCode(0x80000001)).toBe('unknown');
    expect(classifyReturnCode(undefined)).toBe('unknown');
  });

  test('become failures that say nothing of the HSM’s text', () => {
    const call = (): void => {
      throw new Error('CKR_DEVICE_ERROR:48 secret detail');
    };
    expect(() => callNative('C_Sign', call)).toThrow('C_Sign failed with 0x30 (token-down).');
    try {
      callNative('C_Sign', call);
    } catch (error) {
      expect(getFailureClass(error)).toBe('token-down');
      expect(error).toMatchObject({ code: 'pkcs11_token_down', returnCode: 48 });
      expect(String((error as Error).stack)).not.toContain('secret detail');
    }
  });
});

describe('encodings', () => {
  test('of ECDSA signatures are strict DER both ways', () => {
    for (const curve of ['P-256', 'P-384']) {
      const size = curve === 'P-256' ? 32 : 48;
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
      for (let round = 0; round < 200; round += 1) {
        const message = Buffer.from(`m${round}`);
        const raw = signWithNode('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
        const der = encodeEcdsaSignature(raw, size);
        expect(verify('sha256', message, { key: createPublicKey(privateKey), dsaEncoding: 'der' }, der)).toBe(true);
        expect(Buffer.from(parseEcdsaSignature(der, size) ?? [])).toEqual(raw);
      }
    }
    const one = Buffer.concat([Buffer.alloc(31), Buffer.of(1), Buffer.alloc(31), Buffer.of(0x80)]);
    expect(Buffer.from(encodeEcdsaSignature(one, 32)).toString('hex')).toBe('300702010102020080');
    const bad = [
      '3006020101020100',
      '300702010102020001',
      '30080201010203000080',
      '3006020101020181',
      '300602010102010100',
      '30060201010201',
      '',
      '300802810101028101 01'.replace(' ', ''),
    ];
    for (const hex of bad) expect(parseEcdsaSignature(Buffer.from(hex, 'hex'), 32)).toBeUndefined();
    expect(() => encodeEcdsaSignature(Buffer.alloc(64), 32)).toThrow('no ECDSA signature');
    expect(() => encodeEcdsaSignature(Buffer.alloc(63, 1), 32)).toThrow('no ECDSA signature');
  });

  test('of public keys are those of node:crypto, whatever the module wraps its points in', () => {
    const pairs = [
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ];
    for (const { publicKey } of pairs) {
      const spki = publicKey.export({ format: 'der', type: 'spki' });
      expect(Buffer.from(encodeSpki(parseSpki(spki)))).toEqual(spki);
    }
    const other = generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey.export({ format: 'der', type: 'spki' });
    expect(() => parseSpki(other)).toThrow('curve');
    expect(() => parseSpki(Buffer.from('3000', 'hex'))).toThrow('SubjectPublicKeyInfo');
    const point = Buffer.concat([Buffer.of(4), Buffer.alloc(64, 7)]);
    const wrapped = Buffer.concat([Buffer.of(4, 65), point]);
    expect(Buffer.from(decodeEcPoint(point, keySpecs.p256))).toEqual(point);
    expect(Buffer.from(decodeEcPoint(wrapped, keySpecs.p256))).toEqual(point);
    expect(() => decodeEcPoint(Buffer.concat([Buffer.of(2), Buffer.alloc(32)]), keySpecs.p256)).toThrow('point');
  });

  test('of what the HSM gets: DigestInfo for v1.5, explicit parameters for PSS, the bare digest for ECDSA', () => {
    const digest = createHash('sha256').update('x').digest();
    const operation = (algorithm: SignatureAlgorithmName, spec: 'p256' | 'rsa-3072') =>
      createDigestOperation(spec, algorithm, digest);
    expect(operation('rsassa-pkcs1-v1_5-sha256', 'rsa-3072')).toMatchObject({
      mechanism: { mechanism: 1 },
      input: Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), digest]),
    });
    expect(operation('rsassa-pss-sha256', 'rsa-3072')).toEqual({
      mechanism: { mechanism: 0xd, parameter: { type: 5, hashAlg: 0x250, mgf: 2, saltLen: 32 } },
      input: digest,
    });
    expect(operation('ecdsa-p256-sha256', 'p256')).toEqual({ mechanism: { mechanism: 0x1041 }, input: digest });
  });

  test('of token labels have exactly 32 bytes', () => {
    expect(padTokenLabel('ca')).toBe(`ca${' '.repeat(30)}`);
    expect(Buffer.byteLength(padTokenLabel('clé') ?? '')).toBe(32);
    expect(padTokenLabel('x'.repeat(32))).toBe('x'.repeat(32));
    expect(padTokenLabel('x'.repeat(33))).toBeUndefined();
    expect(padTokenLabel('')).toBeUndefined();
  });
});
