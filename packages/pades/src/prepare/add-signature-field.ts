import {
  encodeTextString,
  findFirstPage,
  type IncrementalUpdate,
  isPdfArray,
  PdfDict,
  type PdfDocument,
  PdfName,
  PdfNewStream,
  PdfRef,
  readAcroForm,
  wrongType,
} from '@sigillum/pdf';

/** Print and Locked (ISO 32000-2 table 167): what PDF/A asks of an annotation, and no viewer lets it be moved. */
const printAndLocked = 4 + 128;
/** SignaturesExist and AppendOnly (table 225). */
const signaturesExist = 3;

/**
 * Puts an invisible signature field, merged with its widget, into the form and onto the first page. Only the objects that
 * must change are written again: validators allow a later signature no more than that.
 */
export function addSignatureField(
  document: PdfDocument,
  update: IncrementalUpdate,
  name: string,
  signature: PdfRef,
): void {
  const field = update.allocate();
  const page = addToFirstPage(document, update, field);
  update.set(
    field,
    new PdfDict([
      ['Type', new PdfName('Annot')],
      ['Subtype', new PdfName('Widget')],
      ['FT', new PdfName('Sig')],
      ['T', encodeTextString(name)],
      ['F', printAndLocked],
      ['Rect', [0, 0, 0, 0]],
      ['P', page],
      ['V', signature],
      ['AP', new PdfDict([['N', addEmptyAppearance(update)]])],
    ]),
  );
  addToForm(document, update, field);
}

/** ISO 19005-1 §6.9 wants an appearance for every field, also for one that shows nothing. */
function addEmptyAppearance(update: IncrementalUpdate): PdfRef {
  const appearance = update.allocate();
  const dict = new PdfDict([
    ['Type', new PdfName('XObject')],
    ['Subtype', new PdfName('Form')],
    ['BBox', [0, 0, 0, 0]],
    ['Resources', new PdfDict()],
  ]);
  update.set(appearance, new PdfNewStream(dict, new Uint8Array()));
  return appearance;
}

function addToFirstPage(document: PdfDocument, update: IncrementalUpdate, field: PdfRef): PdfRef {
  const { ref, dict } = findFirstPage(document);
  const value = dict.find('Annots');
  const annotations = document.find(dict, 'Annots');
  if (annotations !== undefined && !isPdfArray(annotations)) throw wrongType('/Annots of the first page', 'an array');
  const extended = [...(annotations ?? []), field];
  if (value instanceof PdfRef && annotations !== undefined) update.set(value, extended);
  else update.set(ref, dict.with({ Annots: extended }));
  return ref;
}

function addToForm(document: PdfDocument, update: IncrementalUpdate, field: PdfRef): void {
  const { catalog, catalogRef } = document;
  const form = readAcroForm(document);
  if (form === undefined) {
    const ref = update.allocate();
    update.set(
      ref,
      new PdfDict([
        ['Fields', [field]],
        ['SigFlags', signaturesExist],
      ]),
    );
    update.set(catalogRef, catalog.with({ AcroForm: ref }));
    return;
  }
  const fields = [...form.fields, field];
  const sigFlags = form.sigFlags | signaturesExist;
  if (form.fieldsRef !== undefined) update.set(form.fieldsRef, fields);
  if (form.fieldsRef !== undefined && sigFlags === form.sigFlags) return;
  const changed = form.dict.with({ SigFlags: sigFlags, Fields: form.fieldsRef ?? fields });
  if (form.ref !== undefined) update.set(form.ref, changed);
  else update.set(catalogRef, catalog.with({ AcroForm: changed }));
}
