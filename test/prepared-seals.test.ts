import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareSignature, type SealAppearance, type SealOptions, validateSignatures } from '@sigillum/pades';
import { createArraySource, findPage, PdfDict, PdfName, PdfNewStream, type Rectangle } from '@sigillum/pdf';
import { type Judgement, Judges, makeForgeries, rewriteWithQpdf, sealBySoftware, SoftwarePki } from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const judges = Judges.open({ only: ['dss', 'pyhanko', 'pdfsig', 'qpdf'] });
const missing = judges.missing.map(({ judge, missing: why }) => `${judge} (${why})`).join(', ');
const withJudges = missing === '' || process.env['CI'] === 'true' ? describe : describe.skip;
const folder = mkdtempSync(join(tmpdir(), 'sigillum-prepared-'));
const archival = Judges.open({ only: ['verapdf'] });
const withVerapdf = archival.missing.length === 0 || process.env['CI'] === 'true' ? describe : describe.skip;
const judged = new Map<string, Judgement>();
const refusedByUs: string[] = [];

afterAll(async () => {
  await Promise.all([judges.close(), archival.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** A box on a page. */
function show(index: number, rectangle: Rectangle): SealAppearance {
  return (document) => {
    const page = findPage(document, index);
    if (page === undefined) throw new Error('no such page');
    return {
      page,
      rectangle,
      addForm(update) {
        const ref = update.allocate();
        const dict = new PdfDict([
          ['Type', new PdfName('XObject')],
          ['Subtype', new PdfName('Form')],
          ['BBox', [0, 0, 100, 40]],
          ['Resources', new PdfDict()],
        ]);
        update.set(ref, new PdfNewStream(dict, Buffer.from('2 w 1 1 98 38 re S')));
        return ref;
      },
    };
  };
}

/** Two pages and a form: signature fields merged with their widget and apart from it, with lock and wishes, and a text field. */
function makeContract(version: string): Uint8Array {
  const content = 'BT /F1 24 Tf 72 700 Td (Contract) Tj ET';
  const page = (annotations: string) =>
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R ${annotations} >>`;
  const widget = '/Type /Annot /Subtype /Widget /F 4';
  const bodies = [
    '<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [8 0 R 9 0 R 12 0 R 13 0 R] >> >>',
    '<< /Type /Pages /Kids [3 0 R 6 0 R] /Count 2 >>',
    page('/Annots 7 0 R'),
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    page('/Annots [11 0 R 12 0 R]'),
    '[8 0 R]',
    `<< ${widget} /FT /Sig /T (Author) /Rect [50 500 250 560] /P 3 0 R >>`,
    '<< /T (parties) /Kids [10 0 R] >>',
    '<< /FT /Sig /T (buyer) /Parent 9 0 R /Kids [11 0 R] /Lock << /Type /SigFieldLock /Action /Include /Fields [(Remark)] >> ' +
      '/SV << /Type /SV /Ff 74 /SubFilter [/ETSI.CAdES.detached] /Reasons [(Approved)] /DigestMethod [(SHA256)] >> >>',
    `<< ${widget} /Parent 10 0 R /Rect [50 400 250 460] /P 6 0 R >>`,
    `<< ${widget} /FT /Sig /T (Witness) /Rect [50 300 250 360] /P 6 0 R >>`,
    '<< /FT /Tx /T (Remark) >>',
  ];
  let file = `%PDF-${version}\n%\u00e2\u00e3\u00cf\u00d3\n`;
  const offsets = bodies.map((body, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${body}\nendobj\n`;
    return offset;
  });
  const lines = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = bodies.length + 1;
  file += `xref\n0 ${size}\n0000000000 65535 f \n${lines}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n`;
  return Buffer.from(`${file}${file.lastIndexOf('xref\n0')}\n%%EOF\n`, 'latin1');
}

const kinds = new Map<string, () => Uint8Array>([
  // below 1.7 /Extensions could be asked for: nobody does
  ['PDF 1.4', () => makeContract('1.4')],
  ['object streams', () => rewriteWithQpdf(makeContract('1.7'), ['--object-streams=generate'])],
]);

const apart = 'a field with widgets of its own shown, then a new one';
/** What comes after what: each step is a seal on the file of the step before. */
const sequences: Readonly<Record<string, readonly Partial<SealOptions>[]>> = {
  'certified, then two fields filled, then a new one': [
    { certify: 2, fieldName: 'Author', appearance: show(0, [0, 0, 9, 9]) },
    { fieldName: 'Witness', appearance: show(0, [0, 0, 9, 9]) },
    { fieldName: 'parties.buyer' },
    {},
  ],
  'two new visible ones, then a field filled': [
    { appearance: show(1, [300, 100, 400, 140]) },
    { appearance: show(0, [300, 100, 400.5, 140]) },
    { fieldName: 'Author' },
  ],
  [apart]: [{ fieldName: 'parties.buyer', appearance: show(0, [0, 0, 9, 9]) }, {}],
  'certified visibly for comments too, then a field filled': [
    { certify: 3, appearance: show(1, [300, 100, 400, 140]) },
    { fieldName: 'Author' },
  ],
  'certified against any change': [{ certify: 1, reason: '日本語 – Ωmega' }],
};
const names = [...kinds.keys()].flatMap((kind) =>
  Object.entries(sequences).flatMap(([sequence, steps]) =>
    steps.map((_, step) => `${kind}: ${sequence}, step ${step + 1}`),
  ),
);

test('every judge is on this machine, or is named among the skipped ones', () => {
  if (missing !== '') console.log(`Skipped: ${missing}`);
  expect(process.env['CI'] === 'true' ? missing : '').toBe('');
});

withJudges(`seals in fields, visible and certifying${missing === '' ? '' : ` (skipped without ${missing})`}`, () => {
  beforeAll(async () => {
    const pki = await SoftwarePki.make();
    const [root, crls] = [join(folder, 'root.pem'), join(folder, 'crls.pem')];
    writeFileSync(root, pki.rootPem);
    writeFileSync(crls, pki.crlsPem);
    const paths = new Map<string, string>();
    for (const [kind, make] of kinds) {
      const input = make();
      for (const [sequence, steps] of Object.entries(sequences)) {
        let bytes = input;
        for (const [step, options] of steps.entries()) {
          const name = `${kind}: ${sequence}, step ${step + 1}`;
          const sealed = (await sealBySoftware(bytes, pki, options)).bytes;
          if (!Buffer.from(bytes).equals(sealed.subarray(0, bytes.length))) throw new Error(`${name}: bytes changed`);
          bytes = sealed;
          const report = validateSignatures(createArraySource(bytes), {
            roots: [pki.root.certificate],
            now: new Date(),
          });
          if (!report.accepted) refusedByUs.push(name);
          const path = join(folder, `${paths.size}.pdf`);
          writeFileSync(path, bytes);
          paths.set(name, path);
        }
      }
    }
    const options = { roots: [root], crls: [crls], level: 'PAdES-BASELINE-T' };
    const judgements = await judges.judge([...paths.values()], options);
    for (const [index, name] of [...paths.keys()].entries()) {
      const judgement = judgements[index];
      if (judgement) judged.set(name, judgement);
    }
  }, 180_000);

  // each judge looks at all signatures of the file: a later step that broke an earlier signature is refused
  test.each(names)('all judges accept %s', (name) => {
    const judgement = judged.get(name);
    // pdfsig finds no signature in a field whose widgets are objects of their own, unless there is another one
    const blind = name.endsWith(`${apart}, step 1`);
    expect(judgement?.opinions.map(({ judge, word }) => [judge, word])).toEqual([
      ['dss', 'accept'],
      ['pyhanko', 'accept'],
      ['pdfsig', blind ? 'abstain' : 'accept'],
      ['qpdf', 'accept'],
    ]);
  });

  test('our own verifier accepts each of them', () => {
    expect(refusedByUs).toEqual([]);
  });
});

withVerapdf('PDF/A with a visible, certifying seal', () => {
  const files = [
    ['1b', 'ghostscript/text-pdfa-1b.pdf'],
    ['1a', 'libreoffice/letter-pdfa-1b.pdf'],
    ['2b', 'pdfkit/tagged-pdfa-2b.pdf'],
    ['2u', 'weasyprint/report-pdfa-2u.pdf'],
    ['3b', 'fpdf2/invoice-pdfa-3b.pdf'],
    ['4f', 'weasyprint/report-pdfa-4f.pdf'],
  ] as const;

  test.each(files)('stays PDF/A-%s (%s)', async (flavour, file) => {
    const pki = await SoftwarePki.make();
    const input = readFileSync(join(import.meta.dirname, 'corpus/files', file));
    const options = { certify: 2, appearance: show(0, [20, 20, 120.5, 60.25]) } as const;
    const [path, root] = [join(folder, `${flavour}.pdf`), join(folder, `${flavour}.pem`)];
    writeFileSync(path, (await sealBySoftware(input, pki, options)).bytes);
    writeFileSync(root, pki.rootPem);
    const [judgement] = await archival.judge([path], { roots: [root], crls: [], flavour });
    expect(judgement?.opinions.map(({ word, reasons }) => [word, reasons])).toEqual([['accept', []]]);
  });
});

test('earlier signatures and time-stamps are found intact, and broken when a byte before them changes', async () => {
  const [pki, strangers] = [await SoftwarePki.make(), await SoftwarePki.make('Strangers')];
  const sample = await sealBySoftware(makeContract('1.7'), pki, { fieldName: 'Witness' });
  const forgeries = makeForgeries(sample, { pki, strangers });
  // the page was changed by an update and then time-stamped: each signature by itself is good
  const stamped = forgeries.find(({ name }) => name === 'changed-below-time-stamp')?.bytes ?? new Uint8Array();
  const states = (bytes: Uint8Array) => {
    const finish = () => new Uint8Array(32);
    const input = { source: createArraySource(bytes), prefixHash: { algorithm: 'sha256' as const, finish } };
    const prepared = prepareSignature(
      input,
      { signingTime: pki.now, contentsSize: 64 },
      (size) => new Uint8Array(size),
    );
    return prepared.earlierSignatures;
  };
  expect(states(stamped)).toEqual([
    { fieldName: 'Witness', state: 'intact' },
    { fieldName: 'Later', state: 'intact' },
  ]);
  const changed = Uint8Array.from(stamped);
  const at = Buffer.from(changed).indexOf('Contract');
  changed[at] = 0x42;
  expect(states(changed).map(({ state }) => state)).toEqual(['broken', 'broken']);
});

describe('a field that wants a certain certificate', () => {
  let pki: SoftwarePki;
  let strangers: SoftwarePki;
  beforeAll(async () => {
    [pki, strangers] = [await SoftwarePki.make(), await SoftwarePki.make('Strangers')];
  });
  const hex = (bytes: Uint8Array) => `<${Buffer.from(bytes).toString('hex')}>`;
  const organization = '/O (Forgeries \\(no legal value\\))';
  const cases: readonly (readonly [string, (good: SoftwarePki, other: SoftwarePki) => string, boolean])[] = [
    ['the signer itself', (good) => `/Ff 1 /Subject [${hex(good.leaf.certificate)}]`, true],
    ['another one', (good) => `/Ff 1 /Subject [${hex(good.otherLeaf.certificate)}]`, false],
    [
      'one of its root',
      (good, other) => `/Ff 2 /Issuer [${hex(other.root.certificate)} ${hex(good.root.certificate)}]`,
      true,
    ],
    ['one of another root', (_, other) => `/Ff 2 /Issuer [${hex(other.root.certificate)}]`, false],
    ['one under a policy', () => '/Ff 4 /OID [(1.2.3)]', false],
    ['one with its name', () => `/Ff 8 /SubjectDN [<< ${organization} /CN (Forgeries seal) >>]`, true],
    ['one with another name', () => `/Ff 8 /SubjectDN [<< ${organization} /CN (Nobody) >>]`, false],
    ['one that only seals', () => '/Ff 32 /KeyUsage [(01) (1)]', true],
    ['one that may also log in', () => '/Ff 32 /KeyUsage [(11)]', false],
  ];

  test.each(cases)('%s', async (_, constraint, isMet) => {
    const seed = `/SV << /Cert << ${constraint(pki, strangers)} >> >>`;
    const text = Buffer.from(makeContract('1.7')).toString('latin1');
    // the last object before the table may grow, since offsets of the others stay
    const grown = text.replace('<< /FT /Tx /T (Remark) >>', `<< /FT /Sig /T (Remark) ${seed} >>`);
    const file = grown.replace(/startxref\n\d+/, `startxref\n${grown.lastIndexOf('xref\n0')}`);
    const sealing = sealBySoftware(Buffer.from(file, 'latin1'), pki, { fieldName: 'Remark' });
    if (isMet) expect((await sealing).bytes.length).toBeGreaterThan(file.length);
    else await expect(sealing).rejects.toMatchObject({ code: 'seed_value_unsatisfiable' });
  });
});
