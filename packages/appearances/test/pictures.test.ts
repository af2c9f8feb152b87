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

/** 48 × 32 pixels: red and blue above green and yellow. */
const quarters =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjL/wAARCAAgADADAREAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAYH/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/EABcBAQEBAQAAAAAAAAAAAAAAAAAIBwb/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCLcy3EABIKXT2AAr00KEAASCl09gAN5SGzMABpjmG5AAMzdOw0ABpjmG5AAP/Z';

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

/** A camera's data as the first part of a JPEG, in one of the two orders of bytes. */
function noteOrientation(jpeg: Buffer, orientation: number, order: 'II' | 'MM'): Buffer {
  const number = (value: number, length: 2 | 4) => {
    const bytes = Buffer.alloc(length);
    if (order === 'II') bytes.writeUIntLE(value, 0, length);
    else bytes.writeUIntBE(value, 0, length);
    return bytes;
  };
  const entry = (tag: number, value: number) => [
    number(tag, 2),
    number(3, 2),
    number(1, 4),
    number(value, 2),
    number(0, 2),
  ];
  const tiff = [
    Buffer.from(order),
    number(42, 2),
    number(8, 4),
    number(2, 2),
    ...entry(256, 7),
    ...entry(274, orientation),
  ];
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), ...tiff, number(0, 4)]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length + 2);
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.of(0xff, 0xe1), length, body, jpeg.subarray(2)]);
}

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

  // Exif 2.32 table 7: what stands in the first row and column, and so which quarter is shown above left and above right
  test.each([
    [1, 'red', 'blue'],
    [2, 'blue', 'red'],
    [3, 'yellow', 'green'],
    [4, 'green', 'yellow'],
    [5, 'red', 'green'],
    [6, 'green', 'red'],
    [7, 'yellow', 'blue'],
    [8, 'blue', 'yellow'],
  ] as const)('turns a JPEG as its camera notes: orientation %d', async (orientation, left, right) => {
    const colours = {
      red: (r: number, g: number, b: number) => r > 150 && g < 100 && b < 100,
      green: (r: number, g: number, b: number) => r < 100 && g > 150 && b < 100,
      blue: (r: number, g: number, b: number) => r < 100 && g < 100 && b > 150,
      yellow: (r: number, g: number, b: number) => r > 150 && g > 150 && b < 100,
    };
    for (const order of ['II', 'MM'] as const) {
      const image = noteOrientation(Buffer.from(quarters, 'base64'), orientation, order).toString('base64');
      const input = makePagePdf('/MediaBox [0 0 100 100]');
      const request = parseAppearance({ rectangle: [0, 0, 100, 100], template: 'logo', image });
      const appearance = await createAppearance(createArraySource(input), request, context, fonts);
      const picture = render(renderer, prepare(input, appearance));
      const middleOf = (colour: keyof typeof colours) => {
        const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = findColour(picture, 100, colours[colour]) ?? [];
        return { x: (x1 + x2) / 2, y: (y1 + y2) / 2 };
      };
      const [one, other] = [middleOf(left), middleOf(right)];
      expect(one.x).toBeLessThan(other.x - 20);
      expect(Math.abs(one.y - other.y)).toBeLessThan(5);
      for (const colour of ['red', 'green', 'blue', 'yellow'] as const) {
        if (colour !== left && colour !== right) expect(Math.abs(middleOf(colour).y - one.y)).toBeGreaterThan(20);
      }
      const [below] = (['red', 'green', 'blue', 'yellow'] as const).filter(
        (colour) => colour !== left && colour !== right,
      );
      expect(below && one.y > middleOf(below).y).toBe(true);
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = findColour(picture, 100, (r, g, b) => Math.min(r, g, b) < 150) ?? [];
      expect(x2 - x1 > y2 - y1).toBe(orientation < 5);
    }
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
