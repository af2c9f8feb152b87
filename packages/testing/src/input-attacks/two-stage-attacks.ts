import { PdfDict, type PdfObject, PdfName, PdfRef } from '@sigillum/pdf';
import type { SealOptions } from '@sigillum/pades';
import { makeStream, updateObjects } from '../forgeries/update-objects.ts';
import { buildRawPdf, contentPart, fontPart, pagesPart, type RawPart, rawStream, showText } from './raw-pdf.ts';

/** A document made to be changed after it was sealed, by an update of a kind that validators allow or overlook. */
export type TwoStageAttack = {
  readonly name: string;
  readonly attacks: string;
  readonly input: Uint8Array;
  readonly options?: Partial<SealOptions>;
  /** The second stage, given the sealed file. */
  readonly change: (sealed: Uint8Array) => Uint8Array;
};

const evil = 'Pay 9999';
/** What the input refers to in vain. */
const gap = 60;
const evilForm = makeStream(
  showText(evil, 500),
  '/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> ',
);
const box = '/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >>';

type Parts = {
  readonly catalog?: string;
  readonly page?: string;
  readonly content?: string;
  readonly trailer?: string;
};

function document(
  { catalog = '', page = '/Resources << /Font << /F1 5 0 R >> >>', content = showText('Pay 10'), trailer = '' }: Parts,
  ...more: readonly RawPart[]
): Uint8Array {
  return buildRawPdf({
    parts: [
      { number: 1, body: `<< /Type /Catalog /Pages 2 0 R ${catalog} >>` },
      pagesPart,
      { number: 3, body: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R ${page} >>` },
      content === showText('Pay 10') ? contentPart('Pay 10') : { number: 4, body: rawStream(content) },
      fontPart,
      ...more,
    ],
    trailer,
  });
}

const define =
  (value: PdfObject, number = gap) =>
  (sealed: Uint8Array) =>
    updateObjects(sealed, (update) => update.set(new PdfRef(number), value));

/** The same, as one more certificate of a DSS. */
const defineInStore =
  (value: PdfObject, number = gap) =>
  (sealed: Uint8Array) =>
    updateObjects(sealed, (update, { catalog, catalogRef }) => {
      update.set(new PdfRef(number), value);
      const certs = [new PdfRef(number)];
      update.set(catalogRef, catalog.with({ DSS: new PdfDict([['Certs', certs]]) }));
    });

/** A form added to the resources in an object, under the name that the page draws. */
const addFormToResources =
  (number: number): TwoStageAttack['change'] =>
  (sealed) =>
    updateObjects(sealed, (update, file) => {
      const form = update.allocate();
      update.set(form, evilForm);
      const resources = file.getDict(new PdfRef(number), 'The resources');
      update.set(new PdfRef(number), resources.with({ XObject: new PdfDict([['X', form]]) }));
    });

const drawing = `${showText('Pay 10')} /X Do`;
const drawn = `/Resources << /Font << /F1 5 0 R >> /XObject << /X ${gap} 0 R >> >>`;

/** Shadow documents whose second stage looks like what may come after a signature. */
export function twoStageAttacks(): readonly TwoStageAttack[] {
  return [
    {
      name: 'gap-form',
      attacks: 'a form that is not there, defined later',
      input: document({ page: drawn, content: drawing }),
      change: define(evilForm),
    },
    {
      name: 'gap-form-in-store',
      attacks: 'the same as a certificate of a DSS',
      input: document({ page: drawn, content: drawing }),
      change: defineInStore(evilForm),
    },
    {
      name: 'gap-annotations',
      attacks: 'a list of annotations that is not there, defined later',
      input: document({ page: `/Annots ${gap} 0 R /Resources << /Font << /F1 5 0 R >> >>` }),
      change: (sealed) =>
        updateObjects(sealed, (update) => {
          const form = update.allocate();
          update.set(form, evilForm);
          const stamp = new PdfDict([
            ['Type', new PdfName('Annot')],
            ['Subtype', new PdfName('Stamp')],
            ['Rect', [0, 0, 595, 842]],
            ['F', 4],
            ['AP', new PdfDict([['N', form]])],
          ]);
          update.set(new PdfRef(gap), [stamp]);
        }),
    },
    {
      name: 'gap-appearance',
      attacks: 'the appearance of an annotation that is not there, defined later',
      input: document(
        { page: '/Annots [6 0 R] /Resources << /Font << /F1 5 0 R >> >>' },
        { number: 6, body: `<< /Type /Annot /Subtype /Stamp /F 4 /Rect [0 0 595 842] /AP << /N ${gap} 0 R >> >>` },
      ),
      change: defineInStore(evilForm),
    },
    {
      name: 'gap-layers',
      attacks: 'the default of the layers that is not there, defined later',
      input: document(
        {
          catalog: `/OCProperties << /OCGs [6 0 R] /D ${gap} 0 R >>`,
          page: '/Resources << /Font << /F1 5 0 R >> /Properties << /L 6 0 R >> >>',
          content: `/OC /L BDC ${showText('Pay 10')} EMC`,
        },
        { number: 6, body: '<< /Type /OCG /Name (L) >>' },
      ),
      change: define(new PdfDict([['OFF', [new PdfRef(6)]]])),
    },
    {
      name: 'gap-encoding',
      attacks: 'the encoding of a font that is not there, defined later',
      input: document(
        { page: '/Resources << /Font << /F1 6 0 R >> >>' },
        {
          number: 6,
          body: `<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding ${gap} 0 R >>`,
        },
      ),
      change: define(new PdfDict([['Differences', [49, new PdfName('nine'), 48, new PdfName('nine')]]])),
    },
    {
      name: 'metadata-is-content',
      attacks: 'content that is the metadata of the document too, updated as such',
      input: document({ catalog: '/Metadata 4 0 R' }),
      change: define(makeStream(showText(evil)), 4),
    },
    {
      name: 'info-is-fonts',
      attacks: 'fonts of a page that are the document information too, updated as such',
      input: document(
        { page: '/Resources << /Font 6 0 R >>', trailer: '/Info 6 0 R' },
        { number: 6, body: '<< /F1 5 0 R /Title (A bill) >>' },
        { number: 7, body: '<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>' },
      ),
      change: define(new PdfDict([['F1', new PdfRef(7)]]), 6),
    },
    {
      name: 'store-is-resources',
      attacks: 'resources of a page that are the DSS too, added to as such',
      input: document(
        { catalog: '/DSS 6 0 R', page: '/Resources 6 0 R', content: drawing },
        { number: 6, body: '<< /Font << /F1 5 0 R >> /Certs [] >>' },
      ),
      change: (sealed) =>
        updateObjects(sealed, (update, file) => {
          const form = update.allocate();
          update.set(form, evilForm);
          const resources = file.getDict(new PdfRef(6), 'The resources');
          update.set(new PdfRef(6), resources.with({ Certs: [form], XObject: new PdfDict([['X', form]]) }));
        }),
    },
    {
      name: 'form-resources-are-the-page-s',
      attacks: 'resources of a page that are those of the form too, filled as such',
      input: document(
        {
          catalog: '/AcroForm << /Fields [7 0 R] /DR 6 0 R /DA (/F1 12 Tf) >>',
          page: '/Resources 6 0 R /Annots [7 0 R]',
          content: drawing,
        },
        { number: 6, body: '<< /Font << /F1 5 0 R >> >>' },
        {
          number: 7,
          body: '<< /Type /Annot /Subtype /Widget /FT /Tx /T (Name) /F 4 /P 3 0 R /Rect [72 100 272 120] >>',
        },
      ),
      options: { certify: 2 },
      change: addFormToResources(6),
    },
    {
      name: 'field-appearance-is-content',
      attacks: 'a form on a page that is the appearance of a field too, filled as such',
      input: document(
        {
          catalog: '/AcroForm << /Fields [7 0 R] /DR << /Font << /F1 5 0 R >> >> /DA (/F1 12 Tf) >>',
          page: '/Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >> /Annots [7 0 R]',
          content: drawing,
        },
        { number: 6, body: rawStream('', box) },
        {
          number: 7,
          body: '<< /Type /Annot /Subtype /Widget /FT /Tx /T (Name) /F 4 /P 3 0 R /Rect [72 100 272 120] /AP << /N 6 0 R >> >>',
        },
      ),
      options: { certify: 2 },
      change: define(evilForm, 6),
    },
    {
      name: 'field-over-the-page',
      attacks: 'an empty text field over the whole page, filled',
      input: document(
        {
          catalog: '/AcroForm << /Fields [7 0 R] /DR << /Font << /F1 5 0 R >> >> /DA (/F1 12 Tf) >>',
          page: '/Resources << /Font << /F1 5 0 R >> >> /Annots [7 0 R]',
        },
        {
          number: 7,
          body: '<< /Type /Annot /Subtype /Widget /FT /Tx /Ff 1 /T (Name) /F 4 /P 3 0 R /Rect [0 0 595 842] >>',
        },
      ),
      options: { certify: 2 },
      change: (sealed) =>
        updateObjects(sealed, (update, file) => {
          const form = update.allocate();
          update.set(form, evilForm);
          const field = file.getDict(new PdfRef(7), 'The field');
          update.set(new PdfRef(7), field.with({ AP: new PdfDict([['N', form]]) }));
        }),
    },
    {
      name: 'extensions-are-resources',
      attacks: 'resources of a page that are the extensions too, added to as such',
      input: document(
        { catalog: '/Extensions 6 0 R', page: '/Resources 6 0 R', content: drawing },
        { number: 6, body: '<< /Font << /F1 5 0 R >> >>' },
      ),
      change: addFormToResources(6),
    },
    {
      name: 'form-is-resources',
      attacks: 'resources of a page that are the AcroForm too',
      input: document(
        { catalog: '/AcroForm 6 0 R', page: '/Resources 6 0 R', content: drawing },
        { number: 6, body: '<< /Fields [] /Font << /F1 5 0 R >> >>' },
      ),
      change: addFormToResources(6),
    },
  ];
}
