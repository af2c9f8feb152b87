import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAppearance, parseAppearance } from '@sigillum/appearances';
import { createArraySource } from '@sigillum/pdf';
import { Judges, SoftwarePki, sealBySoftware } from '@sigillum/testing';
import { makePdf, makePng, makeStream, openFonts } from './make-pdf.ts';

/** Of Debian's fonts-dejavu-core and fonts-droid-fallback; `added-fonts` says when they are missing. */
const added = ['dejavu/DejaVuSans', 'droid/DroidSansFallbackFull']
  .map((name) => `/usr/share/fonts/truetype/${name}.ttf`)
  .filter((path) => existsSync(path));
const fonts = openFonts(...added);
const corpus = join(import.meta.dirname, '../../../test/corpus/files');
const judges = Judges.open({ only: ['verapdf', 'dss', 'pyhanko', 'qpdf'] });
const folder = mkdtempSync(join(tmpdir(), 'archival-'));
let pki: SoftwarePki;

beforeAll(async () => {
  pki = await SoftwarePki.make();
  writeFileSync(join(folder, 'root.pem'), pki.rootPem);
  writeFileSync(join(folder, 'crls.pem'), pki.crlsPem);
});
afterAll(async () => {
  await judges.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Everything that PDF/A could object to: colours, an image with alpha, a code, both fonts, a combining mark. */
const logo = makePng(
  2,
  2,
  { type: 6 },
  Uint8Array.of(0, 200, 30, 60, 255, 0, 90, 200, 128, 0, 0, 0, 0, 0, 255, 0, 200, 64),
);
const everything = {
  page: 1,
  rectangle: [4, 3, 244, 51],
  title: 'Müller & Söhne',
  text: '{date} {time}\n{reason}: x\u0301 Ελληνικά Ж' + (added.length === 2 ? ' → 日本 Հ' : ''),
  color: '#203a5c',
  background: '#eef2f7',
  border: { color: '#0b6e99' },
  accent: '#c0392b',
  image: Buffer.from(logo).toString('base64'),
  qr: 'https://seal.example.org/verify/42',
};

/** An empty page that claims PDF/A without an output intent: no device colour may be used in it. */
function makeBareArchive(part: 1 | 2 | 3): Uint8Array {
  const claim = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:a="http://www.aiim.org/pdfa/ns/id/" a:part="${part}" a:conformance="B"/></rdf:RDF></x:xmpmeta>`;
  const packet =
    `<?xpacket begin="\u00ef\u00bb\u00bf" id="W5M0MpCehiHzreSzNTczkc9d"?>${claim}<?xpacket end="w"?>`.replaceAll(
      'xmlns:a="http://www.aiim.org/pdfa/ns/id/" a:part',
      'xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part',
    );
  return makePdf(
    [
      '<< /Type /Catalog /Pages 2 0 R /Metadata 5 0 R >>',
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << >> >>',
      makeStream(''),
      makeStream(packet.replace('a:conformance', 'pdfaid:conformance'), '/Type /Metadata /Subtype /XML'),
    ],
    part === 1 ? '1.4' : '1.7',
  );
}

const read = (name: string) => new Uint8Array(readFileSync(join(corpus, name)));
const inputs: [string, '1b' | '2b' | '3b', () => Uint8Array][] = [
  ['Ghostscript', '1b', () => read('ghostscript/text-pdfa-1b.pdf')],
  ['Ghostscript', '2b', () => read('ghostscript/text-pdfa-2b.pdf')],
  ['Ghostscript', '3b', () => read('ghostscript/text-pdfa-3b.pdf')],
  ['fpdf2', '3b', () => read('fpdf2/invoice-pdfa-3b.pdf')],
  ['FOP', '2b', () => read('fop/sails-pdfa-2b.pdf')],
  ['hand, without an output intent', '1b', () => makeBareArchive(1)],
  ['hand, without an output intent', '2b', () => makeBareArchive(2)],
  ['hand, without an output intent', '3b', () => makeBareArchive(3)],
];

const missing = judges.missing.map(({ judge }) => judge);
describe('A visible seal with everything in it', () => {
  test.each(inputs)('leaves a file of %s PDF/A-%s, and every judge accepts it', async (name, flavour, make) => {
    const input = make();
    const context = { now: pki.now, signer: 'Example AG', reason: 'Approved' };
    const appearance = await createAppearance(createArraySource(input), parseAppearance(everything), context, fonts);
    const { bytes } = await sealBySoftware(input, pki, { appearance });
    const file = join(folder, `${name.slice(0, 4)}-${flavour}.pdf`);
    writeFileSync(file, bytes);
    const options = {
      roots: [join(folder, 'root.pem')],
      crls: [join(folder, 'crls.pem')],
      flavour,
      level: 'PAdES-BASELINE-T' as const,
    };
    const [judgement] = await judges.judge([file], options);
    const words = Object.fromEntries(
      judgement?.opinions.map(({ judge, word, reasons }) => [judge, [word, ...reasons]]) ?? [],
    );
    for (const judge of ['verapdf', 'dss', 'pyhanko'] as const) {
      if (!missing.includes(judge)) expect([judge, ...(words[judge] ?? [])]).toEqual([judge, 'accept']);
    }
    if (!missing.includes('qpdf')) expect(words.qpdf?.[0]).not.toBe('refuse');
  });
});
