import { updateObjects } from '../forgeries/update-objects.ts';
import { addAnnotation } from '../forgeries/change-afterwards.ts';
import { attack, type InputAttack } from './input-attack.ts';
import {
  buildRawPdf,
  fontPart,
  formatEntry,
  pagePart,
  pagesPart,
  type RawPart,
  rawStream,
  showText,
} from './raw-pdf.ts';

const good = 'Pay 10';
const evil = 'Pay 9999';

/** A page with a form, with more entries of the form, the catalog and the page. */
function withForm(
  form: string,
  fields: readonly RawPart[],
  options: { readonly catalog?: string; readonly page?: string } = {},
) {
  return buildRawPdf({
    parts: [
      { number: 1, body: `<< /Type /Catalog /Pages 2 0 R /AcroForm << ${form} >> ${options.catalog ?? ''} >>` },
      pagesPart,
      pagePart(options.page),
      { number: 4, body: rawStream(showText(good)) },
      fontPart,
      ...fields,
    ],
  });
}

const box = (text: string) =>
  rawStream(
    `BT /F1 12 Tf 4 4 Td (${text}) Tj ET`,
    '/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 5 0 R >> >>',
  );
const field = (more: string) => `<< /Type /Annot /Subtype /Widget /Rect [72 600 272 620] /F 4 /P 3 0 R ${more} >>`;
const defaults = '/DA (/F1 12 Tf 0 g) /DR << /Font << /F1 5 0 R >> >>';

/** What lies over the page or may be switched on and off: shadow documents before they are signed (pades.md §5). */
export function overlays(): readonly InputAttack[] {
  return [
    attack('shadow-hide', 'content under a picture', covered()),
    attack(
      'shadow-replace',
      'a field that shows another text than its value',
      withForm(
        `/Fields [6 0 R] ${defaults}`,
        [
          { number: 6, body: field(`/FT /Tx /T (Amount) /V (${evil}) /AP << /N 7 0 R >>`) },
          { number: 7, body: box(good) },
        ],
        { page: '/Annots [6 0 R]' },
      ),
    ),
    attack(
      'shadow-hide-and-replace',
      'an unused page tree for a later switch',
      withForm('/Fields []', [
        { number: 10, body: '<< /Type /Catalog /Pages 11 0 R >>' },
        { number: 11, body: '<< /Type /Pages /Kids [12 0 R] /Count 1 >>' },
        {
          number: 12,
          body: '<< /Type /Page /Parent 11 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 13 0 R >>',
        },
        { number: 13, body: rawStream(showText(evil)) },
      ]),
    ),
    attack(
      'form-need-appearances',
      'appearances that readers shall make anew',
      withForm(
        `/Fields [6 0 R] /NeedAppearances true ${defaults}`,
        [
          { number: 6, body: field(`/FT /Tx /T (Amount) /V (${evil}) /DA (/F1 12 Tf 0 g) /AP << /N 7 0 R >>`) },
          { number: 7, body: box(good) },
        ],
        { page: '/Annots [6 0 R]' },
      ),
    ),
    attack(
      'form-dynamic-xfa',
      'a template that some readers show instead',
      withForm(`/Fields [] /XFA 7 0 R`, [
        { number: 7, body: rawStream('<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"/>') },
      ]),
    ),
    attack(
      'form-needs-rendering',
      'a catalog that asks for its template to be shown',
      withForm(
        `/Fields [6 0 R] /XFA 7 0 R`,
        [
          { number: 6, body: field('/FT /Tx /T (Amount)') },
          { number: 7, body: rawStream('<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"/>') },
        ],
        { catalog: '/NeedsRendering true' },
      ),
    ),
    attack(
      'form-field-loop',
      'a form whose fields lead back to themselves',
      withForm('/Fields [6 0 R]', [
        { number: 6, body: '<< /FT /Tx /T (a) /Kids [7 0 R] >>' },
        { number: 7, body: '<< /T (b) /Parent 6 0 R /Kids [6 0 R] >>' },
      ]),
    ),
    attack('form-fields-wrong', 'a form whose fields are no list', withForm('/Fields (none)', [])),
    attack('layer-hidden', 'content on a layer that is off', layered('/BaseState /ON /OFF [6 0 R]')),
    attack(
      'layer-by-use',
      'content on a layer that is on when printed',
      layered('/BaseState /ON /OFF [6 0 R] /AS [<< /Event /Print /OCGs [6 0 R] /Category [/Print] >>]'),
    ),
    attack(
      'layer-incremental',
      'a layer put over the page by an update',
      updateObjects(layered('/BaseState /ON'), addAnnotation),
    ),
    attack('annotation-hidden', 'an annotation that is hidden', withAnnotation('/F 2')),
    attack('annotation-no-view', 'an annotation that only paper shows', withAnnotation('/F 36')),
    attack(
      'annotation-no-appearance',
      'an annotation that each reader draws in its own way',
      withAnnotation('/F 4', false),
    ),
    attack(
      'content-open-action',
      'a script when the page is opened',
      withForm('/Fields []', [], { catalog: "/OpenAction << /S /JavaScript /JS (this.getField('x').value = 1) >>" }),
    ),
    attack('content-inline-dictionary', 'a page whose entry of the table leads into a string', inString()),
  ];
}

