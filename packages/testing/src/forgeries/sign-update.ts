import { randomBytes } from 'node:crypto';
import {
  createArraySource,
  encodeTextString,
  findFirstPage,
  IncrementalUpdate,
  isPdfArray,
  openPdf,
  PdfDict,
  PdfName,
  type PdfObject,
  PdfPlaceholder,
  type PdfRef,
  PdfString,
  readAcroForm,
} from '@sigillum/pdf';
import { encodeForgedCms } from './encode-forged-cms.ts';
import { makeSoftwareToken } from './make-software-token.ts';
import { readRanges, usualCms } from './sign-prepared.ts';
import type { SoftwarePki } from './software-pki.ts';
import { makeStream } from './update-objects.ts';

const contentsSize = 8192;
const byteRangeLength = 40;

export type SignUpdateOptions = {
  readonly fieldName: string;
  /** `[left, bottom, right, top]`; with one the signature is visible, a white rectangle. */
  readonly rect?: readonly [number, number, number, number];
  /** Certifies with this DocMDP level (ISO 32000-2 table 257). */
  readonly certify?: 1 | 2 | 3;
  /** A document time-stamp (EN 319 142-1 §5.4.3) instead of a signature. */
  readonly documentTimeStamp?: boolean;
  /** Further changes in the same update, before it is signed. */
  readonly change?: (update: IncrementalUpdate) => void;
};

/** A good B-T signature of kinds that the product doesn't make: visible, certifying, or a document time-stamp. */
export function signUpdate(input: Uint8Array, pki: SoftwarePki, options: SignUpdateOptions): Uint8Array {
  const document = openPdf(createArraySource(input));
  const update = new IncrementalUpdate(document, (length) => new Uint8Array(randomBytes(length)));
  const byteRange = new PdfPlaceholder(new Uint8Array(byteRangeLength).fill(0x20));
  const contents = new PdfPlaceholder(Buffer.from(`<${'00'.repeat(contentsSize)}>`));
  const signature = update.allocate();
  update.set(signature, makeDictionary(pki, options, byteRange, contents));
  const field = update.allocate();
  const page = findFirstPage(document);
  const annotations = document.find(page.dict, 'Annots');
  update.set(page.ref, page.dict.with({ Annots: [...(isPdfArray(annotations) ? annotations : []), field] }));
  update.set(field, makeField(update, options, page.ref, signature));
  const form = readAcroForm(document);
  const fields = [...(form?.fields ?? []), field];
  const dict = (form?.dict ?? new PdfDict()).with({ Fields: fields, SigFlags: 3 });
  const permissions = options.certify ? { Perms: new PdfDict([['DocMDP', signature]]) } : {};
  if (form?.ref) update.set(form.ref, dict);
  if (!form?.ref || options.certify) {
    const { catalogRef, catalog } = document;
    update.set(catalogRef, catalog.with({ AcroForm: form?.ref ?? dict, ...permissions }));
  }
  options.change?.(update);
  const { bytes: increment, positions } = update.encode();
  const file = Buffer.concat([input, increment]);
  const start = input.length + (positions.get(contents) ?? 0);
  const end = start + contents.bytes.length;
  const range = [0, start, end, file.length - end];
  file.write(
    `[${range.join(' ')}`.padEnd(byteRangeLength - 1).concat(']'),
    input.length + (positions.get(byteRange) ?? 0),
  );
  const signed = readRanges(file, range);
  const cms = options.documentTimeStamp
    ? makeSoftwareToken(pki.tsu, signed, pki.now)
    : encodeForgedCms(signed, usualCms(pki));
  file.write(Buffer.from(cms).toString('hex'), start + 1);
  return file;
}

function makeDictionary(
  pki: SoftwarePki,
  options: SignUpdateOptions,
  byteRange: PdfPlaceholder,
  contents: PdfPlaceholder,
): PdfDict {
  const entries: [string, PdfObject][] = [
    ['Type', new PdfName(options.documentTimeStamp ? 'DocTimeStamp' : 'Sig')],
    ['Filter', new PdfName('Adobe.PPKLite')],
    ['SubFilter', new PdfName(options.documentTimeStamp ? 'ETSI.RFC3161' : 'ETSI.CAdES.detached')],
    ['ByteRange', byteRange],
    ['Contents', contents],
  ];
  if (!options.documentTimeStamp) {
    const time = pki.now.toISOString().replace(/[-:T]|\..*/g, '');
    entries.push(['M', new PdfString(Buffer.from(`D:${time}Z`))]);
  }
  if (options.certify) {
    const parameters = new PdfDict([
      ['Type', new PdfName('TransformParams')],
      ['V', new PdfName('1.2')],
      ['P', options.certify],
    ]);
    const reference = new PdfDict([
      ['Type', new PdfName('SigRef')],
      ['TransformMethod', new PdfName('DocMDP')],
      ['TransformParams', parameters],
    ]);
    entries.push(['Reference', [reference]]);
  }
  return new PdfDict(entries);
}

function makeField(update: IncrementalUpdate, options: SignUpdateOptions, page: PdfRef, signature: PdfRef): PdfDict {
  const rect = options.rect ?? [0, 0, 0, 0];
  const entries: [string, PdfObject][] = [
    ['Type', new PdfName('Annot')],
    ['Subtype', new PdfName('Widget')],
    ['FT', new PdfName('Sig')],
    ['T', encodeTextString(options.fieldName)],
    ['F', 132],
    ['Rect', [...rect]],
    ['P', page],
    ['V', signature],
  ];
  if (options.rect) {
    const appearance = update.allocate();
    update.set(appearance, makeWhiteBox(rect));
    entries.push(['AP', new PdfDict([['N', appearance]])]);
  }
  return new PdfDict(entries);
}

/** A form XObject that paints its whole box white. */
export function makeWhiteBox([left = 0, bottom = 0, right = 0, top = 0]: readonly number[]): PdfPlaceholder {
  const [width, height] = [right - left, top - bottom];
  return makeStream(
    `1 1 1 rg 0 0 ${width} ${height} re f`,
    `/Type /XObject /Subtype /Form /BBox [0 0 ${width} ${height}] /Resources << >> `,
  );
}
