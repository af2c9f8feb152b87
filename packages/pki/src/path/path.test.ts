import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildPath, type Certificate, KnownCertificates, parseCertificate } from '@sigillum/pki';
import { type OpensslCertificate, OpensslPki, opensslExtensions } from '@sigillum/testing';

const pki = new OpensslPki();
const made = new Map<string, OpensslCertificate>();
const get = (name: string): Certificate => {
  const found = made.get(name);
  if (!found) throw new Error(name);
  return parseCertificate(found.certificate);
};
const issue = (
  name: string,
  extensions: readonly string[],
  issuer?: string,
  options: { subject?: string; days?: number } = {},
): void => {
  const from = issuer === undefined ? undefined : made.get(issuer);
  made.set(name, pki.issue(name, { extensions, ...options, ...(from ? { issuer: from } : {}) }));
};

beforeAll(() => {
  const { root, ca, seal } = opensslExtensions;
  issue('root', root);
  issue('ca', ca, 'root');
  issue('leaf', seal, 'ca');
  issue('short-ca', ca, 'root', { days: 1 });
  issue('leaf-of-short-ca', seal, 'short-ca');
  issue('sub-ca', ca, 'ca'); // below pathlen:0
  issue('leaf-too-deep', seal, 'sub-ca');
  issue('leaf-of-leaf', seal, 'leaf');
  issue(
    'no-sign-ca',
    ['basicConstraints=critical,CA:true', 'keyUsage=critical,cRLSign', 'subjectKeyIdentifier=hash'],
    'root',
  );
  issue('leaf-of-no-sign-ca', seal, 'no-sign-ca');
  issue('strange-ca', [...ca, '1.2.3.4=critical,DER:0500'], 'root');
  issue('leaf-of-strange-ca', seal, 'strange-ca');
  issue('constrained-ca', [...ca, 'nameConstraints=critical,permitted;DNS:example.com'], 'root');
  issue('leaf-of-constrained-ca', seal, 'constrained-ca');
  issue('loosely-constrained-ca', [...ca, 'nameConstraints=permitted;DNS:example.com'], 'root');
  issue('leaf-of-loosely-constrained-ca', seal, 'loosely-constrained-ca');
  // The same name as the root, another key.
  issue('impostor', root, undefined, { subject: '/O=Sigillum Development (no legal value)/CN=root' });
  issue('leaf-of-impostor', seal, 'impostor');
});
afterAll(() => pki.remove());

/** After every certificate of this file has begun, however slowly they are made. */
const now = new Date(Date.now() + 600_000);
const build = (leaf: string, candidates: readonly string[], at: Date = now): readonly Certificate[] =>
  buildPath({ leaf: get(leaf), candidates: candidates.map(get), roots: [get('root')], at });
const names = (path: readonly Certificate[]): string[] =>
  path.map(({ subject }) => subject.text.replace(/^.*CN=/, '').replace(/,.*$/, ''));

