import { describe, expect, test } from '@jest/globals';
import { createAppearance, parseAppearance } from '@sigillum/appearances';
import { createArraySource } from '@sigillum/pdf';
import { findColour, findRenderers, makePagePdf, makePdf, makePng, openFonts, prepare, render } from './make-pdf.ts';

const fonts = openFonts();
const renderers = findRenderers();
const context = { now: new Date('2026-11-22T05:00:00Z'), signer: 'Example AG' };
const isRed = (r: number, g: number, b: number) => r > 200 && g < 60 && b < 60;
const isBlue = (r: number, g: number, b: number) => r < 60 && g < 60 && b > 200;
const isGreen = (r: number, g: number, b: number) => r < 60 && g > 180 && b < 60;

/** 8 × 8 pixels of #00c81e. */
const rgbJpeg =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAABQb/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCABief/9k=';
const cmykJpeg =
  '/9j/7gAOQWRvYmUAZAAAAAAC/9sAQwAUDg8SDw0UEhASFxUUGB4yIR4cHB49LC4kMklATEtHQEZFUFpzYlBVbVZFRmSIZW13e4GCgU5gjZeMfZZzfoF8/9sAQwEVFxceGh47ISE7fFNGU3x8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8/8AAFAgACAAIBAEiAAIRAQMRAQQiAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAEBf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/xAAVAQEBAAAAAAAAAAAAAAAAAAAFBv/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAOBAEAAhEDEQQAAD8AkAMqpugP/9k=';

const boxes: { name: string; page: string; pages?: string; shown: [number, number] }[] = [
  { name: 'a plain page', page: '/MediaBox [0 0 300 400]', shown: [300, 400] },
  {
    name: 'a cropped page away from the origin',
    page: '/MediaBox [-50 20 350 520] /CropBox [10 60 290 470]',
    shown: [280, 410],
  },
  {
    name: 'inherited boxes with swapped corners',
    page: '',
    pages: '/MediaBox [350 520 -50 20] /CropBox [290 470 10 60]',
    shown: [280, 410],
  },
  {
    name: 'a crop box that reaches outside',
    page: '/MediaBox [100 100 400 500] /CropBox [-20 -20 380 480]',
    shown: [280, 380],
  },
  { name: 'a unit of its own', page: '/MediaBox [10 20 130 180] /UserUnit 2.5', shown: [300, 400] },
];
// poppler shows the whole media box there; ISO 32000-2 §14.11.2.1, Ghostscript, MuPDF and pdf.js take what both have in common
const notByPoppler = 'a crop box that reaches outside';
const cases = boxes.flatMap((box) => [0, 90, 180, 270].map((rotate) => ({ ...box, rotate })));

for (const missing of (['pdftoppm', 'mutool'] as const).filter((name) => !renderers.includes(name))) {
  const name = `${missing} is missing: no pictures by it (scripts/install-judges.sh installs it)`;
  if (process.env.CI === 'true') test(name, () => expect(renderers).toContain(missing));
  else test.skip(name, () => {});
}

