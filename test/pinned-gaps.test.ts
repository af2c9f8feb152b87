import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareSignature, type SealOptions, validateSignatures } from '@sigillum/pades';
import {
  createArraySource,
  findFirstPage,
  IncrementalUpdate,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfName,
  PdfNewStream,
  type PdfObject,
  PdfRef,
} from '@sigillum/pdf';
import {
  createSoftwareInput,
  extendBySoftware,
  Judges,
  type Judgement,
  type JudgeOptions,
  makeSamplePdf,
  rewriteWithQpdf,
  sealAtLevel,
  SoftwarePki,
} from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/** Objects that a document refers to and doesn't have: the first seal makes them null. The judges must not mind. */

const judges = Judges.open();
const missing = judges.missing.map(({ judge, missing: why }) => `${judge} (${why})`).join(', ');
const withAll = missing === '' || process.env['CI'] === 'true' ? describe : describe.skip;
const folder = mkdtempSync(join(tmpdir(), 'sigillum-gaps-'));
let pki: SoftwarePki;

type Kind = 'whole' | 'with gaps';
const farGap = 60;

const encrypt = (...how: readonly string[]) =>
  rewriteWithQpdf(makeSamplePdf(), ['--allow-weak-crypto', '--encrypt', '', 'owner', ...how, '--']);
const inputs: Readonly<Record<string, () => Uint8Array>> = {
  classic: () => makeSamplePdf(),
  'xref-stream': () => makeSamplePdf('xref-stream'),
  'object-streams': () => makeSamplePdf('object-streams'),
  linearized: () => makeSamplePdf('linearized'),
  hybrid: () => makeSamplePdf('hybrid'),
  'rc4-40': () => encrypt('40'),
  'rc4-128': () => encrypt('128', '--use-aes=n'),
  'aes-128': () => encrypt('128', '--use-aes=y'),
  'aes-256': () => encrypt('256'),
};

/** The table says that object 60, to which {@link addGaps} refers, was deleted. */
function withDeleted(bytes: Uint8Array, next: number): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  const free = `60 1\n0000000000 0000${next} f \ntrailer\n<< /Size 61 `;
  return Buffer.from(text.replace(/trailer\n<< \/Size \d+ /, free), 'latin1');
}

function change(bytes: Uint8Array, set: (update: IncrementalUpdate, document: PdfDocument) => void): Uint8Array {
  const document = openPdf(createArraySource(bytes));
  const update = new IncrementalUpdate(document, (length) => new Uint8Array(length));
  set(update, document);
  return Buffer.concat([bytes, update.encode().bytes]);
}

/** The first page anew; with gaps it refers to the number that is given next and to one far off. */
function addGaps(bytes: Uint8Array, kind: Kind, inAnnotations = false): Uint8Array {
  return change(bytes, (update, document) => {
    const { ref, dict } = findFirstPage(document);
    const next = document.nextObjectNumber + (document.sections[0]?.kind === 'stream' ? 1 : 0);
    const gaps = kind === 'whole' ? [] : [new PdfRef(next), new PdfRef(farGap)];
    const forms = new PdfDict(gaps.map((gap, index) => [`X${index}`, gap] as const));
    const old = document.resolve(dict.find('Resources') ?? null);
    const resources = old instanceof PdfDict ? old : new PdfDict([]);
    const annotations = inAnnotations ? { Annots: gaps.slice(-1) } : {};
    update.set(ref, dict.with({ Resources: resources.with({ XObject: forms }), ...annotations }));
  });
}

/** A form of 40 by 40 points on the first page; it may refer to what is not there. */
function drawBox(gap?: number, left = 10): SealOptions['appearance'] {
  return (document) => ({
    page: findFirstPage(document).ref,
    rectangle: [left, 10, left + 40, 50],
    addForm: (update) => {
      const ref = update.allocate();
      const resources = new PdfDict([['XObject', new PdfDict(gap === undefined ? [] : [['X', new PdfRef(gap)]])]]);
      const entries: [string, PdfObject][] = [
        ['Type', new PdfName('XObject')],
        ['Subtype', new PdfName('Form')],
        ['BBox', [0, 0, 40, 40]],
        ['Resources', resources],
      ];
      update.set(ref, new PdfNewStream(new PdfDict(entries), Buffer.from('0 0 40 40 re S')));
      return ref;
    },
  });
}

