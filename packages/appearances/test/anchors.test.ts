import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { createAppearance, parseAppearance } from '@sigillum/appearances';
import { createArraySource, openPdf } from '@sigillum/pdf';
import { rewriteWithQpdf } from '@sigillum/testing';
import { getDocument, Util } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { anchorLimits } from '../src/anchor/anchor-limits.ts';
import { findAnchor } from '../src/anchor/find-anchor.ts';
import { makePagePdf, makePdf, makeStream, openFonts } from './make-pdf.ts';

const fonts = openFonts();
const context = { now: new Date('2026-11-22T05:00:00Z'), signer: 'Example AG' };
const corpus = join(import.meta.dirname, '../../../test/corpus/files');
const helvetica = '/Resources << /Font << /F 5 0 R >> >>';
const simple = '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>';

/** Where a seal of 60 × 20 over the anchor would stand: its lower left corner is that of the text. */
async function find(input: Uint8Array, text: string, more: object = {}): Promise<readonly number[]> {
  const { page, ...anchor } = { page: undefined, ...more } as { page?: number };
  const request = parseAppearance({
    ...(page !== undefined && { page }),
    anchor: { text, width: 60, height: 20, position: 'over', ...anchor },
    text: '',
  });
  const source = createArraySource(input);
  const appearance = await createAppearance(source, request, context, fonts);
  return appearance(openPdf(source)).rectangle;
}

/** The text begins at 100, 300 in 10 points: below that are 2.2 points for descenders. */
const expected = [expect.closeTo(100, 0), expect.closeTo(297.8, 0), expect.closeTo(160, 0), expect.closeTo(317.8, 0)];
const box = '/MediaBox [0 0 300 400]';

