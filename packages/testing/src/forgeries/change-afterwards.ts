import {
  findFirstPage,
  type IncrementalUpdate,
  isPdfArray,
  type PdfArray,
  PdfDict,
  type PdfDocument,
  PdfName,
  PdfRef,
  PdfString,
  readAcroForm,
} from '@sigillum/pdf';
import { type FoundSeal, findSeal } from './find-seal.ts';
import { type ForgedFile, forged, type ForgeryTools, type SealedSample } from './forgery.ts';
import { makeWhiteBox, signUpdate } from './sign-update.ts';
import { signPrepared } from './sign-prepared.ts';
import { makeStream, updateObjects } from './update-objects.ts';

type Change = (update: IncrementalUpdate, document: PdfDocument) => void;

/** Incremental updates after the seal that no signature allows (ISO 32000-2 §12.8.2.2, and what nobody expects to change). */
export function changeAfterwards({ bytes }: SealedSample, { pki }: ForgeryTools): readonly ForgedFile[] {
  const seal = findSeal(bytes);
  const after = (change: Change) => updateObjects(bytes, change);
  const changed = after(changeContent);
  return [
    forged('changed-content', "the page's content by an update", changed),
    forged('changed-media-box', "the page's size by an update", after(changePage({ MediaBox: [0, 0, 300, 300] }))),
    forged('changed-rotation', "the page's rotation by an update", after(changePage({ Rotate: 180 }))),
    forged('changed-font', 'a font by an update', after(changeFont)),
    forged('added-annotation', 'an annotation over the page by an update', after(addAnnotation)),
    forged('added-open-action', 'an action at opening by an update', after(addOpenAction)),
    forged('added-script', 'a script at opening by an update', after(addScript)),
    forged('added-text-field', 'a form field over the page by an update', after(addTextField)),
    forged('made-visible', 'a picture on the invisible signature by an update', after(makeVisible(seal.field))),
    forged('added-page', 'a page by an update', after(addPage)),
    forged('replaced-catalog', 'another catalog by an update', after(replaceCatalog)),
    forged('dropped-form', 'the AcroForm by an update', after(dropForm)),
    forged('dropped-field', 'the signature field by an update', after(dropField(seal.field.ref))),
    forged(
      'dropped-value',
      "the field's value by an update",
      after((update) => update.set(seal.field.ref, seal.field.dict.with({ V: undefined }))),
    ),
    forged(
      'dropped-contents',
      '/Contents by an update',
      after((update) => update.set(seal.signature.ref, seal.signature.dict.with({ Contents: undefined }))),
    ),
    forged(
      'dropped-byte-range',
      '/ByteRange by an update',
      after((update) => update.set(seal.signature.ref, seal.signature.dict.with({ ByteRange: undefined }))),
    ),
    forged(
      'emptied-byte-range',
      '/ByteRange by an update',
      after((update) => update.set(seal.signature.ref, seal.signature.dict.with({ ByteRange: [0, 0, 0, 0] }))),
    ),
    forged('reused-signature', 'a second field with the same signature', after(reuseSignature(seal.signature.ref))),
    forged('changed-with-dss', 'the page in an update that looks like long-term data', after(changeWithDss)),
    forged(
      'changed-below-time-stamp',
      'the page, then a good document time-stamp',
      signUpdate(changed, pki, { fieldName: 'Later', documentTimeStamp: true }),
    ),
    forged('changed-below-seal', 'the page, then another good seal', signPrepared(changed, pki)),
    forged(
      'changed-in-time-stamp',
      'the page in the update of a document time-stamp',
      signUpdate(bytes, pki, {
        fieldName: 'Later',
        documentTimeStamp: true,
        change: (update) => changeContent(update, seal.document),
      }),
    ),
  ];
}

/** The page shows something else. */
export const changeContent: Change = (update, document) => {
  const content = update.allocate();
  update.set(content, makeStream('0.9 0.1 0.1 rg 40 40 500 700 re f'));
  changePage({ Contents: content })(update, document);
};

function changePage(changes: Parameters<PdfDict['with']>[0]): Change {
  return (update, document) => {
    const page = findFirstPage(document);
    update.set(page.ref, page.dict.with(changes));
  };
}

/** The first font of the page, where it has an own object; else the page gets other resources. */
const changeFont: Change = (update, document) => {
  const symbols = new PdfDict([
    ['Type', new PdfName('Font')],
    ['Subtype', new PdfName('Type1')],
    ['BaseFont', new PdfName('ZapfDingbats')],
  ]);
  const page = findFirstPage(document);
  const resources = document.findDict(page.dict.find('Resources'), 'Resources');
  const fonts = document.findDict(resources?.find('Font'), 'Fonts');
  const [name, font] = fonts?.entries().next().value ?? ['F1', null];
  if (font instanceof PdfRef) return update.set(font, symbols);
  const changed = new PdfDict([['Font', new PdfDict([[name, symbols]])]]);
  changePage({ Resources: changed })(update, document);
};

/** A white square with an appearance of its own over the whole page. */
export const addAnnotation: Change = (update, document) => {
  const appearance = update.allocate();
  const rect = [0, 0, 595, 842];
  update.set(appearance, makeWhiteBox(rect));
  const annotation = update.allocate();
  update.set(
    annotation,
    new PdfDict([
      ['Type', new PdfName('Annot')],
      ['Subtype', new PdfName('Square')],
      ['Rect', rect],
      ['F', 4],
      ['AP', new PdfDict([['N', appearance]])],
    ]),
  );
  const { dict } = findFirstPage(document);
  const old = document.find(dict, 'Annots');
  changePage({ Annots: [...(isPdfArray(old) ? old : []), annotation] })(update, document);
};