const seal = async (bytes: Uint8Array, level: 'b-t' | 'b-lt' | 'b-lta', options: Partial<SealOptions> = {}) =>
  (await sealAtLevel(bytes, pki, { level, options })).bytes;
const extend = async (bytes: Uint8Array, to: 'b-lt' | 'b-lta') => (await extendBySoftware(bytes, pki, { to })).bytes;

/** Each makes the same file with gaps and without. */
const cases: Readonly<Record<string, (kind: Kind) => Promise<Uint8Array>>> = {
  ...Object.fromEntries(
    Object.entries(inputs).map(([name, make]) => [name, (kind: Kind) => seal(addGaps(make(), kind), 'b-lta')]),
  ),
  'certified against any change': (kind) => seal(addGaps(makeSamplePdf(), kind), 'b-lta', { certify: 1 }),
  'certified, archived afterwards': async (kind) =>
    extend(await seal(addGaps(makeSamplePdf(), kind), 'b-t', { certify: 1 }), 'b-lta'),
  'step by step': async (kind) => {
    const once = await seal(addGaps(makeSamplePdf(), kind), 'b-t');
    return extend(await extend(await extend(once, 'b-lt'), 'b-lta'), 'b-lta');
  },
  'step by step, encrypted, xref streams': async (kind) => {
    const input = rewriteWithQpdf(makeSamplePdf('object-streams'), ['--encrypt', '', 'owner', '256', '--']);
    return extend(await extend(await seal(addGaps(input, kind), 'b-t'), 'b-lt'), 'b-lta');
  },
  'sealed twice': async (kind) => seal(await seal(addGaps(makeSamplePdf(), kind), 'b-t'), 'b-lta'),
  visible: (kind) => seal(addGaps(makeSamplePdf(), kind, true), 'b-lta', { appearance: drawBox() }),
  'visible twice': async (kind) => {
    const once = await seal(addGaps(makeSamplePdf(), kind, true), 'b-t', { appearance: drawBox() });
    return seal(once, 'b-lta', { appearance: drawBox(undefined, 60) });
  },
};
const names = Object.keys(cases);
const nameAll = (kind: Kind) => names.map((name) => `${name} ${kind}`);
const made = new Map<string, Uint8Array>();

beforeAll(async () => {
  pki = await SoftwarePki.make('Gaps', new Date(), 3650);
  writeFileSync(join(folder, 'root.pem'), pki.rootPem);
  writeFileSync(join(folder, 'all.crl.pem'), pki.crlsPem);
  for (const [name, make] of Object.entries(cases)) {
    for (const kind of ['whole', 'with gaps'] as const) made.set(`${name} ${kind}`, await make(kind));
  }
}, 120_000);

afterAll(async () => {
  await judges.close();
  rmSync(folder, { recursive: true, force: true });
});

async function judge(
  these: readonly string[],
  more: Pick<JudgeOptions, 'level' | 'lenient'>,
): Promise<readonly (Judgement | undefined)[]> {
  const paths = these.map((name) => {
    const path = join(folder, `${name.replaceAll(/\W/g, '_')}.pdf`);
    writeFileSync(path, made.get(name) ?? new Uint8Array());
    return path;
  });
  const options = { roots: [join(folder, 'root.pem')], crls: [join(folder, 'all.crl.pem')] };
  return judges.judge(paths, { ...options, ...more });
}

const listWords = (judgement: Judgement | undefined) =>
  judgement?.opinions.map(({ judge: who, word, reasons }) => [who, word, ...reasons.filter(() => word === 'refuse')]);

test('every judge is on this machine, or is named among the skipped ones', () => {
  if (missing !== '') console.log(`Skipped: ${missing}`);
  expect(process.env['CI'] === 'true' ? missing : '').toBe('');
});

test.each(names)('%s: what is not there is null once, in the update of the first seal', (name) => {
  const document = openPdf(createArraySource(made.get(`${name} with gaps`) ?? new Uint8Array()));
  expect(document.findEntry(farGap)).toMatchObject({ generation: 0 });
  expect(document.get(new PdfRef(farGap))).toBe(null);
  expect(
    Buffer.from(made.get(`${name} with gaps`) ?? [])
      .toString('latin1')
      .match(/\b60 0 obj\b/g),
  ).toHaveLength(1);
});

test.each(names)('%s: our own verifier accepts it', (name) => {
  const options = { roots: [pki.root.certificate], now: new Date(), requiresRevocation: true };
  const report = validateSignatures(createArraySource(made.get(`${name} with gaps`) ?? new Uint8Array()), options);
  expect([report.summary, report.accepted]).toEqual([report.summary, true]);
});