describe('An anchor is found', () => {
  const contents: [string, string][] = [
    ['in one piece', 'BT /F 10 Tf 100 300 Td (Sign here, please) Tj ET'],
    ['after other text of its line', 'BT /F 10 Tf 10 300 Td (Name) Tj 90 0 Td (Sign here, please) Tj ET'],
    ['split into pieces', 'BT /F 10 Tf 100 300 Td (Si) Tj [(gn)-250(he) 20 (re)] TJ (, pl) Tj (ease) Tj ET'],
    [
      'letter by letter in the wrong order',
      'BT /F 10 Tf 1 0 0 1 108.9 300 Tm (gn here) Tj 1 0 0 1 100 300 Tm (Si) Tj ET',
    ],
    ['written twice for bold', 'BT /F 10 Tf 100 300 Td (Sign here) Tj ET BT /F 10 Tf 100.4 300 Td (Sign here) Tj ET'],
    ['invisible, as behind a scan', 'BT 3 Tr /F 10 Tf 100 300 Td (Sign here) Tj ET'],
    ['scaled and moved by matrices', 'q 2 0 0 2 50 100 cm BT /F 1 Tf 5 0 0 5 25 100 Tm (Sign here) Tj ET Q'],
    ['on the next line', "BT /F 10 Tf 14 TL 100 314 Td (Above) Tj (Sign here) ' ET"],
    ['after an inline image', 'BI /W 1 /H 1 /BPC 8 /CS /G ID \u0000 EI BT /F 10 Tf 100 300 Td (Sign here) Tj ET'],
    ['with escapes and hexadecimal', 'BT /F 10 Tf 100 300 Td (S\\151gn) Tj <206865> Tj (re) Tj ET'],
  ];
  test.each(contents)('%s', async (_, content) => {
    expect(await find(makePagePdf(`${box} ${helvetica}`, content, '', [simple]), 'Sign here')).toEqual(expected);
  });

  test('inside a form XObject that has no resources of its own', async () => {
    const form = makeStream(
      'BT /F 10 Tf 90 280 Td (Sign here) Tj ET',
      '/Type /XObject /Subtype /Form /BBox [0 0 300 400] /Matrix [1 0 0 1 10 20]',
    );
    const resources = '/Resources << /Font << /F 5 0 R >> /XObject << /X 6 0 R >> >>';
    expect(await find(makePagePdf(`${box} ${resources}`, '/X Do', '', [simple, form]), 'Sign here')).toEqual(expected);
  });

  test('in a form field and other annotations, where they show it, but not in seals and what is hidden', async () => {
    const form = makeStream(
      'BT /F 5 Tf 10 5 Td (Sign here) Tj ET',
      '/Type /XObject /Subtype /Form /BBox [0 0 50 20] /Matrix [1 0 0 1 7 9] /Resources << /Font << /F 5 0 R >> >>',
    );
    // twice as large as the form's own box
    const annotation = (more: string, name = '6 0 R') =>
      makePagePdf(`${box} /Annots [<< /Type /Annot /Rect [80 290 180 330] /AP << /N ${name} >> ${more} >>]`, '', '', [
        simple,
        form,
        '<< /FT /Sig /T (S) >>',
      ]);
    expect(await find(annotation('/Subtype /Widget /FT /Tx /T (a) /F 4'), 'Sign here')).toEqual(expected);
    expect(await find(annotation('/Subtype /FreeText'), 'Sign here')).toEqual(expected);
    const states = annotation('/Subtype /Widget /FT /Btn /AS /Yes', '<< /Yes 6 0 R >>');
    expect(await find(states, 'Sign here')).toEqual(expected);
    for (const more of [
      '/Subtype /Widget /FT /Sig',
      '/Subtype /Widget /Parent 7 0 R',
      '/Subtype /Widget /FT /Tx /F 2',
      '/Subtype /Popup',
    ]) {
      await expect(find(annotation(more), 'Sign here')).rejects.toMatchObject({ code: 'appearance_anchor_not_found' });
    }
    const off = annotation('/Subtype /Widget /FT /Btn /AS /Off', '<< /Yes 6 0 R >>');
    await expect(find(off, 'Sign here')).rejects.toMatchObject({ code: 'appearance_anchor_not_found' });
  });

  test('by Differences, ligatures and accents of their own', async () => {
    const font =
      '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [1 /fi /uni00E9 /Lslash /gravecmb] >> >>';
    const input = makePagePdf(`${box} ${helvetica}`, 'BT /F 10 Tf 100 300 Td (Of\\001ce \\003od\\002) Tj ET', '', [
      font,
    ]);
    expect(await find(input, 'Office Łodé')).toEqual(expected);
  });

  test('in a composite font by ToUnicode', async () => {
    const cmap = makeStream(
      '1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfchar <0001> <00530069> endbfchar 1 beginbfrange <0002> <0003> [<0067> <006E>] endbfrange 1 beginbfrange <0010> <0020> <0061> endbfrange',
    );
    const type0 =
      '<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [7 0 R] /ToUnicode 6 0 R >>';
    const cid = '<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /DW 500 /W [1 [1000] 2 3 500] >>';
    const content = 'BT /F 10 Tf 100 300 Td <0001000200030010> Tj ET';
    expect(await find(makePagePdf(`${box} ${helvetica}`, content, '', [type0, cmap, cid]), 'Signa')).toEqual(expected);
  });

  test.each(['ASCIIHexDecode', 'ASCII85Decode', 'LZWDecode', 'RunLengthDecode'])(
    'in content behind %s',
    async (filter) => {
      const content = 'BT /F 10 Tf 100 300 Td (Sign here) Tj ET';
      const encoded: Record<string, Uint8Array> = {
        ASCIIHexDecode: Buffer.from(`${Buffer.from(content).toString('hex')}>`),
        ASCII85Decode: encodeAscii85(Buffer.from(content)),
        LZWDecode: encodeLzw(Buffer.from(content)),
        RunLengthDecode: Buffer.from([content.length - 1, ...Buffer.from(content), 128]),
      };
      const input = makePdf([
        '<< /Type /Catalog /Pages 2 0 R >>',
        '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
        `<< /Type /Page /Parent 2 0 R ${box} ${helvetica} /Contents 4 0 R >>`,
        makeStream(encoded[filter] ?? '', `/Filter /${filter}`),
        simple,
      ]);
      expect(await find(input, 'Sign here')).toEqual(expected);
    },
  );

  test.each([
    [90, '0 1 -1 0 100 100'],
    [180, '-1 0 0 -1 200 300'],
    [270, '0 -1 1 0 200 300'],
  ])('upright on a page that is turned by %d degrees', async (rotate, matrix) => {
    const content = `BT /F 10 Tf ${matrix} Tm (Sign here) Tj ET`;
    const input = makePagePdf(`${box} /Rotate ${rotate} ${helvetica}`, content, '', [simple]);
    const [left = 0, bottom = 0, right = 0, top = 0] = await find(input, 'Sign here', { position: 'right' });
    // in user space the seal follows the text in its direction: up, to the left, down
    const centre = [(left + right) / 2, (bottom + top) / 2];
    const length = 43.4 + 4 + 30;
    const wanted = { 90: [97, 100 + length], 180: [200 - length, 297], 270: [203, 300 - length] }[rotate] ?? [];
    expect(centre).toEqual(wanted.map((value) => expect.closeTo(value, -0.5)));
    expect(Math.round(right - left)).toBe(rotate === 180 ? 60 : 20);
  });

  test('in an encrypted file, also behind another filter', async () => {
    const hex = makeStream(
      `${Buffer.from('BT /F 10 Tf 100 300 Td (Sign here) Tj ET').toString('hex')}>`,
      '/Filter /ASCIIHexDecode',
    );
    const plain = makePagePdf(`${box} ${helvetica} /Contents 6 0 R`.replace('/Contents 4', ''), '', '', [simple, hex]);
    const objects = Buffer.from(plain).toString('latin1').replace('/Contents 4 0 R', '/Other    4 0 R');
    const input = rewriteWithQpdf(Buffer.from(objects, 'latin1'), [
      '--stream-data=preserve',
      '--encrypt',
      '',
      'owner',
      '256',
      '--',
    ]);
    expect(Buffer.from(input).toString('latin1')).toContain('/Encrypt');
    expect(await find(input, 'Sign here')).toEqual(expected);
  });

  test('by its occurrence in reading order, over all pages', async () => {
    const page = (content: number) =>
      `<< /Type /Page /Parent 2 0 R ${box} /Resources << /Font << /F 7 0 R >> >> /Contents ${content} 0 R >>`;
    const input = makePdf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>',
      page(5),
      page(6),
      makeStream('BT /F 10 Tf 100 100 Td (Sign) Tj 0 200 Td (Sign) Tj ET'),
      makeStream('BT /F 10 Tf 50 40 Td (Sign) Tj -1000 0 Td (Sign) Tj ET'),
      simple,
    ]);
    expect((await find(input, 'Sign', { occurrence: 1 }))[1]).toBeCloseTo(297.8, 0);
    expect((await find(input, 'Sign', { occurrence: 2 }))[1]).toBeCloseTo(97.8, 0);
    expect((await find(input, 'Sign', { occurrence: 3 }))[1]).toBeCloseTo(37.8, 0);
    expect((await find(input, 'Sign', { page: -1 }))[1]).toBeCloseTo(37.8, 0);
    // the fourth lies beside the page
    await expect(find(input, 'Sign', { occurrence: 4 })).rejects.toMatchObject({ code: 'appearance_anchor_not_found' });
    await expect(find(input, 'Sign')).rejects.toMatchObject({
      code: 'appearance_anchor_ambiguous',
      message: expect.stringMatching(/or give the page\.$/),
    });
    await expect(find(input, 'Sign', { page: 1 })).rejects.toMatchObject({
      code: 'appearance_anchor_ambiguous',
      message: 'The text of the anchor is more than once on page 1; say by occurrence which one of the 2 is meant.',
    });
    await expect(find(input, 'sign')).rejects.toMatchObject({ code: 'appearance_anchor_not_found' });
    await expect(find(input, 'Sign', { page: 3 })).rejects.toMatchObject({ code: 'appearance_page_unknown' });
  });

  test('not across columns, and not where the space is missing or too much', async () => {
    const content = 'BT /F 10 Tf 50 300 Td (Sign) Tj 100 0 Td (here) Tj -100 -50 Td (nowhere) Tj ET';
    const input = makePagePdf(`${box} ${helvetica}`, content, '', [simple]);
    await expect(find(input, 'Sign here')).rejects.toMatchObject({ code: 'appearance_anchor_not_found' });
    await expect(find(input, 'no where')).rejects.toMatchObject({ code: 'appearance_anchor_not_found' });
    expect((await find(input, 'nowhere'))[0]).toBeCloseTo(50, 0);
  });
});

