import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validateSignatures } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';
import { decodePem } from '@sigillum/pki';
import { DevelopmentHome, type JudgeName, type JudgeOptions, type Judgement, Judges, wordOf } from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { postSeal, type SealReply, sealOrThrow } from './integration/seal-client.ts';

type CorpusFile = {
  readonly file: string;
  readonly features: readonly string[];
  readonly pdfa: string | null;
  readonly signedBefore: boolean;
  /** `strict`, or why pyHanko can judge it only leniently, sealed or not. */
  readonly pyhankoReading: string;
};
/** A file that a package of Debian or npm ships. */
type CollectedFile = Pick<CorpusFile, 'file' | 'signedBefore'>;
type RefusedFile = { readonly file: string; readonly code: string };

/** One seal: a file of the corpus by a credential. */
type Case = { readonly name: string; readonly entry: CorpusFile; readonly credential: string };

const corpus = join(import.meta.dirname, 'corpus');
const index = JSON.parse(readFileSync(join(corpus, 'index.json'), 'utf8')) as {
  readonly files: readonly CorpusFile[];
  readonly refused: readonly RefusedFile[];
};
const collected = JSON.parse(readFileSync(join(corpus, 'collected/index.json'), 'utf8')) as {
  readonly files: readonly CollectedFile[];
};
const all: readonly CorpusFile[] = [
  ...index.files,
  ...collected.files.map((entry) => ({ ...entry, features: [], pdfa: null, pyhankoReading: 'strict' })),
];
const otherCredentials = ['p384', 'rsa-pss-3072', 'rsa-2048'] as const;

/** One file of each is sealed by the other credentials too: what a seal meets differs by these. */
const varieties = [
  'xref-classic',
  'xref-stream',
  'hybrid',
  'linearized',
  'updated-several-times',
  'form-filled-field',
  'attachments',
  'tagged',
  'pdfa-2b',
  '300-pages',
  'certified-p2',
  'dss',
] as const;

/**
 * Files in which DSS finds a difference between a revision and itself: when it draws an annotation without an appearance,
 * it adds one to its copy in memory, and then misses it in the other. It says the same of pyHanko's seals in these files,
 * and nothing any more when the annotation gets an appearance.
 */
const seenTwiceByDss: readonly string[] = [
  'files/fpdf2/annotations-and-attachment.pdf',
  'files/openpdf/certified-p2.pdf',
  'files/openpdf/form-classic.pdf',
  'files/openpdf/layers-object-streams.pdf',
  'files/openpdf/signed.pdf',
  'files/pdfkit/links-outline-note.pdf',
];
const visualDifference = 'BBB_FC_IVDBSFR';

/**
 * Files whose metadata are no well-formed XML. pyHanko reads them anew with each update, and says that ours, which leaves
 * them alone, is suspicious.
 */
const unreadableMetadata: readonly string[] = ['files/ghostscript/text-2.0.pdf'];

const cases: readonly Case[] = [
  ...all.map((entry) => ({ name: `${entry.file} p256`, entry, credential: 'p256' })),
  ...chooseVarieties().flatMap((entry) =>
    otherCredentials.map((credential) => ({ name: `${entry.file} ${credential}`, entry, credential })),
  ),
];
const signedBefore = all.filter((entry) => entry.signedBefore);

const judges = Judges.open();
const missing = judges.missing.map(({ judge, missing: why }) => `${judge} (${why})`).join(', ');
const withAll = missing === '' || process.env['CI'] === 'true' ? describe : describe.skip;
const folder = mkdtempSync(join(tmpdir(), 'sigillum-corpus-'));