test.each(Object.keys(inputs))('%s: prepared twice by the same numbers, the same bytes come out', (name) => {
  const input = addGaps(inputs[name]?.() ?? new Uint8Array(), 'with gaps');
  const prepare = () =>
    prepareSignature(createSoftwareInput(input, 'sha256'), { signingTime: pki.now, contentsSize: 8192 }, (length) =>
      new Uint8Array(length).fill(7),
    );
  expect(Buffer.from(prepare().increment).equals(prepare().increment)).toBe(true);
  expect(prepare().digest).toEqual(prepare().digest);
});

withAll(`the judges${missing === '' ? '' : ` (skipped without ${missing})`}`, () => {
  test('say of a file with gaps what they say of the same without', async () => {
    const level = { level: 'PAdES-BASELINE-LTA' };
    const judgeAll = (kind: Kind) => judge(nameAll(kind), level);
    const [whole, gapped] = [await judgeAll('whole'), await judgeAll('with gaps')];
    const said = (all: typeof whole) => names.map((name, index) => [name, listWords(all[index])]);
    expect(said(gapped)).toEqual(said(whole));
    // pyHanko reads no hybrid files at all
    const refused = names.filter((_, index) => whole[index]?.verdict !== 'accept');
    expect(refused).toEqual(['hybrid']);
  }, 300_000);

  test('see an earlier signature that covers gaps as it was, after another one', async () => {
    const { once, twice } = await sealUnpinned();
    made.set('unpinned before', once);
    made.set('unpinned after', twice);
    // pyHanko compares no revisions that refer to what isn't there, unless it reads leniently
    const [before, after] = await judge(['unpinned before', 'unpinned after'], { lenient: true });
    expect(listWords(after)).toEqual(listWords(before));
    expect(after?.verdict).toBe('accept');
  }, 120_000);
});

/** The form of the first seal refers to what isn't there, and nobody made it null, as in files of other programs. */
async function sealUnpinned(): Promise<{ once: Uint8Array; twice: Uint8Array; gap: number }> {
  const input = makeSamplePdf();
  const options = { appearance: drawBox(1000) };
  const gap = openPdf(createArraySource(await seal(input, 'b-t', options))).nextObjectNumber;
  const once = await seal(input, 'b-t', { appearance: drawBox(gap) });
  return { once, twice: await seal(once, 'b-lta', { appearance: drawBox(undefined, 60) }), gap };
}

test('what an earlier signature covers and is not there gets neither a null nor an object of the next seal', async () => {
  const { once, twice, gap } = await sealUnpinned();
  expect(openPdf(createArraySource(once)).nextObjectNumber).toBe(gap);
  expect(openPdf(createArraySource(twice)).findEntry(gap)).toBeUndefined();
});

/** By the generation under which the number may be used again; 0 is never. */
describe.each([1, 0])('a reference to a deleted object, free for generation %i', (next) => {
  test('is left alone, and who fills it is seen by our verifier, DSS and pyHanko', async () => {
    const options = { roots: [pki.root.certificate], now: new Date() };
    const sealed = await seal(addGaps(withDeleted(makeSamplePdf(), next), 'with gaps'), 'b-t');
    const filled = change(sealed, (update) => {
      const entries: [string, PdfObject][] = [
        ['Subtype', new PdfName('Form')],
        ['BBox', [0, 0, 400, 400]],
      ];
      update.set(new PdfRef(farGap), new PdfNewStream(new PdfDict(entries), Buffer.from('0 0 400 400 re f')));
    });
    expect(openPdf(createArraySource(sealed)).findEntry(farGap)).toMatchObject({ type: 'free' });
    expect(validateSignatures(createArraySource(sealed), options).accepted).toBe(true);
    expect(validateSignatures(createArraySource(filled), options).accepted).toBe(false);
    if (missing !== '') return;
    made.set(`deleted ${next}`, sealed);
    made.set(`filled ${next}`, filled);
    const [before, after] = await judge([`deleted ${next}`, `filled ${next}`], {});
    expect(listWords(before)?.filter(([, word]) => word === 'refuse')).toEqual([]);
    const refused = after?.opinions.filter(({ word }) => word === 'refuse').map(({ judge: who }) => who);
    expect(refused).toEqual(['dss', 'pyhanko']);
  }, 120_000);
});