test('Text is where pdf.js sees it, in files of every producer of the corpus', async () => {
  const files = [
    'ghostscript/text-pdfa-1b',
    'fop/sails',
    'chromium/report',
    'cairo/pango-text',
    'groff/notes',
    'fpdf2/plain',
    'handwritten/user-unit-and-boxes',
    'handwritten/rotated-90',
  ];
  let compared = 0;
  for (const file of files) {
    const bytes = new Uint8Array(readFileSync(join(corpus, `${file}.pdf`)));
    const task = getDocument({ data: bytes.slice(), isEvalSupported: false, disableFontFace: true, verbosity: 0 });
    const page = await (await task.promise).getPage(1);
    const view = page.getViewport({ scale: 1 });
    const texts = (await page.getTextContent()).items.flatMap((item) => ('str' in item ? [item] : []));
    for (const text of texts
      .filter(({ str }) => str.trim().length > 6 && str.length < 150 && str === str.trim())
      .slice(0, 8)) {
      const point = [text.transform[4], text.transform[5]];
      Util.applyTransform(point, view.transform);
      const [x = 0, y = 0] = point;
      const anchor = {
        text: text.str,
        occurrence: 1,
        position: 'over',
        width: 60,
        height: 20,
        offset: [0, 0],
      } as const;
      const { box } = await findAnchor(openPdf(createArraySource(bytes)), anchor, 1, await fonts.loadKnowledge());
      expect([
        text.str,
        Math.abs(box[0] - x) < 8 || Math.abs(box[2] - x) < 8,
        box[1] - 8 < view.height - y && view.height - y < box[3] + 8,
      ]).toEqual([text.str, true, true]);
      compared++;
    }
    await task.destroy();
  }
  expect(compared).toBeGreaterThan(20);
});