const addOpenAction: Change = (update, document) => {
  const action = new PdfDict([
    ['S', new PdfName('URI')],
    ['URI', new PdfString(Buffer.from('https://example.com/'))],
  ]);
  update.set(document.catalogRef, document.catalog.with({ OpenAction: action }));
};

const addScript: Change = (update, document) => {
  const action = new PdfDict([
    ['S', new PdfName('JavaScript')],
    ['JS', new PdfString(Buffer.from('app.beep(0)'))],
  ]);
  const scripts = new PdfDict([['Names', [new PdfString(Buffer.from('a')), action]]]);
  update.set(document.catalogRef, document.catalog.with({ Names: new PdfDict([['JavaScript', scripts]]) }));
};

const addTextField: Change = (update, document) => {
  const appearance = update.allocate();
  update.set(appearance, makeWhiteBox([0, 0, 595, 842]));
  const page = findFirstPage(document);
  const field = update.allocate();
  update.set(
    field,
    new PdfDict([
      ['Type', new PdfName('Annot')],
      ['Subtype', new PdfName('Widget')],
      ['FT', new PdfName('Tx')],
      ['T', new PdfString(Buffer.from('Amount'))],
      ['V', new PdfString(Buffer.from('1000000'))],
      ['F', 4],
      ['Rect', [0, 0, 595, 842]],
      ['P', page.ref],
      ['AP', new PdfDict([['N', appearance]])],
    ]),
  );
  setFields(update, document, (fields) => [...fields, field]);
  const old = document.find(page.dict, 'Annots');
  changePage({ Annots: [...(isPdfArray(old) ? old : []), field] })(update, document);
};

function makeVisible({ ref, dict }: FoundSeal['field']): Change {
  return (update) => {
    const appearance = update.allocate();
    update.set(appearance, makeWhiteBox([0, 0, 595, 842]));
    update.set(ref, dict.with({ Rect: [0, 0, 595, 842], AP: new PdfDict([['N', appearance]]) }));
  };
}

function setFields(update: IncrementalUpdate, document: PdfDocument, change: (fields: PdfArray) => PdfArray): void {
  const form = readAcroForm(document);
  if (!form) throw new Error('the file has no form');
  const fields = change(form.fields);
  if (form.fieldsRef) return update.set(form.fieldsRef, fields);
  const dict = form.dict.with({ Fields: fields });
  if (form.ref) update.set(form.ref, dict);
  else update.set(document.catalogRef, document.catalog.with({ AcroForm: dict }));
}

const addPage: Change = (update, document) => {
  const root = document.catalog.find('Pages');
  const pages = document.getDict(root, 'Pages');
  const kids = document.find(pages, 'Kids');
  const count = document.find(pages, 'Count');
  if (!(root instanceof PdfRef) || !isPdfArray(kids)) throw new Error('an unusual page tree');
  const content = update.allocate();
  update.set(content, makeStream('1 0 0 rg 100 100 300 300 re f'));
  const page = update.allocate();
  update.set(
    page,
    new PdfDict([
      ['Type', new PdfName('Page')],
      ['Parent', root],
      ['MediaBox', [0, 0, 595, 842]],
      ['Resources', new PdfDict()],
      ['Contents', content],
    ]),
  );
  update.set(root, pages.with({ Kids: [...kids, page], Count: Number(count) + 1 }));
};

/** Keeps the form, and leads to another page tree. */
const replaceCatalog: Change = (update, document) => {
  const [pages, page, content] = [update.allocate(), update.allocate(), update.allocate()];
  update.set(content, makeStream('1 0 0 rg 100 100 300 300 re f'));
  update.set(
    page,
    new PdfDict([
      ['Type', new PdfName('Page')],
      ['Parent', pages],
      ['MediaBox', [0, 0, 595, 842]],
      ['Resources', new PdfDict()],
      ['Contents', content],
    ]),
  );
  update.set(
    pages,
    new PdfDict([
      ['Type', new PdfName('Pages')],
      ['Kids', [page]],
      ['Count', 1],
    ]),
  );
  update.set(document.catalogRef, document.catalog.with({ Pages: pages }));
};

const dropForm: Change = (update, document) => {
  update.set(document.catalogRef, document.catalog.with({ AcroForm: undefined }));
};

function dropField(field: PdfRef): Change {
  return (update, document) =>
    setFields(update, document, (fields) =>
      fields.filter((entry) => !(entry instanceof PdfRef && entry.number === field.number)),
    );
}

function reuseSignature(signature: PdfRef): Change {
  return (update, document) => {
    const page = findFirstPage(document);
    const field = update.allocate();
    update.set(
      field,
      new PdfDict([
        ['Type', new PdfName('Annot')],
        ['Subtype', new PdfName('Widget')],
        ['FT', new PdfName('Sig')],
        ['T', new PdfString(Buffer.from('Again'))],
        ['F', 132],
        ['Rect', [0, 0, 0, 0]],
        ['P', page.ref],
        ['V', signature],
      ]),
    );
    setFields(update, document, (fields) => [...fields, field]);
  };
}

const changeWithDss: Change = (update, document) => {
  changeContent(update, document);
  const dss = update.allocate();
  update.set(dss, new PdfDict([['Type', new PdfName('DSS')]]));
  update.set(document.catalogRef, document.catalog.with({ DSS: dss }));
};
