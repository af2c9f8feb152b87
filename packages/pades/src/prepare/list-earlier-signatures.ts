import { type FormField, isName, isPdfArray, PdfDict, type PdfDocument } from '@sigillum/pdf';

/** A signature that is already in the document: its dictionary, and its field unless only `/Perms` knows it. */
export type EarlierSignature = { readonly dict: PdfDict; readonly field: FormField | undefined };

/** Every signature dictionary that a field or `/Perms /DocMDP` leads to. Whether they are intact is not asked. */
export function listEarlierSignatures(
  document: PdfDocument,
  fields: readonly FormField[],
): readonly EarlierSignature[] {
  const found: EarlierSignature[] = [];
  for (const field of fields) {
    if (field.type !== 'Sig') continue;
    // something else than a dictionary is a signature to nobody: it doesn't stop the next one
    if (!(document.resolve(field.value ?? null) instanceof PdfDict)) continue;
    found.push({ dict: document.getDict(field.value, 'A signature'), field });
  }
  const permissions = document.findDict(document.catalog.find('Perms'), '/Perms of the catalog');
  const certification = document.findDict(permissions?.find('DocMDP'), 'The certification');
  if (certification !== undefined && !found.some(({ dict }) => dict === certification)) {
    found.push({ dict: certification, field: undefined });
  }
  return found;
}

/** The transform parameters of one method in a signature's references (ISO 32000-2 §12.8.1, table 256). */
export function listTransforms(document: PdfDocument, signature: PdfDict, method: string): readonly PdfDict[] {
  const references = document.find(signature, 'Reference');
  if (references === undefined) return [];
  // a single dictionary instead of an array is seen in the wild
  const list = isPdfArray(references) ? references : [references];
  const found: PdfDict[] = [];
  for (const value of list) {
    const reference = document.getDict(value, 'A signature reference');
    if (!isName(document.find(reference, 'TransformMethod'), method)) continue;
    found.push(document.findDict(reference.find('TransformParams'), 'The parameters of a transform') ?? new PdfDict());
  }
  return found;
}
