import { isPdfArray, type Page, PdfDict, type PdfDocument, type PdfObject, PdfStream } from '@sigillum/pdf';
import { identity, type Matrix, multiply, transform } from '../place/matrix.ts';
import { findName, findNumber, findNumbers } from './font-values.ts';

/** Annotation flags of what isn't shown (ISO 32000-2 table 167): Hidden, NoView. */
const notShown = 0x02 | 0x20;

/** The form that an annotation shows, and from the form's space after its own /Matrix to default user space. */
export type AnnotationForm = {
  readonly form: PdfStream;
  readonly toUser: Matrix;
  /** `/OC` of the annotation. */
  readonly layer: PdfObject | undefined;
};

/**
 * What the annotations of a page show, form fields first of all (§12.5.5). Not of signatures: a seal beside the same text
 * would make it ambiguous for the next one. Not of notes that open in windows of their own.
 */
export function* listAnnotationForms(document: PdfDocument, page: Page): Generator<AnnotationForm | undefined> {
  const annotations = document.find(page.dict, 'Annots');
  if (!isPdfArray(annotations)) return;
  for (const value of annotations) {
    const dict = document.resolve(value);
    // something for each, so that its cost is counted
    yield dict instanceof PdfDict ? readForm(document, dict) : undefined;
  }
}

function readForm(document: PdfDocument, annotation: PdfDict): AnnotationForm | undefined {
  if (((findNumber(document, annotation, 'F') ?? 0) & notShown) !== 0) return undefined;
  const kind = findName(document, annotation, 'Subtype');
  if (kind === 'Popup' || isSignature(document, annotation)) return undefined;
  const appearances = document.find(annotation, 'AP');
  if (!(appearances instanceof PdfDict)) return undefined;
  let form = document.find(appearances, 'N');
  if (form instanceof PdfDict) form = document.find(form, findName(document, annotation, 'AS') ?? 'Off');
  const rectangle = findNumbers(document, annotation, 'Rect');
  if (!(form instanceof PdfStream) || rectangle?.length !== 4) return undefined;
  const toUser = fitInto(rectangle, document, form.dict);
  return toUser && { form, toUser, layer: annotation.find('OC') };
}

/** A field's type may stand in its parent. */
function isSignature(document: PdfDocument, annotation: PdfDict): boolean {
  const own = findName(document, annotation, 'FT');
  if (own !== undefined) return own === 'Sig';
  const parent = document.find(annotation, 'Parent');
  return parent instanceof PdfDict && findName(document, parent, 'FT') === 'Sig';
}

/** Algorithm of §12.5.5: the box around the turned BBox is moved and scaled to the rectangle. */
function fitInto(rectangle: readonly number[], document: PdfDocument, form: PdfDict): Matrix | undefined {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = findNumbers(document, form, 'BBox') ?? [];
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = findNumbers(document, form, 'Matrix') ?? identity;
  const matrix: Matrix = [a, b, c, d, e, f];
  const corners = [x1, x2].flatMap((x) => [y1, y2].map((y) => transform(matrix, x, y)));
  const box = span(corners.map(([x]) => x));
  const across = span(corners.map(([, y]) => y));
  const [left, bottom, right, top] = rectangle;
  const [wantedX, wantedY] = [span([left ?? 0, right ?? 0]), span([bottom ?? 0, top ?? 0])];
  const [scaleX, scaleY] = [
    (wantedX[1] - wantedX[0]) / (box[1] - box[0]),
    (wantedY[1] - wantedY[0]) / (across[1] - across[0]),
  ];
  if (!Number.isFinite(scaleX + scaleY)) return undefined;
  return multiply([1, 0, 0, 1, -box[0], -across[0]], [scaleX, 0, 0, scaleY, wantedX[0], wantedY[0]]);
}

function span(values: readonly number[]): readonly [number, number] {
  return [Math.min(...values), Math.max(...values)];
}
