import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import {
  type Certificate,
  concatBytes,
  decodeBoolean,
  decodeInteger,
  decodeOctetString,
  decodeOid,
  decodeTime,
  DerFields,
  encodeBitString,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTime,
  encodeTlv,
  parseCertificate,
  parseCertificateFile,
  parseCrl,
  readDer,
  revocationReasons,
  tags,
  verifyCrl,
} from '@sigillum/pki';
import { type OpensslCertificate, OpensslPki, opensslExtensions } from '@sigillum/testing';

const pki = new OpensslPki();
let ca: OpensslCertificate;
let subCa: OpensslCertificate;
let leaf: OpensslCertificate;
const url = 'http://crl.example/ca.crl';
const read = ({ certificate }: OpensslCertificate): Certificate => parseCertificate(certificate);

beforeAll(() => {
  ca = pki.issue('ca', { extensions: opensslExtensions.root });
  subCa = pki.issue('sub-ca', { issuer: ca, extensions: opensslExtensions.ca });
  leaf = pki.issue('leaf', {
    issuer: ca,
    extensions: [...opensslExtensions.seal, `crlDistributionPoints=URI:${url}`],
  });
});
afterAll(() => pki.remove());

let made = 0;
/** A CRL of `openssl ca` with those lines in its extension section. */
function makeCrl(extensions: readonly string[], sections = ''): Uint8Array {
  const name = `crl-${made++}`;
  const serial = read(leaf).serialNumber.toUpperCase();
  pki.write(`${name}.index`, `R\t351231235959Z\t260102030405Z,superseded\t${serial}\tunknown\t/CN=leaf\n`);
  pki.write(`${name}.number`, '1000\n');
  const config = pki.write(
    `${name}.cnf`,
    `[ca]
default_ca = own
[own]
database = ${pki.path(`${name}.index`)}
crlnumber = ${pki.path(`${name}.number`)}
default_md = sha256
default_crl_days = 1
crl_extensions = extensions
[extensions]
authorityKeyIdentifier = keyid
${extensions.join('\n')}
${sections}
`,
  );
  const files = ['-cert', ca.certificateFile, '-keyfile', ca.keyFile, '-out', pki.path(`${name}.pem`)];
  pki.run(['ca', '-gencrl', '-config', config, ...files]);
  return pki.run(['crl', '-in', `${name}.pem`, '-outform', 'DER']);
}

const point = (lines: string): [string[], string] => [
  ['issuingDistributionPoint = critical,@point'],
  `[point]\n${lines}`,
];

describe('a CRL of openssl', () => {
  test('of all certificates is verified with or without one in question', () => {
    const crl = parseCrl(makeCrl([]));
    expect(crl.scope).toBeUndefined();
    verifyCrl(crl, read(ca));
    verifyCrl(crl, read(ca), read(leaf));
    expect(crl.revoked.get(read(leaf).serialNumber)).toEqual({
      time: new Date('2026-01-02T03:04:05Z'),
      reason: 'superseded',
    });
  });

  test('of user certificates, of CAs, or of one distribution point speaks of those alone', () => {
    const outside = expect.objectContaining({
      code: 'pki_crl_invalid',
      message: expect.stringContaining('does not speak of this certificate'),
    });
    const users = parseCrl(makeCrl(...point('onlyuser = TRUE')));
    expect(users.scope).toEqual({ urls: undefined, onlyContains: 'user-certificates' });
    verifyCrl(users, read(ca), read(leaf));
    expect(() => verifyCrl(users, read(ca), read(subCa))).toThrow(outside);
    const cas = parseCrl(makeCrl(...point('onlyCA = TRUE')));
    verifyCrl(cas, read(ca), read(subCa));
    expect(() => verifyCrl(cas, read(ca), read(leaf))).toThrow(outside);
    const here = parseCrl(makeCrl(...point(`fullname = URI:${url}`)));
    expect(here.scope).toEqual({ urls: [url], onlyContains: undefined });
    verifyCrl(here, read(ca), read(leaf));
    expect(() => verifyCrl(here, read(ca), read(subCa))).toThrow(outside);
    const elsewhere = parseCrl(makeCrl(...point('fullname = URI:http://crl.example/other.crl')));
    expect(() => verifyCrl(elsewhere, read(ca), read(leaf))).toThrow(outside);
  });

  test('of a part is refused where nobody says which certificate is in question', () => {
    const crl = parseCrl(makeCrl(...point('onlyuser = TRUE')));
    expect(() => verifyCrl(crl, read(ca))).toThrow(
      expect.objectContaining({ code: 'pki_crl_invalid', message: expect.stringContaining('a part') }),
    );
  });

  test.each<[string, [string[], string?], string]>([
    ['an indirect one', point('indirectCRL = TRUE'), 'indirect'],
    ['one of some reasons', point('onlysomereasons = keyCompromise'), 'some reasons'],
    ['one of attribute certificates', point('onlyAA = TRUE'), 'attribute'],
    ['one whose point has a relative name', point('relativename = name\n[name]\nCN = x'), 'without a full name'],
    ['a delta CRL', [['2.5.29.27 = critical,DER:020101']], 'delta'],
    ['a delta CRL that is not marked critical', [['2.5.29.27 = DER:020101']], 'delta'],
    ['one with a critical extension that nobody knows', [['1.2.3.4 = critical,DER:0500']], '1.2.3.4'],
  ])('is refused when it is %s', (_what, [extensions, sections], text) => {
    const der = makeCrl(extensions, sections);
    expect(() => parseCrl(der)).toThrow(
      expect.objectContaining({ code: 'pki_crl_unsupported', message: expect.stringContaining(text) }),
    );
  });
});

