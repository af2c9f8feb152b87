import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extendDocument, type RevocationSource, type ValidationReport, validateSignatures } from '@sigillum/pades';
import {
  createArraySource,
  encodeTextString,
  findFirstPage,
  IncrementalUpdate,
  openPdf,
  PdfDict,
  PdfName,
} from '@sigillum/pdf';
import { decodePem, encodePem } from '@sigillum/pki';
import {
  createSoftwareInput,
  createSoftwareTimeStamps,
  extendBySoftware,
  Judges,
  type JudgeName,
  type Judgement,
  makeJudgeSamples,
  makeLongTermForgeries,
  makeSamplePdf,
  makeSoftwareCrl,
  rewriteWithQpdf,
  sealAtLevel,
  SoftwarePki,
  SoftwareRevocation,
  wordOf,
} from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/** B-LT and B-LTA before the judges: everything they need is in the file, only the root is given from outside. */

const day = 24 * 3_600_000;
const judges = Judges.open();
const missing = judges.missing.map(({ judge, missing: why }) => `${judge} (${why})`).join(', ');
const withAll = missing === '' || process.env['CI'] === 'true' ? describe : describe.skip;
const folder = mkdtempSync(join(tmpdir(), 'sigillum-levels-'));
const corpus = join(import.meta.dirname, 'corpus', 'files');
const judged = new Map<string, Judgement>();
const made = new Map<string, Uint8Array>();
let pki: SoftwarePki;
let theirRoot: Uint8Array;

const algorithms = {
  'p-256': 'ecdsa-p256-sha256',
  'p-384': 'ecdsa-p384-sha384',
  'rsa-2048': 'rsassa-pkcs1-v1_5-sha256',
  'rsa-pss-3072': 'rsassa-pss-sha256',
} as const;
const keys = { 'p-256': 'p256', 'p-384': 'p384', 'rsa-2048': 'rsa-2048', 'rsa-pss-3072': 'rsa-3072' } as const;
const algorithmNames = Object.keys(algorithms) as (keyof typeof algorithms)[];

const kinds = ['xref-stream', 'object-streams', 'linearized', 'hybrid'] as const;
const encryptions = {
  'rc4-40': ['--allow-weak-crypto', '--encrypt', '', 'owner', '40', '--'],
  'rc4-128': ['--allow-weak-crypto', '--encrypt', '', 'owner', '128', '--use-aes=n', '--'],
  'aes-128': ['--allow-weak-crypto', '--encrypt', '', 'owner', '128', '--use-aes=y', '--'],
  'aes-256': ['--encrypt', '', 'owner', '256', '--'],
};
const pdfaFiles = {
  '1b': 'ghostscript/text-pdfa-1b.pdf',
  '2b': 'ghostscript/text-pdfa-2b.pdf',
  '3b': 'libreoffice/letter-pdfa-3b.pdf',
} as const;

/** Who refuses which forgery of an archived file; ours refuses all of them. */
const refusedBy: Record<string, readonly JudgeName[]> = {
  'lta-dss-removed': ['dss', 'pyhanko'],
  'lt-crl-revoking': ['dss', 'pyhanko'],
  'lta-crl-revoking': ['dss', 'pyhanko'],
  'lta-crl-flipped': ['dss', 'pyhanko', 'openssl-ts'],
  'lta-token-flipped': ['dss', 'pyhanko', 'openssl-ts'],
  'lta-token-of-another': ['dss', 'pyhanko', 'openssl-ts'],
  'lta-token-by-stranger': ['dss', 'pyhanko', 'openssl-ts'],
  'lta-token-backdated': [],
  'lta-page-changed': ['dss', 'pyhanko'],
  'lta-changed-afterwards': ['dss', 'pyhanko'],
};