describe.each(renderers)('shown by %s, a seal', (renderer) => {
  test.each(cases.filter(({ name }) => renderer === 'mutool' || name !== notByPoppler))(
    'stands upright at its place on $name, turned by $rotate',
    async ({ page, pages, shown, rotate }) => {
      const turned = rotate === 90 || rotate === 270;
      const [width, height] = turned ? [shown[1], shown[0]] : shown;
      const input = makePagePdf(
        `${page} ${pages ? '' : `/Rotate ${rotate}`}`,
        '',
        pages ? `${pages} /Rotate ${rotate}` : '',
      );
      const rectangle = [width - 160, 30, width - 20, 90] as const;
      const request = parseAppearance({ rectangle, background: '#ff0000', accent: '#0000ff', color: '#ffffff' });
      const appearance = await createAppearance(createArraySource(input), request, context, fonts);
      const picture = render(renderer, prepare(input, appearance));
      expect(picture.width / picture.height).toBeCloseTo(width / height, 1);
      const accent = findColour(picture, width, isBlue) ?? [];
      const ground = findColour(picture, width, isRed) ?? [];
      const near = (value: number) => expect.closeTo(value, -0.2);
      expect(accent).toEqual([near(rectangle[0]), near(30), near(rectangle[0] + 2.5), near(90)]);
      expect(ground).toEqual([near(rectangle[0] + 2.5), near(30), near(rectangle[2]), near(90)]);
    },
  );

  test('shows every kind of PNG pixel in the colours it has', async () => {
    const row = (...bytes: number[]) => Uint8Array.from(bytes);
    const images = {
      rgb: makePng(1, 1, { type: 2 }, row(0, 0, 200, 0)),
      'rgb of 16 bits': makePng(1, 1, { type: 2, bits: 16 }, row(0, 0, 0, 200, 77, 0, 0)),
      'rgb with alpha': makePng(1, 1, { type: 6 }, row(0, 0, 200, 0, 255)),
      palette: makePng(4, 1, { type: 3, bits: 2, palette: [255, 255, 255, 0, 200, 0] }, row(0, 0b01010101)),
      'palette with opacity': makePng(
        4,
        1,
        { type: 3, bits: 2, palette: [255, 0, 0, 0, 200, 0], transparency: [0] },
        row(0, 0b01010101),
      ),
      'interlaced rgb': makePng(
        2,
        2,
        { type: 2, interlace: 1 },
        row(0, 0, 200, 0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 200, 0),
      ),
    };
    for (const [name, image] of Object.entries(images)) {
      const input = makePagePdf('/MediaBox [0 0 100 100]');
      const request = parseAppearance({
        rectangle: [20, 20, 80, 80],
        template: 'logo',
        image: Buffer.from(image).toString('base64'),
      });
      const appearance = await createAppearance(createArraySource(input), request, context, fonts);
      const found = findColour(render(renderer, prepare(input, appearance)), 100, isGreen);
      expect({ name, found: found !== undefined }).toEqual({ name, found: true });
    }
  });

  test.each([
    ['RGB', rgbJpeg],
    ['CMYK, written the other way round as Adobe does', cmykJpeg],
  ])('shows a JPEG of %s in its colours', async (_, image) => {
    const input = makePagePdf('/MediaBox [0 0 100 100]');
    const request = parseAppearance({ rectangle: [20, 20, 80, 80], template: 'logo', image });
    const appearance = await createAppearance(createArraySource(input), request, context, fonts);
    const picture = render(renderer, prepare(input, appearance));
    // CMYK to RGB differs from one renderer to the next; green stays green
    const isGreenish = (r: number, g: number, b: number) => r < 90 && g > 110 && g > b + 40;
    const [left = 0, , right = 0] = findColour(picture, 100, isGreenish) ?? [];
    expect(right - left).toBeGreaterThan(45);
  });

  test('lets the page show through where a PNG is transparent', async () => {
    const half = makePng(2, 1, { type: 6 }, Uint8Array.of(0, 0, 0, 255, 255, 0, 0, 255, 0));
    const input = makePagePdf('/MediaBox [0 0 100 100]', '1 0 0 rg 0 0 100 100 re f');
    const request = parseAppearance({
      rectangle: [0, 0, 100, 50],
      template: 'logo',
      image: Buffer.from(half).toString('base64'),
    });
    const appearance = await createAppearance(createArraySource(input), request, context, fonts);
    const picture = render(renderer, prepare(input, appearance));
    const [left = 0, , right = 0] = findColour(picture, 100, isBlue) ?? [];
    expect(right - left).toBeLessThan(55);
    expect(findColour(picture, 100, isRed)).toEqual([0, 0, 100, 100]);
  });

  test('fills the rectangle of an existing field, and keeps it', async () => {
    const field =
      '<< /Type /Annot /Subtype /Widget /FT /Sig /T (Here) /F 4 /Rect [40 50 160 110] /P 3 0 R /AP << /N 6 0 R >> >>';
    const form = '<< /Type /XObject /Subtype /Form /BBox [0 0 120 60] /Length 0 >>\nstream\n\nendstream';
    const input = makePdf([
      '<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] /SigFlags 1 >> >>',
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Rotate 180 /Annots [5 0 R] >>',
      'null',
      field,
      form,
    ]);
    const request = parseAppearance({ background: '#ff0000', accent: '#0000ff' });
    const appearance = await createAppearance(createArraySource(input), request, context, fonts);
    const picture = render(renderer, prepare(input, appearance, 'Here'));
    const near = (value: number) => expect.closeTo(value, -0.2);
    // turned upside down: from the right edge, and from above
    expect(findColour(picture, 300, isBlue)).toEqual([near(140), near(90), near(142.5), near(150)]);
    expect(findColour(picture, 300, isRed)).toEqual([near(142.5), near(90), near(260), near(150)]);
  });
});
