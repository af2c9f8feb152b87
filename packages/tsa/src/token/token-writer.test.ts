import { createHash, createPublicKey, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { getDigestOf, type SignatureAlgorithmName } from '@sigillum/algorithms';
import {
  encodeMessageImprint,
  encodeSignedAttributes,
  encodeSignedData,
  encodeTimeStampResponse,
  encodeTstInfo,
  parseTstInfo,
} from '@sigillum/pki';
import { type OpensslCertificate, type OpensslKeyKind, OpensslPki, opensslExtensions } from '@sigillum/testing';
import fc from 'fast-check';
import { openTimeStampUnit, type TimeStampUnit } from '../unit/time-stamp-unit.ts';
import { UnitRotation } from '../unit/unit-rotation.ts';
import { TokenWriter } from './token-writer.ts';

const policy = '2.25.123456789012345678901234567890';
/** 0.4.0.19422.1.1 in DER. */
const qualifiedClaim = '0607040081975e0101';
const pki = new OpensslPki();
let root: OpensslCertificate;
let ca: OpensslCertificate;
beforeAll(() => {
  root = pki.issue('root', { extensions: opensslExtensions.root });
  ca = pki.issue('ca', { issuer: root, extensions: opensslExtensions.ca });
});
afterAll(() => pki.remove());

function open(
  certificate: OpensslCertificate,
  more: {
    algorithm?: SignatureAlgorithmName;
    qualified?: boolean;
    from?: Date;
    until?: Date;
    development?: boolean;
  } = {},
): TimeStampUnit {
  return openTimeStampUnit({
    name: certificate.name,
    manifest: {
      key_id: '00112233445566778899aabbccddeeff',
      algorithm: more.algorithm ?? 'ecdsa-p256-sha256',
      purpose: 'timestamp',
      spki: createPublicKey(certificate.privateKey).export({ format: 'der', type: 'spki' }).toString('base64'),
    },
    certificate: certificate.certificate,
    chain: [ca.certificate, root.certificate],
    development: more.development ?? true,
    qualified: more.qualified ?? false,
    from: more.from,
    until: more.until,
    marginMs: 3_600_000,
  });
}

describe('a token', () => {
  test.each<[SignatureAlgorithmName, OpensslKeyKind]>([
    ['ecdsa-p256-sha256', 'p256'],
    ['ecdsa-p384-sha384', 'p384'],
    ['rsassa-pkcs1-v1_5-sha256', 'rsa-3072'],
  ])('with %s has the very bytes that the encoders of pki make', (algorithm, key) => {
    const issued = pki.issue(`tsu-${key}`, { key, issuer: ca, extensions: opensslExtensions.tsu });
    const unit = open(issued, { algorithm });
    const writer = new TokenWriter(unit, policy);
    const digest = getDigestOf(algorithm).name;
    const inputs = fc.record({
      digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      // Zeros in front are likely here and must go; a set sign bit must not make it negative.
      serial: fc.oneof(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 8, maxLength: 8 }).map((tail) => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, ...tail)),
        fc.constant(new Uint8Array(16)),
      ),
      time: fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
      accuracyMs: fc.integer({ min: 1, max: 1000 }),
      nonce: fc.option(fc.uint8Array({ minLength: 1, maxLength: 64 }), { nil: undefined }),
      certReq: fc.boolean(),
      signature: fc.uint8Array({ minLength: 60, maxLength: 400 }),
    });
    fc.assert(
      fc.property(inputs, ({ serial, time, accuracyMs, nonce, certReq, signature, ...input }) => {
        const imprintDer = encodeMessageImprint({ algorithm: 'sha256', digest: input.digest });
        const request = nonce === undefined ? { imprintDer } : { imprintDer, nonce };
        const draft = writer.draft(request, writer.encodeTime({ time, accuracyMs }), serial);
        const content = encodeTstInfo({ policy, imprintDer, serialNumber: serial, genTime: time, accuracyMs, nonce });
        expect(Buffer.from(draft.content).equals(content)).toBe(true);
        const signedAttributes = encodeSignedAttributes({
          contentType: 'tstInfo',
          messageDigest: createHash(digest).update(content).digest(),
          certificate: issued.certificate,
        });
        expect(Buffer.from(draft.signedAttributes).equals(signedAttributes)).toBe(true);
        expect(Buffer.from(draft.digest).equals(createHash(digest).update(signedAttributes).digest())).toBe(true);
        const token = encodeSignedData({
          contentType: 'tstInfo',
          content,
          algorithm,
          signedAttributes,
          signature,
          signerCertificate: issued.certificate,
          certificates: certReq ? [issued.certificate, ca.certificate, root.certificate] : [],
        });
        const written = writer.write(draft, signature, certReq);
        expect(Buffer.from(written.token).equals(token)).toBe(true);
        expect(Buffer.from(written.response).equals(encodeTimeStampResponse(token))).toBe(true);
      }),
    );
    const imprintDer = encodeMessageImprint({ algorithm: 'sha256', digest: new Uint8Array(32) });
    const draft = writer.draft(
      { imprintDer },
      writer.encodeTime({ time: new Date(), accuracyMs: 5 }),
      new Uint8Array(16),
    );
    const signature = new Uint8Array(sign(digest, draft.signedAttributes, issued.privateKey));
    expect(writer.isOurs(draft, signature)).toBe(true);
    expect(writer.isOurs({ ...draft, signedAttributes: draft.content }, signature)).toBe(false);
  });

  test('has the claim to be qualified only when the operator asserts it of that unit', () => {
    const live = pki.issue('live', { issuer: ca, extensions: opensslExtensions.tsu, subject: '/O=Example/CN=TSU' });
    const imprintDer = encodeMessageImprint({ algorithm: 'sha256', digest: new Uint8Array(32) });
    const draft = (qualified: boolean) => {
      const writer = new TokenWriter(open(live, { qualified, development: false }), policy);
      const timeDer = writer.encodeTime({ time: new Date(), accuracyMs: 1000 });
      return writer.draft({ imprintDer, nonce: Uint8Array.of(7) }, timeDer, new Uint8Array(16));
    };
    const text = (content: Uint8Array) =>
      Buffer.from(pki.run(['asn1parse', '-inform', 'DER', '-in', pki.write('tst', content)])).toString();
    expect(text(draft(true).content)).toMatch(/OBJECT\s+:qcStatements/);
    expect(Buffer.from(draft(true).content).toString('hex')).toContain(qualifiedClaim);
    expect(text(draft(false).content)).not.toContain('qcStatements');
    // Our own reader takes both.
    expect(parseTstInfo(draft(true).content)).toMatchObject({ policy, nonce: Uint8Array.of(7) });
  });
});

