import { type FormField, isPdfArray, PdfDict, type PdfDocument, PdfRef, wrongType } from '@sigillum/pdf';

/** An annotation that shows a field: the field's own object when they are merged, else a kid without a name. */
export type FieldWidget = { readonly ref: PdfRef; readonly dict: PdfDict };

/** The widgets of a field that has an object of its own (ISO 32000-2 §12.5.6.19, §12.7.4.1). */
export function listFieldWidgets(document: PdfDocument, { ref, dict }: FormField): readonly FieldWidget[] {
  const found: FieldWidget[] = [];
  if (ref !== undefined && dict.has('Rect')) found.push({ ref, dict });
  const kids = document.find(dict, 'Kids') ?? [];
  if (!isPdfArray(kids)) throw wrongType('/Kids of a form field', 'an array');
  for (const kid of kids) {
    const value = document.resolve(kid);
    if (kid instanceof PdfRef && value instanceof PdfDict && !value.has('T')) found.push({ ref: kid, dict: value });
  }
  return found;
}