/** The lists of the PKI that pyHanko's samples are of: its keys are gone, its lists were kept. */
const theirRevocation = (): RevocationSource => ({
  collect: async (requests) => {
    const [first, ...others] = requests;
    const ours = new SoftwareRevocation(pki, { now: () => pki.now });
    const isOurs = async (one: (typeof requests)[number]) => {
      try {
        return await ours.collect([one]);
      } catch {
        return { certificates: [theirRoot], crls: decodePem(read('theirs.pem'), 'X509 CRL'), ocsps: [] };
      }
    };
    if (first === undefined) return { certificates: [], crls: [], ocsps: [] };
    const found = await Promise.all([first, ...others].map(isOurs));
    return {
      certificates: found.flatMap(({ certificates }) => certificates),
      crls: found.flatMap(({ crls }) => crls),
      ocsps: found.flatMap(({ ocsps }) => ocsps),
    };
  },
});

function read(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

function validate(name: string, more: { roots?: Uint8Array[]; now?: Date } = {}): ValidationReport {
  const roots = [pki.root.certificate, ...(theirRoot ? [theirRoot] : [])];
  const options = { roots, now: new Date(), requiresRevocation: true, ...more };
  return validateSignatures(createArraySource(made.get(name) ?? new Uint8Array()), options);
}

/** Seals by three, each in an update of its own. */
async function sealThrice(level: 'b-t' | 'b-lta'): Promise<Uint8Array> {
  let bytes = makeSamplePdf('classic', { pages: 2 });
  for (const name of ['p-256', 'p-384', 'rsa-2048'] as const) {
    const signer = pki.issueSeal(`${name} of three`, { key: keys[name] });
    ({ bytes } = await sealAtLevel(bytes, pki, { level, signer, algorithm: algorithms[name] }));
  }
  return bytes;
}

/** The sample with an empty signature field "Sig" that locks fields when it is signed. */
function withLock(action: 'All' | 'Include' | 'Exclude', names: readonly string[] = []): Uint8Array {
  const sample = makeSamplePdf('classic');
  const document = openPdf(createArraySource(sample));
  const update = new IncrementalUpdate(document, (length) => new Uint8Array(length));
  const lock = new PdfDict([
    ['Type', new PdfName('SigFieldLock')],
    ['Action', new PdfName(action)],
    ...(action === 'All' ? [] : [['Fields', names.map((name) => encodeTextString(name))] as const]),
  ]);
  const field = update.allocate();
  const entries = [
    ['FT', new PdfName('Sig')],
    ['T', encodeTextString('Sig')],
    ['Type', new PdfName('Annot')],
    ['Subtype', new PdfName('Widget')],
    ['Rect', [0, 0, 0, 0]],
    ['F', 132],
    ['Lock', lock],
  ] as const;
  const page = findFirstPage(document);
  update.set(field, new PdfDict([...entries, ['P', page.ref]]));
  update.set(page.ref, page.dict.with({ Annots: [field] }));
  update.set(document.catalogRef, document.catalog.with({ AcroForm: new PdfDict([['Fields', [field]]]) }));
  return Buffer.concat([sample, update.encode().bytes]);
}

const inField = { options: { fieldName: 'Sig' } };
const locks = {
  'of others': withLock('Include', ['DocumentTimeStamp1', 'total']),
  'of all but the time-stamp': withLock('Exclude', ['DocumentTimeStamp1']),
};

/** Sealed a year before it was renewed, by a signer whose certificate ended in between. */
async function sealAndRenew(
  renewal: Date,
  firstUnitEnds: Date,
): Promise<{ old: SoftwarePki; sealed: Uint8Array; renewed: Uint8Array }> {
  const old = await SoftwarePki.make('Old', new Date(renewal.getTime() - 365 * day), 3650);
  const signer = old.issueSeal('signer of a quarter', { notAfter: new Date(old.now.getTime() + 90 * day) });
  const tsu = old.issueUnit('first TSU', { notAfter: firstUnitEnds });
  const next = old.issueUnit('second TSU', { notAfter: new Date(renewal.getTime() + 365 * day) });
  const { bytes: sealed } = await sealAtLevel(makeSamplePdf('classic'), old, { level: 'b-lta', signer, tsu });
  const { bytes: renewed } = await extendBySoftware(sealed, old, { to: 'b-lta', now: renewal, tsu: next });
  return { old, sealed, renewed };
}

beforeAll(async () => {
  pki = await SoftwarePki.make('Levels', new Date(), 3650);
  writeFileSync(join(folder, 'root.pem'), pki.rootPem);
  const responder = pki.issueResponder('responder');
  const revocation = new SoftwareRevocation(pki, { now: () => pki.now, responder });
  for (const name of algorithmNames) {
    const ocspUrl = 'http://192.0.2.1/ocsp';
    const signer = pki.issueSeal(name, { key: keys[name], ...(name === 'p-384' ? { ocspUrl } : {}) });
    for (const level of ['b-lt', 'b-lta'] as const) {
      const algorithm = algorithms[name];
      const { bytes } = await sealAtLevel(makeSamplePdf(), pki, { level, signer, algorithm, revocation });
      made.set(`${level} ${name}`, bytes);
    }
  }
  made.set('b-lta three signers, each at once', await sealThrice('b-lta'));
  const three = await sealThrice('b-t');
  made.set('b-lt three signers, extended', (await extendBySoftware(three, pki, { to: 'b-lt' })).bytes);
  made.set('b-lta three signers, extended', (await extendBySoftware(three, pki, { to: 'b-lta' })).bytes);
  for (const level of ['b-lt', 'b-lta'] as const) {
    const { bytes: once } = await sealAtLevel(makeSamplePdf('classic'), pki, { level });
    made.set(`${level} again by the same`, (await sealAtLevel(once, pki, { level })).bytes);
    const { bytes: below } = await sealAtLevel(once, pki, { level: 'b-t' });
    made.set(`${level} again by the same, extended`, (await extendBySoftware(below, pki, { to: level })).bytes);
  }
  for (const kind of kinds) {
    made.set(`b-lta ${kind}`, (await sealAtLevel(makeSamplePdf(kind), pki, { level: 'b-lta' })).bytes);
  }
  for (const [name, options] of Object.entries(encryptions)) {
    const input = rewriteWithQpdf(makeSamplePdf(), options);
    made.set(`b-lta ${name}`, (await sealAtLevel(input, pki, { level: 'b-lta' })).bytes);
  }
  for (const [name, input] of Object.entries(locks)) {
    made.set(`b-lta lock ${name}`, (await sealAtLevel(input, pki, { level: 'b-lta', ...inField })).bytes);
  }
  made.set('b-lt lock of all', (await sealAtLevel(withLock('All'), pki, { level: 'b-lt', ...inField })).bytes);
  const closed = await sealAtLevel(makeSamplePdf(), pki, { level: 'b-lta', options: { certify: 1 } });
  made.set('b-lta certified against any change', closed.bytes);
  const certified = await sealAtLevel(makeSamplePdf(), pki, { level: 'b-t', options: { certify: 1 } });
  const extended = await extendBySoftware(certified.bytes, pki, { to: 'b-lta' });
  made.set('b-lta certified, extended afterwards', extended.bytes);
  for (const [flavour, path] of Object.entries(pdfaFiles)) {
    const { bytes } = await sealAtLevel(readFileSync(join(corpus, path)), pki, { level: 'b-lta' });
    made.set(`pdfa ${flavour}`, bytes);
    made.set(`pdfa ${flavour} renewed`, (await extendBySoftware(bytes, pki, { to: 'b-lta' })).bytes);
  }
}, 300_000);

afterAll(async () => {
  await judges.close();
  rmSync(folder, { recursive: true, force: true });
});

type JudgeChoices = { level: string; roots?: string[]; crls?: string[]; flavour?: string };

async function judge(names: readonly string[], more: JudgeChoices): Promise<void> {
  const paths = names.map((name) => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.pdf`);
    writeFileSync(path, made.get(name) ?? new Uint8Array());
    return path;
  });
  const roots = more.roots ?? ['root.pem'];
  const { level, flavour, crls = [] } = more;
  const inFolder = (files: readonly string[]) => files.map((file) => join(folder, file));
  const options = { roots: inFolder(roots), crls: inFolder(crls), level };
  const judgements = await judges.judge(paths, { ...options, ...(flavour ? { flavour } : {}) });
  for (const [index, name] of names.entries()) {
    const judgement = judgements[index];
    if (judgement) judged.set(name, judgement);
  }
}

function complaints(name: string): readonly unknown[] {
  const { opinions, verdict } = judged.get(name) ?? { opinions: [], verdict: 'nothing' };
  const refused = opinions.filter(({ word }) => word === 'refuse').map(({ judge: who, reasons }) => [who, ...reasons]);
  return verdict === 'accept' ? refused : [verdict, ...refused];
}

function whoRefuses(name: string): readonly JudgeName[] {
  const { opinions } = judged.get(name) ?? { opinions: [] };
  return opinions.filter(({ word }) => word === 'refuse').map(({ judge: who }) => who);
}

function opinionOf(name: string, who: JudgeName): readonly unknown[] {
  const opinion = judged.get(name)?.opinions.find(({ judge: one }) => one === who);
  return [opinion?.word, ...(opinion?.reasons ?? [])];
}

test('every judge is on this machine, or is named among the skipped ones', () => {
  if (missing !== '') console.log(`Skipped: ${missing}`);
  expect(process.env['CI'] === 'true' ? missing : '').toBe('');
});

describe('our own verifier', () => {
  test('finds the level of every file, and the proof that nothing was revoked, in the file itself', () => {
    for (const name of made.keys()) {
      const report = validate(name);
      const expected = name.startsWith('b-lt ') ? 'PAdES-BASELINE-LT' : 'PAdES-BASELINE-LTA';
      const formats = report.signatures.filter(({ kind }) => kind === 'signature').map(({ format }) => format);
      expect([name, report.summary, report.accepted]).toEqual([name, report.summary, true]);
      expect([name, ...new Set(formats), ...report.notChecked]).toEqual([name, expected, 'trust_lists']);
    }
  });
});

test.each([
  ['All', []],
  ['Exclude', ['total']],
] as const)('a lock %s that leaves a document time-stamp no name: b-lta is refused', async (action, names) => {
  const refused = { code: 'fieldmdp_forbids_time_stamp', message: expect.stringMatching('B-LT, but not B-LTA') };
  const input = withLock(action, names);
  await expect(sealAtLevel(input, pki, { level: 'b-lta', ...inField })).rejects.toMatchObject(refused);
  const { bytes } = await sealAtLevel(input, pki, { level: 'b-t', ...inField });
  await expect(extendBySoftware(bytes, pki, { to: 'b-lta' })).rejects.toMatchObject(refused);
  const { extended } = await extendBySoftware(bytes, pki, { to: 'b-lt' });
  expect(extended.to).toBe('b-lt');
});

withAll(
  `the judges, offline and with nothing but the root${missing === '' ? '' : ` (skipped without ${missing})`}`,
  () => {
    beforeAll(async () => {
      const names = [...made.keys()];
      await judge(
        names.filter((name) => name.startsWith('b-lt ')),
        { level: 'PAdES-BASELINE-LT' },
      );
      await judge(
        names.filter((name) => name.startsWith('b-lta ')),
        { level: 'PAdES-BASELINE-LTA' },
      );
      for (const flavour of Object.keys(pdfaFiles)) {
        const these = names.filter((name) => name.startsWith(`pdfa ${flavour}`));
        await judge(these, { level: 'PAdES-BASELINE-LTA', flavour });
      }
    }, 300_000);

    test('all accept every file at its level', () => {
      const refused = [...judged.keys()].flatMap((name) => {
        const found = complaints(name);
        return found.length === 0 ? [] : [[name, ...found]];
      });
      // pyHanko reads no hybrid files at all
      expect(refused).toEqual([
        ['b-lta hybrid', 'split', ['pyhanko', expect.stringMatching('hybrid-reference files')]],
      ]);
      expect(judged.size).toBe(made.size);
    });

    test('DSS, pyHanko and veraPDF were all asked', () => {
      for (const [name, judgement] of judged) {
        expect([name, wordOf(judgement, 'dss')]).toEqual([name, 'accept']);
        if (name !== 'b-lta hybrid') expect([name, wordOf(judgement, 'pyhanko')]).toEqual([name, 'accept']);
        if (name.startsWith('pdfa')) expect([name, wordOf(judgement, 'verapdf')]).toEqual([name, 'accept']);
      }
    });

    test('an archived file whose lock leaves no other name is renewed: only warnings of DSS, when they count, refuse it', async () => {
      const once = made.get('b-lta lock of all but the time-stamp') ?? new Uint8Array();
      made.set('renewed under a lock', (await extendBySoftware(once, pki, { to: 'b-lta' })).bytes);
      await judge(['renewed under a lock'], { level: 'PAdES-BASELINE-LTA' });
      expect(whoRefuses('renewed under a lock')).toEqual(['dss']);
      expect(opinionOf('renewed under a lock', 'dss').join()).toMatch(/strict policy.*BBB_FC_ISVAFMDPD/);
      expect(validate('renewed under a lock').summary).toMatch(/^Accepted/);
    });

    test('a file renewed a year later is accepted then, with nothing from outside but the root', async () => {
      const renewal = new Date(Date.now() - 60_000);
      const { old, sealed, renewed } = await sealAndRenew(renewal, new Date(renewal.getTime() + 30 * day));
      writeFileSync(join(folder, 'renewed.pem'), old.rootPem);
      made.set('renewed', renewed);
      made.set('left alone', sealed);
      await judge(['renewed', 'left alone'], { level: 'PAdES-BASELINE-LTA', roots: ['renewed.pem'] });
      for (const who of ['dss', 'pyhanko', 'qpdf'] as const) expect(opinionOf('renewed', who)).toEqual(['accept']);
      expect(opinionOf('left alone', 'pyhanko')[0]).toBe('refuse');
      expect(validate('renewed', { roots: [old.root.certificate] }).summary).toMatch(/^Accepted/);
    });

    test('a renewed file outlives the certificate of its first TSU, and one that was not renewed does not', async () => {
      const renewal = new Date(Date.now() - 40 * day);
      const { old, sealed, renewed } = await sealAndRenew(renewal, new Date(Date.now() - 5 * day));
      writeFileSync(join(folder, 'old.pem'), old.rootPem);
      // who validates knows the lists of the day, as about the last time-stamp of any file
      const lists = await Promise.all([old.root, old.tsa].map((ca) => makeSoftwareCrl(ca, new Date())));
      writeFileSync(join(folder, 'today.pem'), lists.map((list) => encodePem('X509 CRL', list)).join(''));
      made.set('outlived', renewed);
      made.set('not renewed', sealed);
      await judge(['outlived', 'not renewed'], {
        level: 'PAdES-BASELINE-LTA',
        roots: ['old.pem'],
        crls: ['today.pem'],
      });
      // pyHanko slides its time back to where a list ends, not to where a certificate does: it can't say anything here
      for (const who of ['dss', 'qpdf'] as const) expect(opinionOf('outlived', who)).toEqual(['accept']);
      for (const who of ['dss', 'pyhanko'] as const) expect(opinionOf('not renewed', who)[0]).toBe('refuse');
      const roots = [old.root.certificate];
      expect(validate('outlived', { roots }).summary).toMatch(/^Accepted/);
      const codes = validate('not renewed', { roots }).signatures.flatMap(({ findings }) => findings);
      expect(codes.map(({ code }) => code)).toContain('time_stamp_expired');
    });

    test('what forgers make of an archived file: who refuses it, and ours always', async () => {
      const strangers = await SoftwarePki.make('Strangers');
      const forgeries = await makeLongTermForgeries(makeSamplePdf('classic'), { pki, strangers });
      for (const { name, bytes } of forgeries) made.set(name, bytes);
      const names = forgeries.map(({ name }) => name);
      await judge(names, { level: 'PAdES-BASELINE-LTA' });
      expect(names.map((name) => [name, ...whoRefuses(name)])).toEqual(
        Object.entries(refusedBy).map(([name, who]) => [name, ...who]),
      );
      for (const name of names) {
        const options = { roots: [pki.root.certificate], now: new Date() };
        const report = validateSignatures(createArraySource(made.get(name) ?? new Uint8Array()), options);
        expect([name, report.accepted]).toEqual([name, false]);
      }
    });

    test('what pyHanko signed is extended too, and not what is not PAdES or has no time-stamp', async () => {
      const samples = await makeJudgeSamples();
      try {
        writeFileSync(join(folder, 'theirs.pem'), readFileSync(samples.path('crls.pem')));
        writeFileSync(join(folder, 'their-root.pem'), readFileSync(samples.path('root.pem')));
        [theirRoot = new Uint8Array()] = decodePem(read('their-root.pem'), 'CERTIFICATE');
        const extend = async (name: string, to: 'b-lt' | 'b-lta') => {
          const bytes = new Uint8Array(readFileSync(samples.path(`${name}.pdf`)));
          const extended = await extendDocument({
            input: createSoftwareInput(bytes, 'sha256'),
            to,
            roots: [theirRoot, pki.root.certificate],
            ports: {
              timeStamps: createSoftwareTimeStamps(pki, new Date()),
              revocation: theirRevocation(),
              now: () => new Date(),
              random: (length) => new Uint8Array(length),
            },
          });
          made.set(`theirs ${to} ${name}`, Buffer.concat([bytes, extended.increment]));
          return extended;
        };
        const good = ['good-p256', 'good-rsa-pss-3072', 'good-twice', 'good-certified', 'good-lt', 'good-lta'];
        for (const name of good) {
          await extend(name, 'b-lta');
          expect([name, validate(`theirs b-lta ${name}`).summary]).toEqual([name, expect.stringMatching(/^Accepted/)]);
        }
        await extend('good-p256', 'b-lt');
        const same = await extend('good-lt', 'b-lt');
        expect([same.from, same.to, same.increment.length]).toEqual(['b-lt', 'b-lt', 0]);
        const roots = ['root.pem', 'their-root.pem'];
        const names = good.map((name) => `theirs b-lta ${name}`);
        await judge(names, { level: 'PAdES-BASELINE-LTA', roots });
        await judge(['theirs b-lt good-p256'], { level: 'PAdES-BASELINE-LT', roots });
        for (const name of [...names, 'theirs b-lt good-p256']) expect([name, ...complaints(name)]).toEqual([name]);
        for (const [name, code] of [
          ['adbe-subfilter', 'extension_not_pades'],
          ['good-b', 'extension_no_time_stamp'],
          ['unsigned', 'extension_unsigned'],
          ['flipped-content', 'extension_signature_invalid'],
          ['changed-page', 'extension_signature_invalid'],
          ['token-of-another', 'extension_signature_invalid'],
          ['foreign', 'extension_signature_invalid'],
        ] as const) {
          await expect(extend(name, 'b-lta')).rejects.toMatchObject({ code });
        }
      } finally {
        samples.remove();
      }
    }, 300_000);
  },
);