afterAll(async () => {
  await judges.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A file for each variety, none twice. */
function chooseVarieties(): readonly CorpusFile[] {
  const chosen: CorpusFile[] = [];
  for (const variety of varieties) {
    const found = index.files.find(
      (entry) => entry.features.includes(variety) && !chosen.includes(entry) && !seenTwiceByDss.includes(entry.file),
    );
    if (!found) throw new Error(`the corpus has no other file with ${variety}`);
    chosen.push(found);
  }
  return chosen;
}

function read({ file }: { readonly file: string }): Uint8Array {
  return readFileSync(join(corpus, file));
}

function savedPath(name: string): string {
  return join(folder, `${name.replaceAll(/[/ ]/g, '_')}.pdf`);
}

/** Runs `work` on each item, four at a time: as many callers as the service takes from one key without waiting. */
async function forEachOfFour<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

function listObjections({ opinions }: Judgement): readonly string[] {
  return opinions
    .filter(({ word }) => word !== 'accept' && word !== 'abstain')
    .map(({ judge, word, reasons }) => `${judge}: ${word} ${reasons.join('; ')}`);
}

/** What judges say of each signature by its field, but what another signature may change: how much is covered. */
function listWords({ opinions }: Judgement, judge: JudgeName): ReadonlyMap<string, unknown> {
  const facts = opinions.find((opinion) => opinion.judge === judge)?.signatures ?? [];
  return new Map(
    facts.map(({ field = '', level, indication, subIndication, strict, timestamps }) => [
      field,
      { level, indication, subIndication, strict, timestamps: timestamps?.map((one) => one.indication) },
    ]),
  );
}

test('every judge is on this machine, or is named among the skipped ones', () => {
  if (missing !== '') console.log(`Skipped: ${missing}`);
  expect(process.env['CI'] === 'true' ? missing : '').toBe('');
});

withAll(`the corpus, sealed${missing === '' ? '' : ` (skipped without ${missing})`}`, () => {
  let home: DevelopmentHome;
  const judged = new Map<string, Judgement>();
  const failures = new Map<string, string>();
  const refusals = new Map<string, SealReply>();
  /** By file: their verdicts before our seal and after it. */
  const before = new Map<string, Judgement>();
  const after = new Map<string, Judgement>();

  const getJudgement = (name: string, of = judged): Judgement => {
    const judgement = of.get(name);
    if (!judgement) throw new Error(failures.get(name) ?? `${name} was not judged`);
    return judgement;
  };

  /** Judges each by its own options; files with the same ones go together. */
  async function judgeEach<Item>(
    items: readonly Item[],
    toCase: (item: Item) => { readonly name: string; readonly path: string; readonly options: JudgeOptions },
    into: Map<string, Judgement>,
  ): Promise<void> {
    const groups = Map.groupBy(items.map(toCase), ({ options }) => JSON.stringify(options));
    for (const group of groups.values()) {
      const [first] = group;
      if (!first) continue;
      const judgements = await judges.judge(
        group.map(({ path }) => path),
        first.options,
      );
      for (const [position, { name }] of group.entries()) {
        const judgement = judgements[position];
        if (judgement) into.set(name, judgement);
      }
    }
  }

  beforeAll(async () => {
    home = await DevelopmentHome.start();
    await forEachOfFour(cases, async ({ name, entry, credential }) => {
      try {
        const input = read(entry);
        const sealed = await sealOrThrow(home, input, { query: { credential, level: 'b-lt' } });
        if (!Buffer.from(input).equals(sealed.subarray(0, input.length))) throw new Error('the input was changed');
        writeFileSync(savedPath(name), sealed);
      } catch (error) {
        failures.set(name, String(error));
      }
    });
    await forEachOfFour([...index.refused], async (entry) => {
      refusals.set(entry.file, await postSeal(home, read(entry)));
    });
    const { root_certificate: root, crls } = home.ready;
    const leniency = (entry: CorpusFile) => (entry.pyhankoReading === 'strict' ? {} : { lenient: true });
    await judgeEach(
      cases.filter(({ name }) => !failures.has(name)),
      ({ name, entry }) => ({
        name,
        path: savedPath(name),
        options: {
          // what proves that nothing was revoked is in the file
          roots: [root],
          crls: [],
          level: 'PAdES-BASELINE-LT',
          ...(entry.signedBefore ? { only: 'last' as const } : {}),
          ...(entry.pdfa === null ? {} : { flavour: entry.pdfa }),
          ...leniency(entry),
        },
      }),
      judged,
    );
    const anchors = {
      roots: [join(corpus, 'pki/root.pem'), root],
      crls: [join(corpus, 'pki/root.crl'), join(corpus, 'pki/ca.crl'), ...crls],
    };
    await judgeEach(
      signedBefore,
      (entry) => ({ name: entry.file, path: join(corpus, entry.file), options: { ...anchors, ...leniency(entry) } }),
      before,
    );
    await judgeEach(
      signedBefore.filter(({ file }) => !failures.has(`${file} p256`)),
      (entry) => ({
        name: entry.file,
        path: savedPath(`${entry.file} p256`),
        options: { ...anchors, ...leniency(entry) },
      }),
      after,
    );
  }, 900_000);

  afterAll(async () => {
    await home?.remove();
  }, 60_000);

  test('are at least 300 files, and twelve by each other credential', () => {
    expect(cases.filter(({ credential }) => credential === 'p256').length).toBeGreaterThanOrEqual(300);
    for (const credential of otherCredentials) {
      expect(cases.filter((one) => one.credential === credential)).toHaveLength(12);
    }
  });

  test.each(cases.map((one) => [one.name, one] as const))('all judges accept %s', (name, { entry }) => {
    const judgement = getJudgement(name);
    const twice = seenTwiceByDss.includes(entry.file);
    const objection = `strict policy: TOTAL_FAILED/FORMAT_FAILURE; ${visualDifference}; form filled after signing`;
    const unread = unreadableMetadata.includes(entry.file);
    expect(listObjections(judgement)).toEqual([
      ...(twice ? [`dss: refuse ${objection}`] : []),
      ...(unread ? [expect.stringMatching(/^pyhanko: refuse .*Metadata XML syntax could not be validated/)] : []),
    ]);
    expect(judgement.verdict).toBe(twice || unread ? 'split' : 'accept');
    for (const judge of ['openssl-cms', 'openssl-ts', 'pdfsig'] as const) {
      expect([judge, wordOf(judgement, judge)]).toEqual([judge, 'accept']);
    }
    expect(wordOf(judgement, 'pyhanko')).toBe(unread ? 'refuse' : 'accept');
    const dss = judgement.opinions.find((opinion) => opinion.judge === 'dss');
    expect(dss?.signatures).toHaveLength(1);
    expect(dss?.signatures?.[0]).toMatchObject({
      level: 'PAdES-BASELINE-LT',
      indication: 'TOTAL_PASSED',
      strict: twice ? 'TOTAL_FAILED/FORMAT_FAILURE' : 'TOTAL_PASSED',
      constraints: twice ? [visualDifference] : [],
      timestamps: [{ indication: 'PASSED' }],
    });
    expect(wordOf(judgement, 'verapdf')).toBe(entry.pdfa === null ? 'abstain' : 'accept');
  });

  test('our own verifier accepts each of them, and none with a bit changed', () => {
    const roots = decodePem(readFileSync(home.ready.root_certificate, 'utf8'));
    const validate = (bytes: Uint8Array, { signedBefore: only }: CorpusFile) =>
      validateSignatures(createArraySource(bytes), {
        roots,
        now: new Date(),
        requiresRevocation: true,
        ...(only ? { only: 'last' } : {}),
      });
    const wrong: unknown[] = [];
    for (const { name, entry } of cases) {
      if (failures.has(name)) continue;
      const sealed = readFileSync(savedPath(name));
      const report = validate(sealed, entry);
      if (!report.accepted) wrong.push({ name, report: report.summary, findings: report.findings });
      // in the input, in the update, and in the CMS
      const contents = sealed.lastIndexOf('/Contents <3082');
      for (const place of [Math.floor(read(entry).length / 2), contents - 30, contents + 400]) {
        sealed[place] = (sealed[place] ?? 0) ^ 1;
        if (validate(sealed, entry).accepted) wrong.push({ name, changed: place });
        sealed[place] = (sealed[place] ?? 0) ^ 1;
      }
    }
    expect(wrong).toEqual([]);
  });

  test('qpdf is no unhappier than with the input', () => {
    const worse = cases.flatMap(({ name, entry }) => {
      const was = spawnSync('qpdf', ['--check', join(corpus, entry.file)]).status;
      const is = getJudgement(name).opinions.find(({ judge }) => judge === 'qpdf')?.exitCode;
      // 0 without complaints, 3 with warnings
      return is === 0 || is === was ? [] : [{ name, was, is }];
    });
    expect(worse).toEqual([]);
  });

  test.each(signedBefore.map(({ file }) => [file]))('the earlier signatures of %s are what they were', (file) => {
    for (const judge of ['dss', 'pyhanko', 'pdfsig'] as const) {
      const [was, is] = [listWords(getJudgement(file, before), judge), listWords(getJudgement(file, after), judge)];
      expect([judge, Object.fromEntries([...is].filter(([field]) => was.has(field)))]).toEqual([
        judge,
        Object.fromEntries(was),
      ]);
      // and ours
      expect([judge, is.size]).toEqual([judge, was.size + 1]);
    }
  });

  test.each(index.refused.map(({ file, code }) => [file, code]))('%s is refused with %s', (file, code) => {
    expect(refusals.get(file)).toMatchObject({ kind: 'problem', status: 422, code });
  });
});
