import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSigillumError } from '@sigillum/errors';
import { validateSignatures } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';
import {
  type EngineName,
  engineNames,
  expectedRefusals,
  type InputAttack,
  knownDisagreements,
  listMissingEngines,
  looksAlike,
  makeForgeries,
  makeInputAttacks,
  makeSamplePdf,
  makeTargets,
  sealBySoftware,
  show,
  type Shown,
  SoftwarePki,
  sealAtLevel,
  twoStageAttacks,
} from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/** What came of one hostile input. */
type Outcome = {
  readonly attack: InputAttack;
  /** A code, or `sealed`. */
  readonly result: string;
  readonly sealed: Uint8Array | undefined;
};

const missing = listMissingEngines().join(', ');
const withEngines = missing === '' || process.env['CI'] === 'true' ? describe : describe.skip;
const folder = mkdtempSync(join(tmpdir(), 'sigillum-input-attacks-'));
/** Programs at a time: as many as a small machine has processors. */
const atATime = 2;
const outcomes = new Map<string, Outcome>();
let pki: SoftwarePki;

beforeAll(async () => {
  const strangers = await SoftwarePki.make('Strangers');
  pki = await SoftwarePki.make();
  const sample = await sealBySoftware(makeSamplePdf('classic', { pages: 2 }), pki);
  const targets = makeTargets(sample, { pki, strangers });
  for (const attack of makeInputAttacks(makeForgeries(sample, { pki, strangers }, targets), targets)) {
    outcomes.set(attack.name, await sealOne(attack));
  }
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function sealOne(attack: InputAttack): Promise<Outcome> {
  try {
    const { bytes } = await sealBySoftware(attack.bytes, pki);
    return { attack, result: 'sealed', sealed: bytes };
  } catch (error) {
    if (isSigillumError(error)) return { attack, result: error.code, sealed: undefined };
    throw error;
  }
}

const listSealed = () => [...outcomes.values()].flatMap((one) => (one.sealed ? [{ ...one, sealed: one.sealed }] : []));

test('all readers are on this machine, or those missing are named', () => {
  if (missing !== '') console.log(`Skipped: ${missing}`);
  expect(process.env['CI'] === 'true' ? missing : '').toBe('');
});

describe('a hostile document', () => {
  test('is one of at least 230, each with a name of its own', () => {
    expect(outcomes.size).toBeGreaterThanOrEqual(230);
    const known = [...Object.keys(expectedRefusals), ...knownDisagreements.keys()];
    expect(known.filter((name) => !outcomes.has(name))).toEqual([]);
  });

  test('is refused with the code of the table, or sealed', () => {
    const found = [...outcomes.values()].map(({ attack, result }) => [attack.name, result]);
    expect(found).toEqual(found.map(([name = '']) => [name, expectedRefusals[name] ?? 'sealed']));
  });

  test('that is sealed stays what it was, byte for byte', () => {
    const changed = listSealed().filter(({ attack, sealed }) => {
      return !Buffer.from(attack.bytes).equals(sealed.subarray(0, attack.bytes.length));
    });
    expect(changed.map(({ attack }) => attack.name)).toEqual([]);
  });

  test('that is sealed has a signature that covers all of it and is intact', () => {
    const options = { roots: [pki.root.certificate], now: new Date(), only: 'last' as const };
    const broken = listSealed().filter(({ sealed }) => {
      const last = validateSignatures(createArraySource(sealed), options).signatures.at(-1);
      return last?.intact !== true || !last.coversWholeFile;
    });
    expect(broken.map(({ attack }) => attack.name)).toEqual([]);
  });
});

describe('a document made to be changed after it was sealed', () => {
  const options = () => ({ roots: [pki.root.certificate], now: new Date() });

  test.each(twoStageAttacks().map((one) => [one.name, one] as const))(
    '%s: its change is seen',
    async (name, attack) => {
      const seal = sealAtLevel(attack.input, pki, { level: 'b-lt', now: new Date(), options: attack.options ?? {} });
      if (name === 'store-is-resources') {
        await expect(seal).rejects.toMatchObject({ code: 'pdf_type_wrong' });
        return;
      }
      const { bytes } = await seal;
      expect(validateSignatures(createArraySource(bytes), options())).toMatchObject({ accepted: true });
      const report = validateSignatures(createArraySource(attack.change(bytes)), options());
      expect(report.accepted).toBe(false);
      const [first] = report.signatures;
      expect(first?.findings.map(({ code }) => code)).toContain('changed_after_signing');
    },
  );
});

withEngines(`three readers${missing === '' ? '' : ` (skipped without ${missing})`}`, () => {
  const before = new Map<string, Partial<Record<EngineName, Shown>>>();
  const after = new Map<string, Partial<Record<EngineName, Shown>>>();

  beforeAll(async () => {
    const jobs = [...outcomes.values()].flatMap(({ attack: { name, bytes }, sealed }) => [
      { name, bytes, into: before, engines: engineNames },
      ...(sealed ? [{ name, bytes: sealed, into: after, engines: ['poppler', 'mupdf'] as const }] : []),
    ]);
    let next = 0;
    const work = async () => {
      for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
        const path = join(folder, `${next}.pdf`);
        writeFileSync(path, job.bytes);
        const shown: Partial<Record<EngineName, Shown>> = {};
        for (const engine of job.engines) shown[engine] = await show(engine, path);
        job.into.set(job.name, shown);
        rmSync(path);
      }
    };
    await Promise.all(Array.from({ length: atATime }, work));
  }, 240_000);

  test.each(['poppler', 'mupdf'] as const)('%s shows after the seal what it showed before', (engine) => {
    const names = listSealed().map(({ attack }) => attack.name);
    const changed = names.filter((name) => {
      const [was, is] = [before.get(name)?.[engine], after.get(name)?.[engine]];
      return was?.picture !== is?.picture || was?.words.join(' ') !== is?.words.join(' ');
    });
    // where it showed nothing before there was nothing to change
    expect(changed.filter((name) => before.get(name)?.[engine]?.picture !== undefined)).toEqual([]);
    expect(changed.filter((name) => !knownDisagreements.has(name))).toEqual([]);
  });

  test('that do not agree on a document never see it sealed, but for what is known', () => {
    const differing = [...before].filter(([, { poppler, mupdf, ghostscript }]) => {
      const [left, right] = [poppler, mupdf].map((shown) => shown?.words.toSorted().join(' '));
      return left !== right || !looksAlike(poppler, mupdf) || !looksAlike(poppler, ghostscript);
    });
    const sealed = differing.map(([name]) => name).filter((name) => outcomes.get(name)?.result === 'sealed');
    expect(sealed.toSorted()).toEqual([...knownDisagreements.keys()].toSorted());
    // and the comparison can fail: these readers do differ
    expect(differing.length - sealed.length).toBeGreaterThanOrEqual(10);
  });
});
