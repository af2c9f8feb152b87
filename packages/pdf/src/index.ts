export { limits } from './limits.ts';
export { PdfDict } from './objects/pdf-dict.ts';
export {
  isPdfArray,
  type PdfArray,
  PdfName,
  type PdfObject,
  PdfReal,
  PdfRef,
  PdfStream,
  PdfString,
} from './objects/pdf-object.ts';
export { PdfPlaceholder } from './objects/pdf-placeholder.ts';
export { type ByteSource, createArraySource } from './source/byte-source.ts';