describe('several units', () => {
  const day = 86_400_000;
  const at = (days: number): Date => new Date(Date.now() + days * day);
  let issued: OpensslCertificate[];
  beforeAll(() => {
    issued = ['one', 'two'].map((name) => pki.issue(name, { issuer: ca, extensions: opensslExtensions.tsu }));
  });
  const make = (windows: readonly { from?: Date; until?: Date }[]) =>
    new UnitRotation(
      windows.map((window, index) => {
        const certificate = issued[index];
        if (certificate === undefined) throw new Error('no certificate');
        return open(certificate, window);
      }),
    );

  test('take turns by their windows: the one that began last signs', () => {
    const rotation = make([{ until: at(20) }, { from: at(10) }]);
    expect([0, 9, 11, 19, 21, 29].map((days) => rotation.find(at(days))?.name)).toEqual([
      'one',
      'one',
      'two',
      'two',
      'two',
      'two',
    ]);
  });

  test('leave nobody to sign in a gap, before the first and within the margin of the last end', () => {
    const rotation = make([{ until: at(5) }, { from: at(10) }]);
    expect(rotation.find(new Date(at(5).getTime() - 3_700_000))?.name).toBe('one');
    expect(() => rotation.select(new Date(at(5).getTime() - 3_500_000))).toThrow(
      expect.objectContaining({ failure: 'systemFailure' }),
    );
    expect(rotation.explain(at(7))).toBe('one has a key whose use has ended; two has a key whose use has not begun');
    expect(rotation.explain(at(-2))).toContain('one is not valid yet');
    expect(rotation.explain(at(40))).toBe('one has expired; two has expired');
    expect(rotation.find(new Date(at(30).getTime() - 1_800_000))).toBeUndefined();
  });

  test('end with the private-key usage period, long before the certificate', () => {
    const period = pki.issue('period', {
      issuer: ca,
      // 2.5.29.16: notBefore [0] 2026-01-01, notAfter [1] ten days from now.
      extensions: [...opensslExtensions.tsu, `2.5.29.16=DER:${encodePeriod(at(10))}`],
    });
    const unit = open(period);
    expect(Math.abs(unit.ends.getTime() + 3_600_000 - at(10).getTime())).toBeLessThan(60_000);
    expect(new UnitRotation([unit]).explain(at(11))).toBe('period has a key whose use has ended');
  });

  function encodePeriod(end: Date): string {
    const text = `${end.toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`;
    return `3011810f${Buffer.from(text, 'latin1').toString('hex')}`;
  }
});