test('Hostile content ends in an answer', async () => {
  const started = performance.now();
  const attempts = [
    `BT /F 1 Tf ${'(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj '.repeat(6000)}`,
    '['.repeat(2_000_000),
    `${'q '.repeat(500_000)} BT /F 10 Tf (x) Tj`,
    '<< '.repeat(500_000),
    '('.repeat(1_000_000),
    'BI '.repeat(300_000),
  ];
  for (const content of attempts) {
    const input = makePagePdf(`${box} ${helvetica}`, content, '', [simple]);
    await expect(find(input, 'a'.repeat(200), { occurrence: 100_000 })).rejects.toMatchObject({
      code: expect.stringMatching(/^appearance_anchor_(not_found|limit_exceeded)$/),
    });
  }
  // a direct font with many widths, asked for again and again
  const fat = `/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /X /Widths [${'500 '.repeat(100_000)}] >> >> >>`;
  await expect(find(makePagePdf(`${box} ${fat}`, '/F 1 Tf '.repeat(300_000)), 'a')).rejects.toMatchObject({
    code: 'appearance_anchor_not_found',
  });
  const loop = makeStream('/X Do /X Do', '/Type /XObject /Subtype /Form /BBox [0 0 1 1]');
  const resources = '/Resources << /XObject << /X 5 0 R >> >>';
  await expect(find(makePagePdf(`${box} ${resources}`, '/X Do', '', [loop]), 'a')).rejects.toMatchObject({
    code: 'appearance_anchor_not_found',
  });
  expect(performance.now() - started).toBeLessThan(60_000);
});

test('A page of more content than is searched says so', async () => {
  const { pageBytes } = anchorLimits;
  const input = makePagePdf(`${box} ${helvetica}`, ' '.repeat(pageBytes + 1), '', [simple]);
  await expect(find(input, 'a')).rejects.toMatchObject({
    code: 'appearance_anchor_limit_exceeded',
    fields: [expect.objectContaining({ pointer: '/anchor' })],
  });
});

function encodeAscii85(bytes: Uint8Array): Buffer {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const size = Math.min(4, bytes.length - at);
    let value = 0;
    for (let i = 0; i < 4; i++) value = value * 256 + (bytes[at + i] ?? 0);
    const digits = Array.from({ length: 5 }, (_, i) =>
      String.fromCharCode(33 + (Math.floor(value / 85 ** (4 - i)) % 85)),
    );
    text += digits.slice(0, size + 1).join('');
  }
  return Buffer.from(`${text}~>`);
}

