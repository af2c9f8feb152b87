import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  type AddedFont,
  AppearanceFonts,
  createAppearance,
  fontLimits,
  locateFontFiles,
  parseAppearance,
} from '@sigillum/appearances';
import { createArraySource } from '@sigillum/pdf';
import { findColour, findRenderers, makePagePdf, openFonts, prepare, render } from './make-pdf.ts';

/** Fonts of Debian's fonts-dejavu-core and fonts-droid-fallback. */
const paths = {
  sans: '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  bold: '/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf',
  cjk: '/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf',
};
const missing = Object.values(paths).filter((path) => !existsSync(path));
const input = makePagePdf('/MediaBox [0 0 300 400]');
const renderers = findRenderers();

function load(path: string): AddedFont {
  return { name: path, bytes: readFileSync(path) };
}

function open(...added: AddedFont[]): AppearanceFonts {
  const files = locateFontFiles();
  return new AppearanceFonts({ regular: readFileSync(files.regular), bold: readFileSync(files.bold), added });
}

async function make(fonts: AppearanceFonts, json: object, signer = 'Example AG'): Promise<Buffer> {
  const request = parseAppearance({ rectangle: [20, 20, 280, 220], ...json });
  const context = { now: new Date('2026-11-22T05:00:00Z'), signer };
  return Buffer.from(prepare(input, await createAppearance(createArraySource(input), request, context, fonts)));
}

