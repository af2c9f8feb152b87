import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type AppearanceContext, createAppearance, parseAppearance } from '@sigillum/appearances';
import { createArraySource, openPdf, PdfRef } from '@sigillum/pdf';
import { makePagePdf, makePdf, makePng, openFonts, prepare } from './make-pdf.ts';

const fonts = openFonts();
const input = makePagePdf('/MediaBox [0 0 300 400]');
const context: AppearanceContext = { now: new Date('2026-11-22T23:30:07Z'), signer: 'Example AG', reason: 'Approved' };
const place = { rectangle: [20, 20, 220, 90] };

async function make(
  json: object,
  changes: Partial<AppearanceContext> = {},
  from = fonts,
  pdf = input,
): Promise<Buffer> {
  const request = parseAppearance({ ...place, ...json });
  const appearance = await createAppearance(createArraySource(pdf), request, { ...context, ...changes }, from);
  return Buffer.from(prepare(pdf, appearance));
}

/** What a reader copies from the seal, by the ToUnicode maps in the file, as pdftotext does it. */
async function readText(pdf: Uint8Array): Promise<string> {
  const { getDocument } = await import('pdfjs-dist/legacy/build/pdf.mjs');
  const task = getDocument({ data: new Uint8Array(pdf), isEvalSupported: false, disableFontFace: true, verbosity: 0 });
  const page = await (await task.promise).getPage(1);
  const [annotation] = (await page.getAnnotations()) as { rect: number[] }[];
  const { fnArray, argsArray } = await page.getOperatorList();
  const { OPS } = await import('pdfjs-dist/legacy/build/pdf.mjs');
  const lines = fnArray.flatMap((operator, index) => {
    if (operator !== OPS.showText) return [];
    const glyphs = argsArray[index][0] as ({ unicode: string } | number)[];
    return [glyphs.map((glyph) => (typeof glyph === 'number' ? '' : glyph.unicode)).join('')];
  });
  await task.destroy();
  expect(annotation?.rect).toBeDefined();
  return lines.join('\n');
}

const wrong = (pointer: string) => ({ code: 'appearance_invalid', fields: [expect.objectContaining({ pointer })] });