test('a CRL with any byte changed, or cut anywhere, is refused by a typed error', () => {
  const der = makeCrl(...point('onlyuser = TRUE'));
  const [issuer, certificate] = [read(ca), read(leaf)];
  const passed: number[] = [];
  for (let offset = 0; offset < der.length; offset++) {
    const changed = Uint8Array.from(der);
    changed[offset] = (changed[offset] ?? 0) ^ (1 << (offset % 8));
    for (const input of [changed, der.subarray(0, offset)]) {
      try {
        verifyCrl(parseCrl(input), issuer, certificate);
        passed.push(offset);
      } catch (error) {
        if (!isSigillumError(error, 'pki_crl_invalid', 'pki_crl_unsupported')) throw error;
      }
    }
  }
  expect(passed).toEqual([]);
});

/** Entries as they are read element by element: what the one pass over them must say too. */
function readByElements(entries: Uint8Array): readonly unknown[] {
  const said = new Map<string, unknown>();
  for (const entry of readDer(encodeSequence(entries)).children) {
    const fields = new DerFields(entry, 'revokedCertificate');
    const serial = Buffer.from(fields.take(tags.integer).content).toString('hex');
    const time = decodeTime(fields.take());
    const extensions = fields.takeIf(tags.sequence)?.children ?? [];
    fields.end();
    let reason: string | undefined;
    let given: (() => string | undefined) | undefined;
    let strange = false;
    const known = new Set<string>();
    for (const extension of extensions) {
      const parts = new DerFields(extension, 'Extension');
      const oid = decodeOid(parts.take(tags.oid));
      const isCritical = parts.takeIf(tags.boolean);
      const value = decodeOctetString(parts.take(tags.octetString));
      parts.end();
      if (known.has(oid)) throw new SigillumError('pki_crl_invalid', 'twice');
      known.add(oid);
      strange ||= isCritical !== undefined && decodeBoolean(isCritical);
      if (oid !== '2.5.29.21') continue;
      given = () => {
        const number = Number(decodeInteger(readDer(value)));
        return Object.entries(revocationReasons).find(([, one]) => one === number)?.[0];
      };
    }
    if (strange) throw new SigillumError('pki_crl_unsupported', 'critical');
    if (given !== undefined) reason = given();
    said.set(serial.length > 2 && serial.startsWith('00') ? serial.slice(2) : serial, { time, reason });
  }
  return [...said];
}

test('a list of any entries, whole or damaged, says what its elements say, or is refused with the same code', () => {
  let seed = 1;
  const draw = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => draw(256));
  const pick = <T>(...from: readonly [T, ...T[]]): T => from[draw(from.length)] ?? from[0];
  const drawTime = (): Uint8Array =>
    encodeTime(new Date(Date.UTC(pick(1951, 2000, 2024, 2049, 2060), draw(12), draw(33))));
  const drawExtension = (): Uint8Array =>
    pick(
      encodeSequence(encodeOid('2.5.29.21'), encodeOctetString(Uint8Array.of(10, 1, draw(12)))),
      encodeSequence(encodeOid('2.5.29.21'), encodeOctetString(Uint8Array.of(10, 1, draw(12)))),
      encodeSequence(encodeOid('2.5.29.24'), encodeOctetString(drawTime())),
      encodeSequence(encodeOid('2.5.29.29'), Uint8Array.of(1, 1, pick(0, 0xff)), encodeOctetString(bytes(3))),
    );
  const serials = [
    bytes(16),
    Uint8Array.of(0, 0x80),
    Uint8Array.of(0),
    Uint8Array.of(0x80),
    Uint8Array.of(0xff, 1),
    bytes(130),
  ];
  const drawEntry = (): Uint8Array => {
    const serial = draw(4) === 0 ? pick(serials[0] ?? bytes(1), ...serials.slice(1)) : bytes(1 + draw(20));
    const extensions = draw(2) === 0 ? [] : [encodeSequence(...Array.from({ length: 1 + draw(2) }, drawExtension))];
    return encodeSequence(encodeTlv(tags.integer, serial), drawTime(), ...extensions);
  };
  const algorithm = encodeSequence(encodeOid('1.2.840.10045.4.3.2'));
  const times = [encodeTime(new Date('2026-01-01T00:00:00Z')), encodeTime(new Date('2027-01-01T00:00:00Z'))];
  const wrap = (entries: Uint8Array): Uint8Array => {
    const tbs = encodeSequence(encodeInteger(1), algorithm, read(ca).subject.der, ...times, encodeSequence(entries));
    return encodeSequence(tbs, algorithm, encodeBitString(new Uint8Array(64)));
  };
  const sayOf = (what: () => unknown): unknown => {
    try {
      return what();
    } catch (error) {
      return isSigillumError(error, 'pki_crl_unsupported') ? error.code : isSigillumError(error) && 'pki_crl_invalid';
    }
  };
  const outcomes = { read: 0, pki_crl_unsupported: 0, pki_crl_invalid: 0 };
  for (let round = 0; round < 2500; round++) {
    const entries = Uint8Array.from(concatBytes(Array.from({ length: draw(4) }, drawEntry)));
    for (let flips = pick(0, 0, 1, 2); flips > 0 && entries.length > 0; flips--) {
      entries[draw(entries.length)] = pick(0, 0x80, 0x30, 0x17, 0x18, 0xff, draw(256));
    }
    const expected = sayOf(() => readByElements(entries));
    const said = sayOf(() => {
      const { revoked } = parseCrl(wrap(entries));
      const all = [...new Map(revoked)];
      expect(all.map(([serial]) => [serial, revoked.get(serial)])).toEqual(all);
      return all;
    });
    expect([Buffer.from(entries).toString('hex'), said]).toEqual([Buffer.from(entries).toString('hex'), expected]);
    outcomes[said === 'pki_crl_unsupported' || said === 'pki_crl_invalid' ? said : 'read']++;
  }
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(100);
});

