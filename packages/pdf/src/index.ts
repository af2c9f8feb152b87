export { assertPermitted } from './encryption/assert-permitted.ts';
export { findFirstPage } from './document/find-first-page.ts';
export { countPages, findPage } from './document/find-page.ts';
export { getPage } from './document/get-page.ts';
export type { Page } from './document/page.ts';
export { findInherited, type PageBoxes, type Rectangle, readPageBoxes } from './document/page-boxes.ts';
export { type FormField, listFormFields } from './document/list-form-fields.ts';
export { openPdf } from './document/open-pdf.ts';
export type { PdfDocument } from './document/pdf-document.ts';
export { type AcroForm, readAcroForm } from './document/read-acro-form.ts';
export { limits } from './limits.ts';
export {
  isPdfArray,
  type PdfArray,
  PdfDict,
  PdfName,
  PdfNewStream,
  type PdfObject,
  PdfReal,
  PdfRef,
  PdfStream,
  PdfString,
} from './objects/pdf-object.ts';
export { PdfPlaceholder } from './objects/pdf-placeholder.ts';
export { assertNoDuplicates, isName, wrongType } from './objects/take.ts';
export { type ByteSource, createArraySource, createFileSource } from './source/byte-source.ts';
export { decodeTextString, encodeTextString } from './syntax/text-string.ts';
export { type EncodedUpdate, IncrementalUpdate } from './update/incremental-update.ts';
export type { XrefEntry, XrefSection } from './xref/xref-section.ts';
export { type EqualStreams, equalObjects } from './inspect/equal-objects.ts';
export { findReferences, type References, staysUnreadable } from './inspect/find-references.ts';
export { KnownReferences } from './inspect/known-references.ts';
export { findUnlistedBytes } from './inspect/find-unlisted-bytes.ts';
export { locateDictValues, type ValueSpan } from './inspect/locate-dict-values.ts';
export { type ObjectKind, type ObjectSurvey, surveyObjects } from './inspect/survey-objects.ts';
export { sliceSource } from './inspect/slice-source.ts';