describe('The text of a seal', () => {
  test('has its fields filled in, and leaves out lines of which nothing is known', async () => {
    const json = {
      title: '{{{name}}}',
      text: 'On {date} at {time}\nReason: {reason}\nPlace: {location}\n{id}',
      date_format: 'dd.mm.yyyy',
      utc_offset: '+01:00',
    };
    const text = await readText(await make(json, { fields: { id: 'seal_7' } }));
    expect(text).toBe('{Example AG}\nOn 23.11.2026 at 00:30:07 UTC+01:00\nReason: Approved\nseal_7');
  });

  test('can be copied whatever Latin, Greek or Cyrillic it is, and keeps its combining marks', async () => {
    const text = 'Ğüzel ﬁne e\u0301 x\u0301 Ελληνικά Русский Łódź €';
    const copied = await readText(await make({ title: '', text }));
    expect(copied.split('\n').join(' ')).toBe(text.normalize('NFC'));
  });

  test.each([
    ['Hebrew', 'שלום', /ש \(U\+05E9\)/],
    ['Chinese', '印章', /印 \(U\+5370\)/],
    ['Devanagari, which the font has but nobody shapes here', 'नमस्ते', /U\+0928/],
    ['emoji', 'ok 👍', /U\+1F44D/],
    ['a mark that turns text round', 'abc\u202edef', /: U\+202E/],
    ['a character without a width', 'ab\u200bc', /: U\+200B/],
    ['a control character', 'ab\u0007c', /: U\+0007/],
    ['a private character', '\ue000', /: U\+E000/],
  ])('is refused by name when it has %s', async (_, text, named) => {
    await expect(make({ text })).rejects.toMatchObject({
      code: 'appearance_text_unsupported',
      message: expect.stringMatching(named),
      fields: [expect.objectContaining({ pointer: '/text' })],
    });
    await expect(make({ text: '{reason}' }, { reason: text })).rejects.toMatchObject({
      code: 'appearance_text_unsupported',
    });
  });

  test('is refused when it does not fit, or has a field that nothing fills', async () => {
    await expect(make({ font_size: 40 })).rejects.toMatchObject({ code: 'appearance_text_too_long' });
    await expect(make({ rectangle: [20, 20, 120, 60], text: 'long '.repeat(190) })).rejects.toMatchObject({
      code: 'appearance_text_too_long',
    });
    await expect(make({ text: '{reason}' }, { reason: 'x'.repeat(1001) })).rejects.toMatchObject({
      code: 'appearance_text_too_long',
    });
    await expect(make({ text: '{id}' })).rejects.toMatchObject(wrong('/text'));
  });

  test('breaks a word only when there is no other way', async () => {
    const broken = await readText(await make({ rectangle: [20, 20, 80, 120], title: '', text: 'x'.repeat(60) }));
    expect(broken.split('\n').length).toBeGreaterThan(1);
    expect(broken.replaceAll('\n', '')).toBe('x'.repeat(60));
    const whole = await readText(await make({ title: '', text: 'one two three four five six seven' }));
    expect(whole.split('\n').join(' ')).toBe('one two three four five six seven');
  });

  test('takes no longer than its length allows, however badly it fits', async () => {
    const started = performance.now();
    const fields = { a: 'ab '.repeat(330), b: 'W'.repeat(990), c: 'xyz'.repeat(330) };
    await expect(make({ text: '{a}{b}{c}{a}' }, { fields })).rejects.toMatchObject({
      code: 'appearance_text_too_long',
    });
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('The place of a seal', () => {
  test.each([
    ['a page that is not there', { page: 2 }, 'appearance_page_unknown', '/page'],
    ['a page before the first', { page: -2 }, 'appearance_page_unknown', '/page'],
    ['what is outside the page', { rectangle: [200, 20, 301, 90] }, 'appearance_rectangle_outside', '/rectangle'],
    ['what is below the page', { rectangle: [20, -1, 220, 90] }, 'appearance_rectangle_outside', '/rectangle'],
    ['what is too small', { rectangle: [20, 20, 31, 90] }, 'appearance_rectangle_small', '/rectangle'],
  ])('is refused for %s', async (_, json, code, pointer) => {
    await expect(make(json)).rejects.toMatchObject({ code, fields: [expect.objectContaining({ pointer })] });
  });

  test('is refused for a code that no camera could read', async () => {
    const json = { template: 'qr', qr: `https://seal.example.org/${'x'.repeat(200)}`, rectangle: [20, 20, 50, 50] };
    await expect(make(json)).rejects.toMatchObject({ code: 'appearance_rectangle_small' });
  });

  test('must be known when the document is prepared', async () => {
    const request = parseAppearance({});
    const appearance = await createAppearance(createArraySource(input), request, context, fonts);
    expect(() => prepare(input, appearance)).toThrow(expect.objectContaining({ code: 'appearance_place_missing' }));
  });
});

describe('A logo', () => {
  const logo = (bytes: Uint8Array) => make({ template: 'logo', image: Buffer.from(bytes).toString('base64') });
  const pixel = Uint8Array.of(0, 200, 30, 60);
  const good = makePng(1, 1, { type: 2 }, pixel);
  const changed = (offset: number, value: number) => good.map((byte, index) => (index === offset ? value : byte));

  test.each<[string, Uint8Array, string]>([
    ['is nothing', Uint8Array.of(0), 'appearance_image_unsupported'],
    ['is a GIF', Buffer.from('GIF89a\u0001\u0000\u0001\u0000'), 'appearance_image_unsupported'],
    ['ends early', good.subarray(0, 40), 'appearance_image_damaged'],
    ['has a wrong checksum', changed(30, 1), 'appearance_image_damaged'],
    ['has a wrong byte among its pixels', changed(46, 0xff), 'appearance_image_damaged'],
    ['says to be huge', makePng(1, 1, { type: 2, lie: [0x7fffffff, 0x7fffffff] }, pixel), 'appearance_image_too_large'],
    ['says to be a long line', makePng(1, 1, { type: 2, lie: [10_001, 1] }, pixel), 'appearance_image_too_large'],
    ['says to be empty', makePng(1, 1, { type: 2, lie: [0, 1] }, pixel), 'appearance_image_damaged'],
    ['has fewer pixels than it says', makePng(1, 1, { type: 2, lie: [2, 2] }, pixel), 'appearance_image_damaged'],
    ['is a bomb', makePng(1, 1, { type: 2 }, new Uint8Array(50_000_000)), 'appearance_image_damaged'],
    [
      'has a filter that there is none of',
      makePng(1, 1, { type: 2 }, Uint8Array.of(9, 1, 2, 3)),
      'appearance_image_damaged',
    ],
    ['has pixels of no kind', makePng(1, 1, { type: 2, bits: 4 }, pixel), 'appearance_image_damaged'],
    ['has no palette', makePng(1, 1, { type: 3 }, Uint8Array.of(0, 0)), 'appearance_image_damaged'],
    ['is a JPEG that ends early', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), 'appearance_image_damaged'],
    ['is a JPEG without pixels', Uint8Array.of(0xff, 0xd8, 0xff, 0xd9), 'appearance_image_damaged'],
    ['is an arithmetic JPEG', makeJpeg(0xc9, 8, 3), 'appearance_image_unsupported'],
    ['is a JPEG of 12 bits', makeJpeg(0xc1, 12, 3), 'appearance_image_unsupported'],
    ['is a JPEG of two colours', makeJpeg(0xc0, 8, 2), 'appearance_image_unsupported'],
    ['is a huge JPEG', makeJpeg(0xc0, 8, 3, 0xffff), 'appearance_image_too_large'],
    [
      'has too many bytes',
      Buffer.concat([good, Buffer.alloc(1024 * 1024 - good.length + 1)]),
      'appearance_image_too_large',
    ],
  ])('is refused when it %s', async (_, bytes, code) => {
    await expect(logo(bytes)).rejects.toMatchObject({ code, fields: [expect.objectContaining({ pointer: '/image' })] });
  });

  test('cut off anywhere or changed at any byte gives a picture or a typed refusal', async () => {
    const request = parseAppearance({ ...place, template: 'logo', image: 'AAAA' });
    const jpeg = makeJpeg(0xc2, 8, 4);
    for (const file of [good, jpeg]) {
      for (let index = 0; index < file.length; index++) {
        for (const image of [file.slice(0, index), file.map((byte, at) => (at === index ? byte ^ 0x5a : byte))]) {
          const outcome = await createAppearance(createArraySource(input), { ...request, image }, context, fonts).then(
            () => 'shown',
            (error: { code?: string }) => error.code,
          );
          expect(outcome).toMatch(/^(shown|appearance_image_(damaged|unsupported|too_large))$/);
        }
      }
    }
  });

  test('of JPEG goes in without remarks and what follows its end', async () => {
    const remark = Buffer.from([0xff, 0xfe, 0, 8, ...Buffer.from('secret')]);
    const jpeg = makeJpeg(0xc0, 8, 3);
    const noisy = Buffer.concat([jpeg.subarray(0, 2), remark, jpeg.subarray(2), Buffer.from('trailer')]);
    const sealed = await logo(noisy);
    expect(sealed.includes('secret')).toBe(false);
    expect(sealed.includes('trailer<')).toBe(false);
    expect(sealed.includes(Buffer.from(jpeg))).toBe(true);
  });
});

describe('The same appearance', () => {
  const json = {
    qr: 'https://seal.example.org/{reason}',
    image: Buffer.from(makePng(1, 1, { type: 6 }, Uint8Array.of(0, 9, 9, 9, 99))).toString('base64'),
  };

  test('is the same bytes, whatever was made before and by whichever fonts', async () => {
    const first = await make(json);
    await make({ text: 'something else Ω' });
    expect((await make(json)).equals(first)).toBe(true);
    expect((await make(json, {}, openFonts())).equals(first)).toBe(true);
  });

  test('at another time has the same fonts', async () => {
    const [early, late] = await Promise.all(
      ['2026-01-01T00:00:00Z', '2039-12-28T17:46:59Z'].map((now) => make(json, { now: new Date(now) })),
    );
    const tags = (file: Buffer | undefined) => file?.toString('latin1').match(/[A-Z]{6}\+NotoSans-\w+/g);
    expect(tags(early)?.length).toBeGreaterThan(0);
    expect(tags(late)).toEqual(tags(early));
    expect(early?.equals(late ?? Buffer.alloc(0))).toBe(false);
  });
});

test('Fonts that are not TrueType are refused before anything is made of them', async () => {
  const { AppearanceFonts } = await import('@sigillum/appearances');
  const file = readFileSync(join(import.meta.dirname, 'make-pdf.ts'));
  expect(() => new AppearanceFonts({ regular: file, bold: file })).toThrow(
    expect.objectContaining({ code: 'config_invalid' }),
  );
});

/** A JPEG of 16 × 16 pixels that has all its parts, and a scan of few bytes. */
function makeJpeg(frame: number, precision: number, components: number, side = 16): Buffer {
  const parts = Array.from({ length: components }, (_, index) => [index + 1, 0x11, 0]).flat();
  const segment = (marker: number, body: number[]) => [0xff, marker, 0, body.length + 2, ...body];
  return Buffer.from([
    0xff,
    0xd8,
    ...segment(frame, [precision, side >> 8, side & 0xff, side >> 8, side & 0xff, components, ...parts]),
    ...segment(0xda, [
      components,
      ...Array.from({ length: components }, (_, index) => [index + 1, 0]).flat(),
      0,
      63,
      0,
    ]),
    ...Buffer.from('12ff0034ffd056ffd9', 'hex'),
  ]);
}

describe('A field that has a place of its own', () => {
  const page = '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] >>';
  const pages = '<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>';
  const source = createArraySource(makePdf(['<< /Type /Catalog /Pages 2 0 R >>', pages, page, page]));
  const field = { page: new PdfRef(3), rectangle: [20, 20, 220, 90] } as const;

  test.each([
    ['its own', 1],
    ['its own, counted from the end', -2],
    ['none', undefined],
  ])('is shown there when the page asked for is %s', async (_, asked) => {
    const request = parseAppearance(asked === undefined ? {} : { page: asked });
    const appearance = await createAppearance(source, request, context, fonts);
    expect(appearance(openPdf(source), field).rectangle).toEqual(field.rectangle);
  });

  test.each([
    ['another', 2, 'appearance_invalid'],
    ['one that the document does not have', 7, 'appearance_page_unknown'],
  ])('is refused when the page asked for is %s', async (_, asked, code) => {
    const appearance = await createAppearance(source, parseAppearance({ page: asked }), context, fonts);
    const wrongPage = { code, fields: [expect.objectContaining({ pointer: '/page' })] };
    expect(() => appearance(openPdf(source), field)).toThrow(expect.objectContaining(wrongPage));
  });
});
