import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import { isPdfArray, PdfDict, PdfName, type PdfObject, PdfRef, PdfStream, PdfString } from '../objects/pdf-object.ts';
import { assertNoDuplicates, wrongType } from '../objects/take.ts';
import { decodeTextString } from '../syntax/text-string.ts';
import type { PdfDocument } from './pdf-document.ts';
import { readAcroForm } from './read-acro-form.ts';

export type FormField = {
  /** Undefined for a field that lies directly in an array. */
  readonly ref: PdfRef | undefined;
  readonly dict: PdfDict;
  /** Fully qualified name (ISO 32000-2 §12.7.4.2). */
  readonly name: string;
  /** `/FT`, its own or inherited, e.g. `Sig`. */
  readonly type: string | undefined;
  /** `/V` as it stands there, its own or inherited; perhaps a reference. */
  readonly value: PdfObject | undefined;
};

type Waiting = { readonly node: PdfObject; readonly parent: FormField | undefined };

/** What makes a field of a dictionary: writers that number their updates wrongly list any streams. */
const fieldKeys = ['FT', 'T', 'Kids'];

/** Every field of the form, in order; widgets without a name of their own belong to the field above them. */
export function listFormFields(document: PdfDocument): readonly FormField[] {
  const form = readAcroForm(document);
  const found: FormField[] = [];
  // depth first without recursion, the next one last
  const waiting: Waiting[] = (form?.fields ?? []).map((node) => ({ node, parent: undefined })).toReversed();
  const seen = new Set<number>();
  let nodes = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, parent } = next;
    if (++nodes + waiting.length > limits.formFields) {
      throw new SigillumError('pdf_limit_exceeded', `The form of the PDF has more than ${limits.formFields} fields.`);
    }
    if (node instanceof PdfRef) {
      // listed twice, or a circle: nothing new either way
      if (seen.has(node.number)) continue;
      seen.add(node.number);
    }
    const dict = document.resolve(node);
    // something else than a dictionary is no field to anybody, but PDFBox would take a stream for one
    if (dict instanceof PdfStream && fieldKeys.some((key) => dict.dict.has(key))) {
      throw wrongType('A form field', 'a dictionary');
    }
    if (!(dict instanceof PdfDict)) continue;
    assertNoDuplicates(dict, 'A form field');
    const field = readField(document, node instanceof PdfRef ? node : undefined, dict, parent);
    if (parent === undefined || dict.has('T')) found.push(field);
    const kids = document.find(dict, 'Kids');
    // kids that are no list are none to anybody, as a name that is no string names nothing
    if (!isPdfArray(kids)) continue;
    for (const kid of kids.toReversed()) waiting.push({ node: kid, parent: field });
  }
  return found;
}

function readField(document: PdfDocument, ref: PdfRef | undefined, dict: PdfDict, parent?: FormField): FormField {
  const type = document.find(dict, 'FT');
  if (type !== undefined && !(type instanceof PdfName)) throw wrongType('/FT of a form field', 'a name');
  const partial = document.find(dict, 'T');
  const own = partial instanceof PdfString ? decodeTextString(partial) : undefined;
  // above a field without a name there is no dot
  const parts = [parent?.name === '' ? undefined : parent?.name, own].filter((part) => part !== undefined);
  const name = parts.join('.');
  if (name.length > limits.fieldName) {
    throw new SigillumError(
      'pdf_limit_exceeded',
      `A form field has a name of more than ${limits.fieldName} characters.`,
    );
  }
  return {
    ref,
    dict,
    name,
    type: type?.value ?? parent?.type,
    value: dict.find('V') ?? parent?.value,
  };
}