describe('buildPath', () => {
  test('finds the way through candidates in any order, leaf first and root last', () => {
    expect(names(build('leaf', ['short-ca', 'impostor', 'ca', 'leaf']))).toEqual(['leaf', 'ca', 'root']);
  });

  test('takes a root itself, and a leaf directly below it', () => {
    expect(build('root', [])).toHaveLength(1);
    expect(build('ca', [])).toHaveLength(2);
  });

  const later = new Date(now.getTime() + 2 * 86_400_000);
  test.each([
    ['the issuing CA is missing', 'leaf', [], now, 'No path'],
    ['the leaf is not valid yet', 'leaf', ['ca'], new Date(now.getTime() - 86_400_000), 'not valid yet'],
    ['the leaf has expired', 'leaf', ['ca'], new Date(now.getTime() + 40 * 86_400_000), 'expired'],
    ['a CA has expired', 'leaf-of-short-ca', ['short-ca'], later, 'expired'],
    ['a CA stands below one that allows none', 'leaf-too-deep', ['sub-ca', 'ca'], now, 'CAs below it'],
    ['a leaf has signed a certificate', 'leaf-of-leaf', ['leaf', 'ca'], now, 'not a CA'],
    ['a CA may not sign certificates', 'leaf-of-no-sign-ca', ['no-sign-ca'], now, 'may not sign'],
    ['a CA has a critical extension that nobody knows', 'leaf-of-strange-ca', ['strange-ca'], now, 'not understood'],
    [
      'a CA has name constraints, which are not checked here',
      'leaf-of-constrained-ca',
      ['constrained-ca'],
      now,
      'not understood',
    ],
    [
      'a CA has name constraints and does not say that they are critical',
      'leaf-of-loosely-constrained-ca',
      ['loosely-constrained-ca'],
      now,
      'limits the names',
    ],
    ['a root of the same name has another key', 'leaf-of-impostor', ['impostor'], now, ''],
  ])('refuses when %s', (_why, leaf, candidates, at, message) => {
    const attempt = (): unknown => build(leaf, candidates, at);
    expect(attempt).toThrow(expect.objectContaining({ code: 'pki_path_invalid' }));
    expect(attempt).toThrow(message);
  });

  test('accepts the short-lived CA while it lives', () => {
    expect(build('leaf-of-short-ca', ['short-ca'])).toHaveLength(3);
  });

  test('ends in a crowd of look-alikes', () => {
    // Candidates of one name that all seem to have issued each other: only the bound on steps ends the search.
    const crowd = Array.from({ length: 200 }, (_, index) => ({
      ...get('impostor'),
      skid: undefined,
      akid: undefined,
      der: Uint8Array.of(index, index),
    }));
    expect(() =>
      buildPath({
        leaf: { ...get('leaf-of-impostor'), akid: undefined },
        candidates: crowd,
        roots: [get('root')],
        at: now,
      }),
    ).toThrow('too many directions');
  });

  test('takes what all searches of a file may cost together', () => {
    const search = (budget: { steps: number }) =>
      buildPath({
        leaf: get('leaf-of-short-ca'),
        candidates: [get('short-ca')],
        roots: [get('root')],
        at: now,
        budget,
      });
    const budget = { steps: 5 };
    expect(search(budget)).toHaveLength(3);
    expect(search(budget)).toHaveLength(3);
    expect(budget.steps).toBe(1);
    expect(() => search(budget)).toThrow('too many directions');
  });
});

describe('known certificates', () => {
  const known = new KnownCertificates();
  const parse = (name: string): Certificate => known.parse(get(name).der);
  const buildKnown = (leaf: string, candidates: readonly string[], at: Date = now): readonly Certificate[] =>
    buildPath({ leaf: parse(leaf), candidates: candidates.map(parse), roots: [parse('root')], at, known });

  test('are read once, and are a copy of the bytes that came', () => {
    const bytes = Uint8Array.from(get('leaf').der);
    const certificate = known.parse(bytes);
    expect(known.parse(get('leaf').der)).toBe(certificate);
    bytes.fill(0);
    expect(certificate.der).toEqual(Uint8Array.from(get('leaf').der));
    expect(() => known.parse(bytes)).toThrow(expect.objectContaining({ code: 'pki_certificate_invalid' }));
  });

  test('remember neither time nor trust, and no signature of another issuer', () => {
    for (const _time of ['first', 'again']) {
      expect(buildKnown('leaf', ['ca'])).toHaveLength(3);
      expect(() => buildKnown('leaf', ['ca'], new Date(now.getTime() + 40 * 86_400_000))).toThrow('expired');
      expect(() => buildPath({ leaf: parse('leaf'), candidates: [parse('ca')], roots: [], at: now, known })).toThrow();
      expect(() => buildKnown('leaf-of-impostor', ['impostor'])).toThrow();
      expect(() => known.assertIssuedBy(parse('leaf'), parse('impostor'))).toThrow();
    }
  });

  test('with one bit of the signature changed are others, however often they come', () => {
    buildKnown('leaf', ['ca']);
    const forged = Uint8Array.from(get('leaf').der);
    const last = forged.length - 1;
    forged[last] = (forged[last] ?? 0) ^ 1;
    for (const _time of ['first', 'again']) {
      expect(() => known.assertIssuedBy(known.parse(forged), parse('ca'))).toThrow('did not make');
    }
  });

  test('push out the oldest when there are too many', () => {
    const few = new KnownCertificates();
    const first = few.parse(get('leaf').der);
    const other = Uint8Array.from(get('ca').der);
    for (let count = 0; count < 64; count += 1) {
      other[other.length - 1] = count;
      few.parse(other);
    }
    expect(few.parse(get('leaf').der)).not.toBe(first);
  });
});