function covered(): Buffer {
  return withForm(
    '/Fields []',
    [
      { number: 6, body: '<< /Type /Annot /Subtype /Square /Rect [50 680 400 740] /F 4 /AP << /N 7 0 R >> >>' },
      {
        number: 7,
        body: rawStream(
          '1 1 1 rg 0 0 350 60 re f',
          '/Type /XObject /Subtype /Form /BBox [0 0 350 60] /Resources << >>',
        ),
      },
    ],
    { page: '/Annots [6 0 R]' },
  );
}

function withAnnotation(flags: string, hasAppearance = true): Buffer {
  return withForm(
    '/Fields []',
    [
      {
        number: 6,
        body: `<< /Type /Annot /Subtype /FreeText /Rect [72 500 272 520] ${flags} /Contents (${evil}) /DA (/Helv 12 Tf 0 g) ${hasAppearance ? '/AP << /N 7 0 R >>' : ''} >>`,
      },
      { number: 7, body: box(evil) },
    ],
    { page: '/Annots [6 0 R]' },
  );
}

/** Two texts, one on a layer (ISO 32000-2 §8.11). */
function layered(configuration: string): Buffer {
  return buildRawPdf({
    parts: [
      {
        number: 1,
        body: `<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [6 0 R] /D << ${configuration} >> >> >>`,
      },
      pagesPart,
      {
        number: 3,
        body: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> /Properties << /L 6 0 R >> >> /Contents 4 0 R >>',
      },
      { number: 4, body: rawStream(`${showText(good)} /OC /L BDC ${showText(evil, 500)} EMC`) },
      fontPart,
      {
        number: 6,
        body: '<< /Type /OCG /Name (Layer) /Usage << /Print << /PrintState /ON >> /View << /ViewState /OFF >> >> >>',
      },
    ],
  });
}

/** The table's entry for the page leads to a definition that stands inside a string of another object. */
function inString(): Buffer {
  const hidden =
    '3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 6 0 R >> endobj';
  return buildRawPdf({
    parts: [
      { number: 1, body: '<< /Type /Catalog /Pages 2 0 R >>' },
      pagesPart,
      pagePart(),
      { number: 4, body: rawStream(showText(good)) },
      fontPart,
      { number: 6, body: rawStream(showText(evil)) },
      { number: 7, body: `<${Buffer.from('x').toString('hex')}> ` },
      { text: `8 0 obj\n(${hidden})\nendobj\n` },
    ],
    lines: new Map([[3, (offsetOf) => formatEntry(offsetOf(7) + '8 0 obj\n('.length)]]),
  });
}
