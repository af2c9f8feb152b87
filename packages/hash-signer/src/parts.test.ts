import {
  constants,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  privateEncrypt,
  randomBytes,
  sign,
} from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, test } from '@jest/globals';
import { AuditLog, createNodeFileSystem } from '@sigillum/audit';
import { createLogger, createMetrics } from '@sigillum/service-kit';
import { Backoff } from './backoff.ts';
import { ClientIdentities, findClientIdentity } from './client-identity.ts';
import { configSchema } from './config.ts';
import { encodeFrame, FrameReader } from './frame.ts';
import type { ServedKey } from './served-keys.ts';
import { KeyRegistry } from './key-registry.ts';
import { AuditRecorder } from './audit-recorder.ts';
import { PinLatch } from './pin-latch.ts';
import { PurposeQueues } from './purpose-queues.ts';
import { DigestSigning } from './sign-digests.ts';
import { encodeFailed, encodeSign, encodeSigned, parseFailed, parseSign, parseSigned } from './signer-messages.ts';
import { createSignerMetrics } from './signer-metrics.ts';
import type { TokenSigners } from './token-signers.ts';
import { verifyPssEncoding } from './verify-pss.ts';
import { verifyRsaSignature } from './verify-rsa-signature.ts';
import { PendingWork } from './pending-work.ts';
import { Quarantine } from './quarantine.ts';
import { RateLimits } from './rate-limits.ts';
import { chooseSizes } from './token-setup.ts';
import { WorkItem } from './work-item.ts';

const directory = mkdtempSync(join(tmpdir(), 'hash-signer-parts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const message = Buffer.from('message');
const digest = createHash('sha256').update(message).digest();

const flip = (bytes: Uint8Array, index: number): Buffer => {
  const changed = Buffer.from(bytes);
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
};

/** Sizes around a byte border: 2049 bits have one byte more than EM, 2047 have an EM with a full top byte less. */
const rsaPairs = [2047, 2048, 2049, 3072].map((bits) => ({
  bits,
  ...generateKeyPairSync('rsa', { modulusLength: bits }),
}));

describe('verification of RSA signatures over a digest', () => {
  const signPss = (key: KeyObject, saltLength: number, hash = 'sha256'): Buffer =>
    sign(hash, message, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

  test.each(rsaPairs)('accepts what node:crypto signs with PSS, $bits bits', ({ privateKey, publicKey }) => {
    for (let round = 0; round < 20; round += 1) {
      const signature = signPss(privateKey, 32);
      expect(verifyRsaSignature(publicKey, 'rsassa-pss-sha256', digest, signature)).toBe(true);
    }
  });

  test.each(rsaPairs)('refuses PSS that is not exactly ours, $bits bits', ({ privateKey, publicKey }) => {
    const verify = (signature: Uint8Array, of: Uint8Array = digest): boolean =>
      verifyRsaSignature(publicKey, 'rsassa-pss-sha256', of, signature);
    const good = signPss(privateKey, 32);
    for (const index of [0, 1, 100, good.length - 1]) expect(verify(flip(good, index))).toBe(false);
    expect(verify(good, flip(digest, 0))).toBe(false);
    expect(verify(good, digest.subarray(0, 31))).toBe(false);
    expect(verify(good.subarray(1))).toBe(false);
    expect(verify(Buffer.concat([Buffer.alloc(1), good]))).toBe(false);
    expect(verify(Buffer.alloc(good.length, 0xff))).toBe(false);
    for (const saltLength of [0, 20, 31, 33, 64]) expect(verify(signPss(privateKey, saltLength))).toBe(false);
    expect(verify(signPss(privateKey, 32, 'sha384'))).toBe(false);
    expect(verify(sign('sha256', message, privateKey))).toBe(false);
  });

  test('refuses every single changed byte of the encoded message, and other trailers', () => {
    const pair = rsaPairs[1];
    if (!pair) throw new Error('no key');
    const { publicKey, privateKey } = pair;
    const signature = signPss(privateKey, 32);
    const encoded = publicDecryptRaw(publicKey, signature);
    expect(verifyPssEncoding(encoded, 2048, 'sha256', digest, 32)).toBe(true);
    for (let index = 0; index < encoded.length; index += 1) {
      expect(verifyPssEncoding(flip(encoded, index), 2048, 'sha256', digest, 32)).toBe(false);
    }
    // RFC 8017 §9.1.2 step 6: the bit above emBits
    const topBit = Buffer.from(encoded);
    topBit[0] = (topBit[0] ?? 0) | 0x80;
    expect(verifyPssEncoding(topBit, 2048, 'sha256', digest, 32)).toBe(false);
    expect(verifyPssEncoding(encoded.subarray(0, 40), 320, 'sha256', digest, 32)).toBe(false);
  });

  test.each(rsaPairs)(
    'accepts PKCS#1 v1.5 from node:crypto and nothing else, $bits bits',
    ({ privateKey, publicKey }) => {
      const verify = (signature: Uint8Array, of: Uint8Array = digest): boolean =>
        verifyRsaSignature(publicKey, 'rsassa-pkcs1-v1_5-sha256', of, signature);
      const good = sign('sha256', message, privateKey);
      expect(verify(good)).toBe(true);
      expect(verify(flip(good, 5))).toBe(false);
      expect(verify(good, flip(digest, 3))).toBe(false);
      expect(verify(sign('sha384', message, privateKey))).toBe(false);
      expect(verify(signPss(privateKey, 32))).toBe(false);
      // A bare digest without DigestInfo, and one with something behind it.
      expect(verify(privateEncrypt(privateKey, digest))).toBe(false);
      const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), digest]);
      expect(verify(privateEncrypt(privateKey, info))).toBe(true);
      expect(verify(privateEncrypt(privateKey, Buffer.concat([info, Buffer.of(0)])))).toBe(false);
      // DigestInfo without the NULL parameters is another encoding.
      const without = Buffer.concat([Buffer.from('302f300b0609608648016503040201', 'hex'), Buffer.of(4, 32), digest]);
      expect(verify(privateEncrypt(privateKey, without))).toBe(false);
    },
  );
});