/** Nine bits a code: the content is shorter than the table's first growth. */
function encodeLzw(bytes: Uint8Array): Buffer {
  const codes = [256];
  const table = new Map<string, number>();
  let current = '';
  const codeOf = (text: string) => (text.length === 1 ? text.charCodeAt(0) : (table.get(text) ?? 0));
  for (const character of Buffer.from(bytes).toString('latin1')) {
    if (current === '' || table.has(current + character)) {
      current += character;
      continue;
    }
    codes.push(codeOf(current));
    table.set(current + character, 258 + table.size);
    current = character;
  }
  codes.push(codeOf(current), 257);
  const bits = codes.map((code) => code.toString(2).padStart(9, '0')).join('');
  return Buffer.from((bits.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)));
}

describe('Text on layers', () => {
  const at = (text: string, x: number) => `BT /F 10 Tf ${x} 300 Td (${text}) Tj ET`;
  const layered = (configuration: string, content: string, more: { page?: string; objects?: readonly string[] } = {}) =>
    makePdf([
      `<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [6 0 R 7 0 R] /D << ${configuration} >> >> >>`,
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      `<< /Type /Page /Parent 2 0 R ${box} /Contents 4 0 R /Resources << /Font << /F 5 0 R >> /XObject << /X 9 0 R >> /Properties << /A 6 0 R /B 7 0 R /M 8 0 R >> >> ${more.page ?? ''} >>`,
      makeStream(content),
      simple,
      '<< /Type /OCG /Name (A) >>',
      '<< /Type /OCG /Name (B) >>',
      ...(more.objects ?? ['<< /Type /OCMD /OCGs [6 0 R 7 0 R] /P /AllOn >>']),
    ]);
  const shown = at('Sign here', 100);

  test.each([
    ['off', '/OFF [6 0 R]', `/OC /A BDC ${at('Sign here', 20)} EMC ${shown}`],
    ['off by default', '/BaseState /OFF /ON [7 0 R]', `/OC /A BDC ${at('Sign here', 20)} EMC /OC /B BDC ${shown} EMC`],
    ['off, in others', '/OFF [6 0 R]', `/P BMC /OC /A BDC /OC /B BDC ${at('Sign here', 20)} EMC EMC EMC ${shown}`],
    ['off, and never ended', '/OFF [6 0 R]', `${shown} /OC /A BDC ${at('Sign here', 20)}`],
    ['off as a member', '/OFF [7 0 R]', `/OC /M BDC ${at('Sign here', 20)} EMC ${shown}`],
  ])('that are %s is no anchor', async (_, configuration, content) => {
    expect(await find(layered(configuration, content), 'Sign here')).toEqual(expected);
  });

  test.each([
    ['/OFF [7 0 R]', `/OC /A BDC ${shown} EMC`],
    ['', `/OC /M BDC ${shown} EMC`],
    ['/OFF [6 0 R 7 0 R]', `/OC /Other BDC ${shown} EMC`],
    ['/OFF [6 0 R]', `EMC EMC /OC /A BDC EMC EMC ${shown}`],
  ])('that are on is one: %s', async (configuration, content) => {
    expect(await find(layered(configuration, content), 'Sign here')).toEqual(expected);
  });

  test('is none in a form or an annotation that belongs to one that is off', async () => {
    const form = (more: string) =>
      makeStream(at('Sign here', 20), `/Type /XObject /Subtype /Form /BBox [0 0 300 400] ${helvetica} ${more}`);
    const stamp = '<< /Type /Annot /Subtype /Stamp /F 4 /Rect [0 0 300 400] /OC 6 0 R /AP << /N 11 0 R >> >>';
    const input = layered('/OFF [6 0 R]', `/X Do ${shown}`, {
      page: '/Annots [10 0 R]',
      objects: ['<< /Type /OCMD /OCGs 6 0 R >>', form('/OC 8 0 R'), stamp, form('')],
    });
    expect(await find(input, 'Sign here')).toEqual(expected);
  });
});
