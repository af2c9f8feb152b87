import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findJudges, judgesDirectory } from './find-judges.ts';
import type { JudgeName, Judgement, JudgeOptions, Verdict } from './judgement.ts';
import { Judges, wordOf } from './judges.ts';
import { makeJudgeSamples } from './make-judge-samples.ts';

const inCi = process.env['CI'] === 'true';
const missing = findJudges('/usr/local/bin:/usr/bin:/bin').flatMap((one) => ('missing' in one ? [one] : []));

test('every judge is on this machine, or is named among the skipped ones', () => {
  if (missing.length > 0)
    console.log(`Skipped: ${missing.map(({ judge, missing: why }) => `${judge} (${why})`).join(', ')}`);
  expect(inCi ? missing : []).toEqual([]);
});

const withAll = missing.length === 0 || inCi ? describe : describe.skip;
const names = missing.map(({ judge }) => judge).join(', ');

withAll(`the outside judges${names === '' ? '' : ` (skipped without ${names})`}`, () => {
  let samples: Awaited<ReturnType<typeof makeJudgeSamples>>;
  let judges: Judges;

  const options = (): JudgeOptions => ({ roots: [samples.path('root.pem')], crls: [samples.path('crls.pem')] });
  const judge = async (name: string, changes: Partial<JudgeOptions> = {}): Promise<Judgement> => {
    const [judgement] = await judges.judge([samples.path(`${name}.pdf`)], { ...options(), ...changes });
    if (judgement === undefined) throw new Error('no judgement');
    return judgement;
  };
  const refusers = (judgement: Judgement) =>
    judgement.opinions.filter(({ word }) => word === 'refuse').map((opinion) => opinion.judge);

  beforeAll(async () => {
    samples = await makeJudgeSamples();
    judges = Judges.open();
  });
  afterAll(async () => {
    await judges?.close();
    samples?.remove();
  });

  const good: [name: string, level: string][] = [
    ['good-p256', 'PAdES-BASELINE-T'],
    ['good-p384', 'PAdES-BASELINE-T'],
    ['good-rsa-2048', 'PAdES-BASELINE-T'],
    ['good-rsa-pss-3072', 'PAdES-BASELINE-T'],
    ['good-certified', 'PAdES-BASELINE-T'],
    ['good-twice', 'PAdES-BASELINE-T'],
    ['good-b', 'PAdES-BASELINE-B'],
    ['good-lt', 'PAdES-BASELINE-LT'],
    ['good-lta', 'PAdES-BASELINE-LTA'],
  ];
  test.each(good)('all accept %s as %s', async (name, level) => {
    const judgement = await judge(name, { level });
    expect(
      judgement.opinions.flatMap(({ judge: who, word, reasons }) => (word === 'refuse' ? [who, reasons] : [])),
    ).toEqual([]);
    expect(judgement.verdict).toBe('accept');
    for (const who of ['dss', 'pyhanko', 'openssl-cms', 'pdfsig', 'qpdf'] as const) {
      expect([who, wordOf(judgement, who)]).toEqual([who, 'accept']);
    }
    expect(wordOf(judgement, 'openssl-ts')).toBe(level === 'PAdES-BASELINE-B' ? 'abstain' : 'accept');
    const dss = judgement.opinions.find((opinion) => opinion.judge === 'dss');
    for (const signature of dss?.signatures ?? []) {
      expect(signature).toMatchObject({ level, indication: 'TOTAL_PASSED', strict: 'TOTAL_PASSED', constraints: [] });
      expect(signature.timestamps?.every(({ indication }) => indication === 'PASSED')).toBe(true);
    }
  });

  /** Who refuses what, exactly: a judge that begins to accept is noticed, and so is one that begins to refuse. */
  const bad: [name: string, verdict: Verdict, refusers: JudgeName[]][] = [
    ['flipped-content', 'refuse', ['dss', 'pyhanko', 'openssl-cms', 'pdfsig']],
    ['flipped-signature', 'refuse', ['dss', 'pyhanko', 'openssl-cms', 'openssl-ts', 'pdfsig']],
    ['flipped-token', 'refuse', ['dss', 'pyhanko', 'openssl-ts']],
    ['token-of-another', 'refuse', ['dss', 'pyhanko', 'openssl-ts']],
    ['foreign', 'refuse', ['dss', 'pyhanko', 'openssl-cms', 'openssl-ts']],
    ['changed-page', 'refuse', ['dss', 'pyhanko']],
    ['changed-page-lt', 'refuse', ['dss', 'pyhanko']],
    ['bytes-after-end', 'split', ['dss']],
    ['adbe-subfilter', 'split', ['dss']],
    ['only-digital-signature', 'split', ['pyhanko']],
    ['garbage', 'refuse', ['dss', 'pyhanko', 'pdfsig', 'qpdf']],
    ['empty', 'refuse', ['dss', 'pyhanko', 'pdfsig', 'qpdf']],
    ['truncated', 'refuse', ['pyhanko']],
    ['bomb', 'unsigned', ['qpdf']],
    ['unsigned', 'unsigned', []],
  ];
  test.each(bad)('%s is %s', async (name, verdict, expected) => {
    const judgement = await judge(name);
    expect(refusers(judgement)).toEqual(expected);
    expect(judgement.verdict).toBe(verdict);
  });

  test('a good file under another root is refused by everyone who looks at the chain', async () => {
    const judgement = await judge('good-p256', { roots: [samples.path('other-root.pem')] });
    expect(refusers(judgement)).toEqual(['dss', 'pyhanko', 'openssl-cms', 'openssl-ts']);
  });

  test('in a file that others signed before, the last signature or a named field can be judged alone', async () => {
    expect((await judge('good-after-foreign')).verdict).toBe('refuse');
    expect((await judge('good-after-foreign', { only: 'last', level: 'PAdES-BASELINE-T' })).verdict).toBe('accept');
    const named = await judge('good-after-foreign', { only: { field: 'Seal1' } });
    expect(named.verdict).toBe('accept');
    expect([wordOf(named, 'openssl-cms'), wordOf(named, 'pdfsig')]).toEqual(['accept', 'accept']);
    const theirs = await judge('good-after-foreign', { only: { field: 'Theirs' } });
    expect(refusers(theirs)).toEqual(['dss', 'pyhanko', 'openssl-cms', 'openssl-ts']);
    expect((await judge('good-p256', { only: { field: 'Nobody' } })).verdict).toBe('refuse');
  });

  test('without the revocation list of the time-stamp’s CA, of anyone, or with the leaf on it, it is refused', async () => {
    const withoutTsa = await judge('good-p256', { crls: [samples.path('crls-without-tsa.pem')] });
    expect(refusers(withoutTsa)).toEqual(['dss', 'pyhanko']);
    expect(refusers(await judge('good-p256', { crls: [] }))).toEqual(['dss', 'pyhanko']);
    expect((await judge('revoked')).verdict).toBe('accept');
    const revoked = await judge('revoked', { crls: [samples.path('crls-revoked.pem')] });
    expect(refusers(revoked)).toEqual(['dss', 'pyhanko']);
  });

  test('a long-term file needs no list from outside', async () => {
    expect((await judge('good-lt', { crls: [] })).verdict).toBe('accept');
    expect((await judge('good-lta', { crls: [] })).verdict).toBe('accept');
  });

  test('another level than the one asked for is refused', async () => {
    const judgement = await judge('good-b', { level: 'PAdES-BASELINE-T' });
    expect(judgement.verdict).toBe('split');
    expect(refusers(judgement)).toEqual(['dss']);
  });

  test('a broken claim of PDF/A counts only when the flavour is asked for', async () => {
    expect(wordOf(await judge('pdfa-good', { flavour: '2b' }), 'verapdf')).toBe('accept');
    expect(wordOf(await judge('pdfa-good'), 'verapdf')).toBe('accept');
    expect((await judge('pdfa-broken')).verdict).toBe('accept');
    const asked = await judge('pdfa-broken', { flavour: '2b' });
    expect([asked.verdict, refusers(asked)]).toEqual(['split', ['verapdf']]);
    expect(asked.opinions.find((opinion) => opinion.judge === 'verapdf')?.flavours).toEqual([
      { flavour: '2b', compliant: false, failedRules: ['6.5.1-1'] },
    ]);
  });

  test('a file that takes longer than its limit is refused, and the next one is judged', async () => {
    const late = await judge('good-twice', { limitMs: 1 });
    expect(late.opinions.find((opinion) => opinion.judge === 'dss')?.reasons).toEqual(['time limit']);
    expect(late.opinions.find((opinion) => opinion.judge === 'pyhanko')?.reasons).toEqual(['time limit']);
    expect(late.verdict).toBe('refuse');
    expect((await judge('good-twice')).verdict).toBe('accept');
  });

  test('npm run judge prints a line per file, or JSON, and its exit code says whether all were accepted', () => {
    const command = (...args: string[]) =>
      spawnSync(
        process.execPath,
        ['--conditions=source', join(judgesDirectory, '..', '..', 'scripts', 'judge.mjs'), ...args],
        {
          encoding: 'utf8',
        },
      );
    const anchors = ['--root', samples.path('root.pem'), '--crl', samples.path('crls.pem')];
    const two = command(samples.path('good-p256.pdf'), samples.path('foreign.pdf'), ...anchors);
    expect(two.status).toBe(1);
    expect(two.stdout).toMatch(/^accept {4}.*good-p256\.pdf {2}dss: accept \(PAdES-BASELINE-T\) {2}pyhanko: accept/);
    expect(two.stdout).toMatch(
      /\nrefuse {4}.*foreign\.pdf {2}dss: refuse \(INDETERMINATE\/NO_CERTIFICATE_CHAIN_FOUND;/,
    );
    expect(two.stdout.trim().split('\n')).toHaveLength(2);
    const one = command(samples.path('good-b.pdf'), ...anchors, '--json', '--judge', 'pyhanko');
    expect(one.status).toBe(0);
    expect(JSON.parse(one.stdout)).toMatchObject({
      verdict: 'accept',
      opinions: [{ judge: 'pyhanko', word: 'accept' }],
    });
    const bare = { encoding: 'utf8', env: { CI: 'true', PATH: '/nonexistent' } } as const;
    const script = join(judgesDirectory, '..', '..', 'scripts', 'judge.mjs');
    const inBareCi = spawnSync(process.execPath, [script, samples.path('good-b.pdf'), ...anchors], bare);
    expect([inBareCi.status, inBareCi.stdout]).toEqual([1, '']);
    expect(inBareCi.stderr).toMatch(/Without dss: java is not on this machine\./);
    expect(command('--judge', 'nobody', samples.path('good-b.pdf'), ...anchors).status).toBe(2);
    expect(command(samples.path('no-such.pdf'), ...anchors).status).toBe(2);
  });
});
