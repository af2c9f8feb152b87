import {
  type FormField,
  isPdfArray,
  type PdfDict,
  type PdfDocument,
  PdfRef,
  PdfStream,
  readAcroForm,
  surveyObjects,
} from '@sigillum/pdf';
import { assertHybridPlain } from './assert-hybrid-plain.ts';
import { assertNothingRevived } from './assert-nothing-revived.ts';
import { assertObjectsPlaced } from './assert-objects-placed.ts';
import { assertPagesThere } from './assert-pages-there.ts';
import { refuseInput } from './input-policy.ts';
import { walkShownObjects } from './walk-shown-objects.ts';

/**
 * Refuses documents that readers show in different ways, whatever is signed in them.
 *
 * @returns what is referred to and isn't there
 */
export function assertInputAllowed(document: PdfDocument, fields: readonly FormField[]): readonly PdfRef[] {
  const { offset } = document.header;
  if (offset !== 0) {
    throw refuseInput('header_first', {
      sentence: `The PDF begins with ${offset} bytes that don't belong to it. Save it again, or remove them, and try again.`,
    });
  }
  if (isDynamicXfa(document, fields)) throw refuseInput('no_dynamic_xfa');
  assertHybridPlain(document);
  const survey = surveyObjects(document);
  assertObjectsPlaced(document, survey);
  const pages = assertPagesThere(document, survey);
  return survey.isClear ? [] : assertShownOnce(document, pages);
}

/** Refuses what readers show differently below the pages, in the fonts, forms and annotations of them. */
function assertShownOnce(document: PdfDocument, pages: readonly PdfDict[]): readonly PdfRef[] {
  const { ambiguous, missing, lost } = walkShownObjects(document, pages);
  if (ambiguous !== undefined) {
    throw refuseInput('keys_once', {
      sentence: `Object ${ambiguous} of the PDF has something twice: readers show one or the other. Save the PDF again, and try again.`,
    });
  }
  if (lost !== undefined) {
    throw refuseInput('objects_placed', {
      sentence: `The PDF refers to object ${lost} as it isn't: some readers find it, some don't. Save the PDF again, and try again.`,
    });
  }
  if (missing.size > 0) assertNothingRevived(document);
  return [...missing].map(([number, generation]) => new PdfRef(number, generation));
}

/**
 * Whether readers that know XFA show its template instead of the pages: the catalog says so, or there is a template and the
 * form has no other fields than for signatures (what Firefox goes by). A template beside fields is a static form, which
 * is shown by its pages.
 */
function isDynamicXfa(document: PdfDocument, fields: readonly FormField[]): boolean {
  if (document.find(document.catalog, 'NeedsRendering') === true) return true;
  const form = readAcroForm(document);
  const template = form && document.find(form.dict, 'XFA');
  const hasTemplate = template instanceof PdfStream || (isPdfArray(template) && template.length > 0);
  return hasTemplate && fields.every(({ type }) => type === 'Sig');
}