test('one list is asked about many certificates', () => {
  const serials = ['00', '01', '80', 'ff', 'deadbeef', '01deadbeef', '02deadbeef', '00deadbeef'];
  const crl = parseCrl(makeCrl([]));
  for (const serial of serials) expect([serial, crl.revoked.has(serial)]).toEqual([serial, false]);
  const own = read(leaf).serialNumber;
  expect([crl.revoked.has(own), crl.revoked.has(own.toUpperCase()), crl.revoked.has(`00${own}`)]).toEqual([
    true,
    !/[a-f]/.test(own),
    false,
  ]);
});

test('a CRL takes time in proportion to what it revokes', () => {
  const make = (count: number): Uint8Array => {
    const entry = (index: number): Uint8Array =>
      encodeSequence(encodeInteger(0x40000000 + index), encodeTime(new Date('2026-01-01T00:00:00Z')));
    const algorithm = encodeSequence(encodeOid('1.2.840.10045.4.3.2'));
    const times = [encodeTime(new Date('2026-01-01T00:00:00Z')), encodeTime(new Date('2027-01-01T00:00:00Z'))];
    const entries = encodeSequence(concatBytes(Array.from({ length: count }, (_, index) => entry(index))));
    const tbs = encodeSequence(encodeInteger(1), algorithm, read(ca).subject.der, ...times, entries);
    return encodeSequence(tbs, algorithm, encodeBitString(new Uint8Array(64)));
  };
  // As many entries in all for both, enough that a clock that counts in hundredths of a second tells them apart.
  const measure = (input: Uint8Array, rounds: number): number => {
    const start = process.cpuUsage();
    for (let round = 0; round < rounds; round++) parseCrl(input);
    return process.cpuUsage(start).user;
  };
  const best = (input: Uint8Array, rounds: number): number =>
    Math.min(...Array.from({ length: 3 }, () => measure(input, rounds)));
  const [small, large] = [make(1000), make(32_000)];
  expect(parseCrl(large).revoked.size).toBe(32_000);
  measure(small, 32);
  // Quadratic would be 32 times as long for the same number of entries.
  expect(best(large, 2)).toBeLessThan(12 * Math.max(best(small, 64), 20_000));
});

describe('a file of issuers', () => {
  test('is one certificate, a certs-only CMS, or PEM', () => {
    const { certificateFile, certificate } = ca;
    const p7 = ['crl2pkcs7', '-nocrl', '-certfile', certificateFile, '-certfile', subCa.certificateFile];
    expect(parseCertificateFile(certificate)).toEqual([certificate]);
    expect(parseCertificateFile(pki.run([...p7, '-outform', 'DER']))).toHaveLength(2);
    expect(parseCertificateFile(pki.run(['x509', '-in', certificateFile]))).toEqual([certificate]);
  });

  test('is refused when it is something else', () => {
    for (const bytes of [new Uint8Array(0), Buffer.from('<html>'), ca.certificate.subarray(0, 100)]) {
      expect(() => parseCertificateFile(bytes)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^pki_(der|pem|certificate)_invalid$/) }),
      );
    }
    const data = pki.run(['cms', '-data_create', '-in', ca.certificateFile, '-outform', 'DER']);
    expect(() => parseCertificateFile(data)).toThrow(expect.objectContaining({ code: 'pki_certificate_invalid' }));
  });
});
