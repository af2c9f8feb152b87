import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validateSignatures, type ValidationReport } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';
import {
  type Forgery,
  Judges,
  type Judgement,
  makeForgeries,
  makeSamplePdf,
  makeTargets,
  type PreparedTargets,
  type SampleKind,
  sealBySoftware,
  type SealedSample,
  SoftwarePki,
  wordOf,
} from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/**
 * What no outside judge refuses, each with the reason why it is a forgery nevertheless.
 */
const refusedByNobody = new Map([
  ['junk-after-der', '/Contents is padded with zeros and nothing else (EN 319 142-1 §6.3)'],
  ['token-of-tomorrow', 'a time-stamp proves existence before its time, and that has not come'],
]);

/** Here the signature vanishes: the judges that read the form find none, pdfsig and openssl go on calling it valid. */
const vanished = ['dropped-form', 'dropped-field', 'dropped-value'];

const judges = Judges.open();
const missing = judges.missing.map(({ judge, missing: why }) => `${judge} (${why})`).join(', ');
const withAll = missing === '' || process.env['CI'] === 'true' ? describe : describe.skip;
const folder = mkdtempSync(join(tmpdir(), 'sigillum-forgeries-'));
const judged = new Map<string, Judgement>();
const kinds: readonly SampleKind[] = ['classic', 'xref-stream', 'object-streams', 'linearized', 'hybrid'];

/** Everything made of one kind of file. */
type Bench = {
  readonly originals: ReadonlyMap<string, Uint8Array>;
  readonly forgeries: readonly Forgery[];
};
const benches = new Map<SampleKind, Bench>();
let pki: SoftwarePki;

beforeAll(async () => {
  const strangers = await SoftwarePki.make('Strangers');
  pki = await SoftwarePki.make();
  for (const kind of kinds) {
    const sealed = await sealBySoftware(makeSamplePdf(kind, { pages: 2 }), pki);
    const targets = makeTargets(sealed, { pki, strangers });
    benches.set(kind, {
      originals: listOriginals(sealed, targets),
      forgeries: makeForgeries(sealed, { pki, strangers }, targets),
    });
  }
});

afterAll(async () => {
  await judges.close();
  rmSync(folder, { recursive: true, force: true });
});

function listOriginals({ bytes }: SealedSample, targets: PreparedTargets): ReadonlyMap<string, Uint8Array> {
  const { certified, closed, covered, twin } = targets;
  return new Map(Object.entries({ sealed: bytes, certified, closed, covered, twin }));
}

function getBench(kind: SampleKind): Bench {
  const bench = benches.get(kind);
  if (!bench) throw new Error(kind);
  return bench;
}

function validate(bytes: Uint8Array): ValidationReport {
  return validateSignatures(createArraySource(bytes), { roots: [pki.root.certificate], now: new Date() });
}

function getJudgement(name: string): Judgement {
  const judgement = judged.get(name);
  if (!judgement) throw new Error(`${name} was not judged`);
  return judgement;
}

function listRefusers({ opinions }: Judgement): string[] {
  return opinions.filter(({ word }) => word === 'refuse').map(({ judge }) => judge);
}

test('every judge is on this machine, or is named among the skipped ones', () => {
  if (missing !== '') console.log(`Skipped: ${missing}`);
  expect(process.env['CI'] === 'true' ? missing : '').toBe('');
});

withAll(`a seal and what forgers make of it${missing === '' ? '' : ` (skipped without ${missing})`}`, () => {
  const originals = ['sealed', 'certified', 'closed', 'covered', 'twin'];
  let forgeries: readonly Forgery[] = [];

  beforeAll(async () => {
    const bench = getBench('classic');
    forgeries = bench.forgeries;
    const files = new Map(bench.originals);
    for (const { name, bytes } of forgeries) files.set(name, bytes);
    const paths = [...files].map(([name, bytes]) => {
      const path = join(folder, `${name}.pdf`);
      writeFileSync(path, bytes);
      return path;
    });
    const [root, crls] = [join(folder, 'root.pem'), join(folder, 'crls.pem')];
    writeFileSync(root, pki.rootPem);
    writeFileSync(crls, pki.crlsPem);
    const options = { roots: [root], crls: [crls], level: 'PAdES-BASELINE-T' };
    const judgements = await judges.judge(paths, options);
    for (const [index, name] of [...files.keys()].entries()) {
      const judgement = judgements[index];
      if (judgement) judged.set(name, judgement);
    }
  }, 120_000);

  test.each(originals)('all accept the file %s before it is forged', (name) => {
    const judgement = getJudgement(name);
    expect([listRefusers(judgement), judgement.verdict]).toEqual([[], 'accept']);
    for (const judge of ['dss', 'pyhanko', 'openssl-cms', 'openssl-ts', 'pdfsig', 'qpdf'] as const) {
      expect([judge, wordOf(judgement, judge)]).toEqual([judge, 'accept']);
    }
  });

  test('there are at least 90 forgeries, each with a name of its own', () => {
    expect(forgeries.length).toBeGreaterThanOrEqual(90);
    expect(new Set(forgeries.map(({ name }) => name)).size).toBe(forgeries.length);
  });

  // A judge that begins to accept a forgery is noticed here, and so is one that begins to refuse it.
  test('each forgery is refused by exactly the judges that are known to refuse it', () => {
    const found = forgeries.map(({ name }) => [name, listRefusers(getJudgement(name))]);
    expect(found).toEqual(forgeries.map(({ name, refusedBy }) => [name, [...refusedBy]]));
  });

  test('no forgery is accepted by all, but those that no outside judge can tell', () => {
    const accepted = forgeries.filter(({ name }) => getJudgement(name).verdict === 'accept');
    expect(accepted.map(({ name }) => name)).toEqual([...refusedByNobody.keys()]);
  });

  test('a forgery that nobody refuses is one whose signature the strong judges no longer find', () => {
    const unrefused = forgeries.filter(({ refusedBy, name }) => refusedBy.length === 0 && !refusedByNobody.has(name));
    expect(unrefused.map(({ name }) => name)).toEqual(vanished);
    for (const { name } of unrefused) {
      const judgement = getJudgement(name);
      expect([name, wordOf(judgement, 'dss'), wordOf(judgement, 'pyhanko')]).toEqual([name, 'unsigned', 'unsigned']);
    }
  });

  test('no judge alone refuses all of them', () => {
    for (const judge of ['dss', 'pyhanko', 'openssl-cms', 'openssl-ts', 'pdfsig', 'qpdf'] as const) {
      expect(forgeries.some(({ name }) => wordOf(getJudgement(name), judge) === 'accept')).toBe(true);
      expect(forgeries.some(({ refusedBy }) => refusedBy.includes(judge))).toBe(true);
    }
  });
});

describe.each(kinds)('our own verifier, asked about a file of the kind %s', (kind) => {
  test('accepts what is not forged', () => {
    const { originals } = getBench(kind);
    const refused = [...originals].filter(([, bytes]) => !validate(bytes).accepted);
    expect(refused.map(([name]) => name)).toEqual([]);
  });

  test('refuses every forgery, also those that no outside judge refuses', () => {
    const { forgeries } = getBench(kind);
    const accepted = forgeries.filter(({ bytes }) => validate(bytes).accepted);
    expect(accepted.map(({ name }) => name)).toEqual([]);
    expect(forgeries.map(({ name }) => name)).toEqual(expect.arrayContaining([...refusedByNobody.keys(), ...vanished]));
  });
});