/** What a program says about the file; undefined when it isn't installed. */
function ask(pdf: Uint8Array, command: string, ...args: string[]): string | undefined {
  if (spawnSync(command, ['-v']).error) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'seal-fonts-'));
  try {
    writeFileSync(join(folder, 'in.pdf'), pdf);
    const given = args.map((arg) => (arg === 'IN' ? join(folder, 'in.pdf') : arg));
    return execFileSync(command, given, { encoding: 'utf8', stdio: 'pipe' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Names of embedded fonts without their tags. */
function listFonts(pdf: Buffer): string[] {
  const names = pdf.toString('latin1').matchAll(/\/FontName \/[A-Z]{6}\+([\w-]+)/g);
  return Array.from(names, ([, name = '']) => name);
}

test('Characters that no font has name the fonts and the way to add one, for the name of the signer too', async () => {
  const failed = make(openFonts(), {}, '株式会社');
  await expect(failed).rejects.toMatchObject({
    code: 'appearance_text_unsupported',
    message: expect.stringMatching(/\(NotoSans-Bold\) lack 株 \(U\+682A\).*fonts in the service's conf.*--font.*title/),
    fields: [expect.objectContaining({ pointer: '/title' })],
  });
});

if (missing.length > 0) {
  const name = `${missing.join(', ')} missing: no trials of added fonts (scripts/install-judges.sh installs them)`;
  if (process.env.CI === 'true') test(name, () => expect(missing).toEqual([]));
  else test.skip(name, () => {});
}
const describeWithFonts = missing.length > 0 ? describe.skip : describe;

describeWithFonts('With fonts that were added', () => {
  const text = 'Հայաստան → ✓ ქართული Ελ x\u0301 𝕏\n日本語の印章、「引用」';
  let fonts: AppearanceFonts;

  test('a text is set in all of them, and can be copied', async () => {
    fonts = open(load(paths.sans), load(paths.bold), load(paths.cjk));
    const sealed = await make(fonts, { text }, '株式会社シギルム ✓');
    const faces = ['NotoSans-Regular', 'NotoSans-Bold', 'DejaVuSans', 'DejaVuSans-Bold', 'DroidSansFallback'];
    expect(listFonts(sealed)).toEqual(faces);
    const lines = ['株式会社シギルム ✓', ...text.split('\n')];
    for (const copied of [
      ask(sealed, 'pdftotext', 'IN', '-'),
      ask(sealed, 'mutool', 'draw', '-q', '-F', 'txt', 'IN'),
    ]) {
      if (copied === undefined) continue;
      const plain = copied.normalize('NFC').replaceAll(/\s/g, '');
      for (const line of lines) expect(plain).toContain(line.normalize('NFC').replaceAll(/\s/g, ''));
    }
  });

  test('what each has is taken from the first one that has it, and bold ones are for titles', async () => {
    expect(listFonts(await make(open(load(paths.bold), load(paths.sans)), { title: '→', text: '→' }))).toEqual([
      'DejaVuSans-Bold',
      'DejaVuSans',
    ]);
    expect(listFonts(await make(fonts, { title: '', text: 'Plain Ω Ж' }))).toEqual(['NotoSans-Regular']);
  });

  test.each(renderers)('%s shows them where their widths say', async (renderer) => {
    // a full block is as wide as its advance in DejaVu Sans: what is drawn must end where the measure ends
    const json = { title: '', text: '日本■■■■', font_size: 20, align: 'right', color: '#ff0000' };
    const picture = render(renderer, await make(fonts, { ...json, rectangle: [20, 20, 280, 60] }));
    const [left = 0, , right = 0] = findColour(picture, 300, (r, g, b) => r > 180 && g < 90 && b < 90) ?? [];
    const inset = 40 * 0.09;
    expect(right).toBeGreaterThan(280 - inset - 5);
    expect(right).toBeLessThan(280 - inset + 0.5);
    expect(right - left).toBeGreaterThan(2 * 17 + 4 * 14);
    expect(right - left).toBeLessThan(2 * 20 + 4 * 20);
  });

  test('Japanese breaks between characters, and not before a full stop', async () => {
    const long = '本文書は電子的に封印されました。'.repeat(4);
    const sealed = await make(fonts, { rectangle: [20, 20, 140, 140], title: '', text: long });
    const copied = ask(sealed, 'pdftotext', '-layout', 'IN', '-');
    if (copied === undefined) return;
    const lines = copied.split(/\s+/).filter((line) => line !== '');
    expect(lines.join('')).toBe(long);
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(line).not.toMatch(/^。/);
  });

  test('the same files give the same bytes, and another edition of a font other ones', async () => {
    const first = await make(fonts, { text });
    const again = open(load(paths.sans), load(paths.bold), load(paths.cjk));
    expect((await make(again, { text })).equals(first)).toBe(true);
    const { name, bytes } = load(paths.sans);
    const edition = Uint8Array.from(bytes);
    edition[8] = (edition[8] ?? 0) ^ 1; // a byte that nobody reads: the directory's search hints
    const other = await make(open({ name, bytes: edition }, load(paths.bold), load(paths.cjk)), { text });
    const tag = (pdf: Buffer) => /([A-Z]{6})\+DejaVuSans\b(?!-)/.exec(pdf.toString('latin1'))?.[1];
    expect(tag(first)).toMatch(/^[A-Z]{6}$/);
    expect(tag(other)).not.toBe(tag(first));
  });

  test.each([
    ['Hebrew', 'שלום', /\(Hebrew\): ש/],
    ['Arabic', 'سلام', /\(Arabic\): س/],
    ['an Arabic comma', 'a، b', /\(Arabic\)/],
    ['Thai', 'สวัสดี', /\(Thai\)/],
    ['parts of Korean syllables', 'ᄒ', /Hangul jamo/],
    ['a mark on what only an added font has', 'ա\u0301', /lack ա \(U\+0561\), U\+0301/],
  ])('%s is refused all the same', async (_, refused, message) => {
    await expect(make(fonts, { text: refused })).rejects.toMatchObject({
      code: 'appearance_text_unsupported',
      message: expect.stringMatching(message),
    });
  });

  test('a font that may not be embedded, is no TrueType font or too large is refused at once', () => {
    const { bytes } = load(paths.sans);
    const change = (at: number, ...values: number[]) => {
      const changed = Uint8Array.from(bytes);
      changed.set(values, at);
      return changed;
    };
    const find = (tag: string) => Buffer.from(bytes).indexOf(tag, 12, 'latin1');
    const os2 = Buffer.from(bytes).readUInt32BE(find('OS/2') + 8);
    const cases: [Uint8Array, RegExp][] = [
      [change(os2 + 8, 0, 2), /x\.ttf must not be embedded, by its licence \(fsType: restricted\)\.$/],
      [change(os2 + 8, 1, 0), /no subsetting/],
      [change(os2 + 8, 2, 0), /bitmaps only/],
      [change(0, 0x4f, 0x54, 0x54, 0x4f), /CFF/],
      [change(0, 0x77, 0x4f, 0x46, 0x46), /is not a TrueType file/],
      [change(find('glyf'), 0x58), /no TrueType outlines \(no glyf table\)/],
      [change(find('cmap'), 0x58), /has no table cmap/],
      [bytes.subarray(0, bytes.length / 2), /is damaged: it ends before its table/],
      [new Uint8Array(3), /is not a TrueType file/],
      [new Uint8Array(fontLimits.bytes + 1), /has more than 48 MiB/],
    ];
    for (const [changed, message] of cases) {
      expect(() => open({ name: 'x.ttf', bytes: changed })).toThrow(
        expect.objectContaining({ code: 'config_invalid', message: expect.stringMatching(message) }),
      );
    }
    const many = Array.from({ length: fontLimits.files + 1 }, () => ({ name: 'x.ttf', bytes }));
    expect(() => open(...many)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    expect(() => open({ name: 'x.ttf', bytes: change(os2 + 8, 0, 8) })).not.toThrow();
  });

  test('a font that is damaged anywhere is refused by a sentence, or sets text', async () => {
    const { name, bytes } = load(paths.bold);
    const outcomes = new Set<string>();
    // the directory and the beginning of each table, where the numbers are that everything else hangs on
    const view = Buffer.from(bytes);
    const starts = Array.from({ length: view.readUInt16BE(4) }, (_, table) => view.readUInt32BE(12 + table * 16 + 8));
    const places = [...Array(12).keys(), ...starts.flatMap((start) => [2, 9].map((at) => start + at))];
    for (const at of places) {
      const changed = Uint8Array.from(bytes);
      changed.set([0xff, 0xee], at);
      const outcome = await Promise.resolve()
        .then(() => make(open({ name, bytes: changed }), { title: '', text: '→ Հա' }))
        .then(
          () => 'set',
          (error: { code?: string }) => String(error.code),
        );
      outcomes.add(outcome);
      expect(outcome).toMatch(/^(set|config_invalid|appearance_text_unsupported)$/);
    }
    expect(outcomes.has('config_invalid') && outcomes.has('set')).toBe(true);
  }, 60_000);
});