function publicDecryptRaw(key: KeyObject, signature: Uint8Array): Buffer {
  const jwk = key.export({ format: 'jwk' });
  const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  const modulus = number(Buffer.from(jwk.n ?? '', 'base64url'));
  let [base, exponent, result] = [number(signature), 65537n, 1n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  return Buffer.from(result.toString(16).padStart(signature.length * 2, '0'), 'hex');
}

describe('frames', () => {
  test('survive being cut anywhere', () => {
    const stream = Buffer.concat([
      encodeSign(7, 3, digest),
      encodeSigned(0xffffffff, 12, Buffer.from('sig')),
      encodeFailed(9, 5, 'busy', 0xb1),
      encodeFailed(10, 5, 'wrong', undefined),
    ]);
    for (let size = 1; size <= stream.length; size += 1) {
      const reader = new FrameReader();
      const frames = [];
      for (let at = 0; at < stream.length; at += size) frames.push(...reader.push(stream.subarray(at, at + size)));
      const [sent, signed, failed, wrong] = frames.map(({ payload }) => payload);
      if (!sent || !signed || !failed || !wrong) throw new Error('frames are missing');
      expect(parseSign(sent)).toEqual({ id: 7, keyIndex: 3, digest });
      expect(parseSigned(signed)).toEqual({ id: 0xffffffff, executionMicros: 12, signature: Buffer.from('sig') });
      expect(parseFailed(failed)).toEqual({ id: 9, executionMicros: 5, failureClass: 'busy', returnCode: 0xb1 });
      expect(parseFailed(wrong)).toMatchObject({ failureClass: 'wrong', returnCode: undefined });
    }
  });

  test('with an impossible length end the stream', () => {
    expect(() => new FrameReader().push(Buffer.from('00000000', 'hex'))).toThrow(RangeError);
    expect(() => new FrameReader().push(Buffer.from('7fffffff00', 'hex'))).toThrow(RangeError);
    expect(() => encodeFrame(1, Buffer.alloc(2 ** 20))).toThrow(RangeError);
  });
});

const createQuarantine = (): Quarantine => new Quarantine(mkdtempSync(join(directory, 'quarantine-')));

const createKey = (purpose: ServedKey['purpose'], keyId: string): ServedKey => ({
  keyId,
  name: keyId,
  algorithm: 'rsassa-pss-sha256',
  purpose,
  spki: new Uint8Array(),
  publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
  tokenSerial: 's',
  manifest: 'm',
});

describe('queues by purpose', () => {
  const seal = createKey('seal', 'a');
  const stamp = createKey('timestamp', 'b');
  const make = (key: ServedKey, count: number): WorkItem[] =>
    Array.from({ length: count }, () => new WorkItem({ key, digest, deadline: performance.now() + 1000 }));

  test('are emptied in turn, so that a long one starves nobody', () => {
    const queues = new PurposeQueues(['seal', 'timestamp'], 10);
    queues.add(make(seal, 5));
    queues.add(make(stamp, 2));
    const order = Array.from(
      { length: 7 },
      () =>
        queues.take(
          () => true,
          () => true,
        )?.key.purpose,
    );
    expect(order).toEqual(['seal', 'timestamp', 'seal', 'timestamp', 'seal', 'seal', 'seal']);
    expect(
      queues.take(
        () => true,
        () => true,
      ),
    ).toBeUndefined();
  });

  test('take all items or none, give only what is allowed, and take back in front', () => {
    const queues = new PurposeQueues(['seal', 'timestamp'], 3);
    const items = make(seal, 3);
    expect(queues.add(items)).toBe(true);
    expect(queues.add(make(seal, 1))).toBe(false);
    expect(queues.add(make(stamp, 4))).toBe(false);
    expect(queues.add(make(stamp, 3))).toBe(true);
    expect(
      queues.take(
        (purpose) => purpose === 'seal',
        () => true,
      ),
    ).toBe(items[0]);
    if (items[0]) queues.putBack(items[0]);
    expect(
      queues.take(
        (purpose) => purpose === 'seal',
        () => true,
      ),
    ).toBe(items[0]);
    expect(queues.remove((item) => items.includes(item))).toEqual(items.slice(1));
    expect(queues.remove((item) => items.includes(item))).toEqual([]);
    expect(queues.lengths().get('seal')).toBe(0);
    expect(queues.lengths().get('timestamp')).toBe(3);
  });
});

describe('pauses between starts', () => {
  test('double from 50 ms to 5 s, with jitter below, and begin anew after a reset', () => {
    const longest = new Backoff(() => 1);
    expect(Array.from({ length: 9 }, () => longest.next())).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    longest.reset();
    expect(longest.next()).toBe(50);
    expect(new Backoff(() => 0).next()).toBe(25);
  });
});

describe('the latch of a PIN', () => {
  test('is closed for the file that was rejected, over restarts, and open for another one', () => {
    const pin = join(directory, 'pin');
    writeFileSync(pin, 'one');
    utimesSync(pin, 1000, 1000);
    const state = join(directory, 'state');
    const latch = new PinLatch(state, 'serial/..', pin);
    expect(latch.isClosed()).toBe(false);
    latch.close({ mtimeMs: 1_000_000, size: 3 });
    expect(latch.isClosed()).toBe(true);
    expect(new PinLatch(state, 'serial/..', pin).isClosed()).toBe(true);
    expect(new PinLatch(state, 'other', pin).isClosed()).toBe(false);
    writeFileSync(pin, 'four');
    utimesSync(pin, 1000, 1000);
    expect(latch.isClosed()).toBe(false);
    writeFileSync(pin, 'two');
    expect(latch.isClosed()).toBe(false);
  });

  test('stays closed for a PIN file that can not be looked at, and is open where there is none', () => {
    writeFileSync(join(directory, 'no-folder'), 'a file');
    const state = join(directory, 'state-hidden');
    const hidden = new PinLatch(state, 'serial', join(directory, 'no-folder', 'pin'));
    hidden.close({ mtimeMs: 1, size: 3 });
    expect(hidden.isClosed()).toBe(true);
    expect(new PinLatch(state, 'serial', join(directory, 'nowhere')).isClosed()).toBe(false);
  });

  test.each(['', 'null', '{"mtimeMs":1}', '{"mtimeMs":'])('stays closed when its file says only %j', (content) => {
    const pin = join(directory, 'pin');
    writeFileSync(pin, 'one');
    const state = join(directory, 'state-damaged');
    const latch = new PinLatch(state, 'serial', pin);
    latch.close({ mtimeMs: 1, size: 3 });
    expect(latch.isClosed()).toBe(false);
    const [name = ''] = readdirSync(state);
    writeFileSync(join(state, name), content);
    expect(latch.isClosed()).toBe(true);
  });
});

describe('the name of a client', () => {
  const certificate = {
    subjectaltname: 'URI:spiffe://a/b',
    ext_key_usage: ['1.3.6.1.5.5.7.3.2'],
    valid_to: 'Nov 22 02:00:00 2030 GMT',
  };
  const name = (changes: Partial<Parameters<typeof findClientIdentity>[0]>) =>
    findClientIdentity({ ...certificate, ...changes })?.name;

  test('is the single URI of a certificate for clients', () => {
    expect(name({})).toBe('spiffe://a/b');
    expect(name({ subjectaltname: 'DNS:x, URI:spiffe://a/b, IP Address:127.0.0.1' })).toBe('spiffe://a/b');
    expect(name({ subjectaltname: 'URI:spiffe://a/b, URI:spiffe://a/c' })).toBeUndefined();
    expect(name({ subjectaltname: 'DNS:URI:spiffe://a/b' })).toBeUndefined();
    // Node quotes a value that holds a comma; what stands between quotes is nobody's name.
    expect(name({ subjectaltname: 'DNS:"x, URI:spiffe://a/b"' })).not.toBe('spiffe://a/b');
    expect(name({ subjectaltname: '' })).toBeUndefined();
    expect(name({ ext_key_usage: ['1.3.6.1.5.5.7.3.1'] })).toBeUndefined();
    expect(name({ ext_key_usage: [] })).toBeUndefined();
    expect(name({ valid_to: 'some day' })).toBeUndefined();
  });

  test('ends with the certificate, also on an open connection', () => {
    let whenClosed = (): void => undefined;
    const socket = {
      authorized: true,
      getPeerCertificate: () => certificate,
      getPeerX509Certificate: () => ({ publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey }),
      once: (_event: string, listener: () => void) => {
        whenClosed = listener;
      },
    } as unknown as TLSSocket;
    const identities = new ClientIdentities();
    const end = Date.parse('2030-11-22T02:00:00Z');
    expect(identities.find(socket, end - 1)?.name).toBe('spiffe://a/b');
    expect(identities.countConnections('spiffe://a/b')).toBe(1);
    expect(identities.find(socket, end)).toBeUndefined();
    const stranger = { authorized: false, getPeerCertificate: () => certificate } as unknown as TLSSocket;
    expect(identities.find(stranger, end - 1)).toBeUndefined();
    whenClosed();
    expect(identities.countConnections('spiffe://a/b')).toBe(0);
  });
});

describe('when the audit log cannot be written', () => {
  const client = { name: 'spiffe://a/b', methods: ['signDigests' as const], purposes: ['seal' as const] };

  const key = createKey('seal', 'c'.repeat(32));
  const request = {
    request_id: 'r',
    timeout_ms: 5000,
    key_id: key.keyId,
    algorithm: key.algorithm,
    digests: [{ digest: digest.toString('base64'), context: {} }],
  };

  async function createSigning(isBroken: () => boolean): Promise<{ signing: DigestSigning; audit: AuditLog }> {
    const real = createNodeFileSystem();
    const audit = await AuditLog.open({
      directory: mkdtempSync(join(directory, 'audit-')),
      chain: 'test',
      fileSystem: {
        ...real,
        openFile: async (...args) => {
          const file = await real.openFile(...args);
          return {
            write: (bytes) => file.write(bytes),
            sync: () => (isBroken() ? Promise.reject(new Error('EIO')) : file.sync()),
            size: () => file.size(),
            isInPlace: () => file.isInPlace(),
            close: () => file.close(),
            read: (...range) => file.read(...range),
            truncate: (size) => file.truncate(size),
          };
        },
      },
    });
    // A token that signs at once: what matters here comes after it.
    const token = {
      admit: (items: WorkItem[]) => items.forEach((item) => item.sign(randomBytes(8), 1)),
      abandon: () => undefined,
    };
    const metrics = createSignerMetrics(createMetrics({ service: 'test' }), () => new Map());
    const logger = createLogger({ service: 'test', instance: 'test', level: 'error' });
    const signing = new DigestSigning({
      audit,
      recorder: new AuditRecorder({ audit, logger, metrics }),
      registry: new KeyRegistry([key], createQuarantine()),
      rates: new RateLimits([]),
      pending: new PendingWork(100),
      tokens: new Map([['s', token as unknown as TokenSigners]]),
      limits: { min_timeout_ms: 1 },
      logger: createLogger({ service: 'test', instance: 'test', level: 'error' }),
      metrics,
    });
    return { signing, audit };
  }

  test('nothing is answered but an error, at once and afterwards', async () => {
    let isBroken = false;
    const { signing, audit } = await createSigning(() => isBroken);
    const answer = await signing.sign(client, key, request, performance.now());
    expect(answer.results).toHaveLength(1);
    isBroken = true;
    const failing = signing.sign(client, key, request, performance.now());
    await expect(failing).rejects.toMatchObject({ code: 'signer_audit_unavailable' });
    isBroken = false;
    const later = signing.sign(client, key, request, performance.now());
    await expect(later).rejects.toMatchObject({ code: 'signer_audit_unavailable' });
    await audit.close();
  });

  test('a key in quarantine signs nothing', async () => {
    const registry = new KeyRegistry([key], createQuarantine());
    expect(registry.isQuarantined(key.keyId)).toBe(false);
    registry.quarantine(key.keyId);
    const { audit } = await createSigning(() => false);
    const signing = new DigestSigning({
      audit,
      recorder: { record: () => Promise.reject(new Error('not asked')), isUsable: true },
      registry,
      rates: new RateLimits([]),
      pending: new PendingWork(100),
      tokens: new Map([['s', {} as unknown as TokenSigners]]),
      limits: { min_timeout_ms: 1 },
      logger: createLogger({ service: 'test', instance: 'test', level: 'error' }),
      metrics: createSignerMetrics(createMetrics({ service: 'test' }), () => new Map()),
    });
    const call = signing.sign(client, key, request, performance.now());
    await expect(call).rejects.toMatchObject({ code: 'signer_key_quarantined' });
    await audit.close();
  });
});

describe('the configuration', () => {
  const valid = {
    instance: 'one',
    listen: { host: '127.0.0.1', port: 1 },
    internal: { host: '127.0.0.1', port: 2 },
    tls: { certificate: 'c', key: 'k', client_roots: 'r' },
    pkcs11: { module: 'm' },
    tokens: [{ label: 'l', serial: 's', pin_file: 'p' }],
    manifests: 'keys',
    clients: [{ name: 'spiffe://a/b', methods: ['keys'], purposes: ['seal'] }],
    audit: { directory: 'a' },
  };
  const accepts = (changes: object): boolean => configSchema.safeParse({ ...valid, ...changes }).success;

  test('has defaults for all bounds', () => {
    expect(accepts({})).toBe(true);
    expect(configSchema.parse(valid).limits.queue_per_purpose).toBe(1000);
    const [token] = configSchema.parse(valid).tokens;
    expect(token && chooseSizes(token, undefined)).toEqual({ signers: 2, lanes: 2 });
  });

  test.each([
    ['an unknown field', { other: 1 }],
    ['no tokens', { tokens: [] }],
    ['the same token twice', { tokens: [valid.tokens[0], valid.tokens[0]] }],
    ['the same client twice', { clients: [valid.clients[0], valid.clients[0]] }],
    ['a client without a URI', { clients: [{ ...valid.clients[0], name: 'document-service' }] }],
    ['an unknown method', { clients: [{ ...valid.clients[0], methods: ['generate'] }] }],
    ['CA keys', { clients: [{ ...valid.clients[0], purposes: ['certificate'] }] }],
    ['a key id that is none', { clients: [{ ...valid.clients[0], keys: ['x'] }] }],
    ['no lanes', { tokens: [{ ...valid.tokens[0], lanes: 0 }] }],
    ['no time to start', { limits: { start_timeout_ms: 0 } }],
    ['an endless minimum', { limits: { min_timeout_ms: 60_001 } }],
    ['an endless drain', { limits: { drain_ms: 60_001 } }],
    ['no connections', { limits: { max_connections: 0 } }],
    [
      'a watchdog that two of would not fit into a deadline',
      { tokens: [{ ...valid.tokens[0], watchdog_ms: { rsa: 1001 } }] },
    ],
    ['lanes that are all reserved', { tokens: [{ ...valid.tokens[0], lanes: 2, reserved_lanes: { seal: 2 } }] }],
    ['a rate for nothing', { rates: [{ per_second: 5 }] }],
    ['a rate for a key and a purpose', { rates: [{ key_id: 'a'.repeat(32), purpose: 'seal', per_second: 5 }] }],
    ['a burst with no room for a TSA', { rates: [{ purpose: 'timestamp', per_second: 5, burst: 99 }] }],
    ['a rate without a number', { rates: [{ purpose: 'seal' }] }],
    ['two rates for one purpose', { rates: [1, 2].map((per_day) => ({ purpose: 'seal', per_day })) }],
    ['a pin that is none', { clients: [{ ...valid.clients[0], spki_sha256: ['x'] }] }],
    ['a variable that changes the process', { pkcs11: { module: 'm', environment: { LD_PRELOAD: 'x' } } }],
    ['no window', { limits: { in_flight_per_purpose: 0 } }],
  ])('refuses %s', (_name, changes) => {
    expect(accepts(changes)).toBe(false);
  });
});
