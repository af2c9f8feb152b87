import { attack, type InputAttack } from './input-attack.ts';
import {
  buildRawPdf,
  catalogPart,
  contentPart,
  fontPart,
  pagePart,
  pagesPart,
  type RawPart,
  rawStream,
  showText,
} from './raw-pdf.ts';

const box = '/Type /XObject /Subtype /Form /BBox [0 0 300 50]';
const fonts = '/Resources << /Font << /F1 5 0 R >> >>';
const form = (text: string, more = fonts): string =>
  rawStream(`BT /F1 20 Tf 10 10 Td (${text}) Tj ET`, `${box} ${more}`);
const goodForm: RawPart = { number: 7, body: form('Pay 10') };
const evilForm: RawPart = { number: 8, body: form('Pay 9999') };

/** Keys that stand twice below the page: poppler and mupdf take the last of them, Ghostscript the first. */
export function nestedKeys(): readonly InputAttack[] {
  return [
    annotated('nested-appearance', 'an annotation with two /AP', '/AP << /N 7 0 R >> /AP << /N 8 0 R >>'),
    annotated('nested-normal', 'an appearance with two /N', '/AP << /N 7 0 R /N 8 0 R >>'),
    annotated('nested-appearance-object', 'the same as an object of its own', '/AP 9 0 R', {
      number: 9,
      body: '<< /N 7 0 R /N 8 0 R >>',
    }),
    annotated('nested-rect', 'an annotation with two /Rect', '/AP << /N 8 0 R >> /Rect [0 0 0 0]'),
    drawn('nested-resources', 'a form with two /Resources', [
      {
        number: 6,
        body: rawStream(
          '/Y Do',
          `${box} /Resources << /XObject << /Y 7 0 R >> >> /Resources << /XObject << /Y 8 0 R >> >>`,
        ),
      },
      goodForm,
      evilForm,
    ]),
    drawn('nested-matrix', 'a form with two /Matrix', [
      { number: 6, body: form('Pay 10', `${fonts} /Matrix [1 0 0 1 0 0] /Matrix [1 0 0 1 0 5000]`) },
    ]),
    drawn('nested-deep', 'a form in a form with two /Resources', [
      { number: 6, body: rawStream('/Y Do', `${box} /Resources << /XObject << /Y 10 0 R >> >>`) },
      {
        number: 10,
        body: rawStream('/Y Do', `${box} /Resources << /XObject << /Y 7 0 R >> /XObject << /Y 8 0 R >> >>`),
      },
      goodForm,
      evilForm,
    ]),
    named('nested-named', 'the same under a name that elsewhere leads to a page', '/XObject << /P 10 0 R >>'),
    named('nested-named-object', 'the same in an object of its own', '/Y 11 0 R /XObject 11 0 R'),
    written('nested-font', 'a font with two /BaseFont', '/BaseFont /Helvetica /BaseFont /ZapfDingbats'),
    written(
      'nested-differences',
      'an encoding with two /Differences',
      '/BaseFont /Helvetica /Encoding << /Differences [49 /one] /Differences [49 /nine] >>',
    ),
    written('nested-encoding', 'the same as an object of its own', '/BaseFont /Helvetica /Encoding 6 0 R', {
      number: 6,
      body: '<< /Type /Encoding /Differences [49 /one] /Differences [49 /nine] >>',
    }),
    attack(
      'nested-layers',
      'layers with two default configurations',
      buildRawPdf({
        parts: [
          {
            number: 1,
            body: '<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [6 0 R] /D << /ON [6 0 R] >> /D << /OFF [6 0 R] >> >> >>',
          },
          pagesPart,
          {
            number: 3,
            body: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> /Properties << /L 6 0 R >> >> /Contents 4 0 R >>',
          },
          { number: 4, body: rawStream(`/OC /L BDC ${showText('Pay 9999')} EMC`) },
          fontPart,
          { number: 6, body: '<< /Type /OCG /Name (L) >>' },
        ],
      }),
    ),
  ];
}

function annotated(name: string, attacks: string, entries: string, ...more: readonly RawPart[]): InputAttack {
  const annotation = `<< /Type /Annot /Subtype /Stamp /F 4 /Rect [72 600 372 650] ${entries} >>`;
  const page = pagePart('/Annots [6 0 R]');
  const parts = [catalogPart, pagesPart, page, contentPart('A bill'), fontPart, { number: 6, body: annotation }];
  return attack(name, attacks, buildRawPdf({ parts: [...parts, goodForm, evilForm, ...more] }));
}

function drawn(name: string, attacks: string, forms: readonly RawPart[]): InputAttack {
  const page = {
    number: 3,
    body: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /XObject << /X 6 0 R >> >> /Contents 4 0 R >>',
  };
  const content = { number: 4, body: rawStream('1 0 0 1 72 600 cm /X Do') };
  return attack(name, attacks, buildRawPdf({ parts: [catalogPart, pagesPart, page, content, fontPart, ...forms] }));
}

/** A form in a form, drawn as /P, with two /Resources. */
function named(name: string, attacks: string, resources: string): InputAttack {
  const twice = '/Resources << /XObject << /Y 7 0 R >> >> /Resources << /XObject << /Y 8 0 R >> >>';
  return drawn(name, attacks, [
    { number: 6, body: rawStream('/P Do', `${box} /Resources << ${resources} >>`) },
    { number: 10, body: rawStream('/Y Do', `${box} ${twice}`) },
    { number: 11, body: '<< /P 10 0 R >>' },
    goodForm,
    evilForm,
  ]);
}

function written(name: string, attacks: string, entries: string, ...more: readonly RawPart[]): InputAttack {
  const font = { number: 5, body: `<< /Type /Font /Subtype /Type1 ${entries} >>` };
  return attack(
    name,
    attacks,
    buildRawPdf({ parts: [catalogPart, pagesPart, pagePart(), contentPart('Pay 1000'), font, ...more] }),
  );
}
