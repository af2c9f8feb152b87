import {
  type IncrementalUpdate,
  PdfDict,
  type PdfDocument,
  type PdfObject,
  type PdfRef,
  readAcroForm,
} from '@sigillum/pdf';

/** SignaturesExist and AppendOnly (ISO 32000-2 table 225). */
const signaturesExist = 3;

/** Changes of the catalog, collected so that it is written once. */
export type CatalogChanges = Record<string, PdfObject>;

/**
 * Says in the form that there are signatures, and puts a new field behind its others. Only the objects that must change are
 * written again: validators allow a later signature no more than that.
 */
export function extendForm(document: PdfDocument, update: IncrementalUpdate, field?: PdfRef): CatalogChanges {
  const form = readAcroForm(document);
  if (form === undefined) {
    const ref = update.allocate();
    update.set(
      ref,
      new PdfDict([
        ['Fields', field === undefined ? [] : [field]],
        ['SigFlags', signaturesExist],
      ]),
    );
    return { AcroForm: ref };
  }
  const fields = field === undefined ? undefined : [...form.fields, field];
  const sigFlags = form.sigFlags | signaturesExist;
  if (fields !== undefined && form.fieldsRef !== undefined) update.set(form.fieldsRef, fields);
  const rewritesFields = fields !== undefined && form.fieldsRef === undefined;
  if (!rewritesFields && sigFlags === form.sigFlags) return {};
  const changed = form.dict.with({ SigFlags: sigFlags, ...(rewritesFields ? { Fields: fields } : {}) });
  if (form.ref === undefined) return { AcroForm: changed };
  update.set(form.ref, changed);
  return {};
}

/** `/Perms /DocMDP` (§12.8.6), beside the usage rights that may be there. */
export function addCertification(document: PdfDocument, signature: PdfRef): CatalogChanges {
  const permissions = document.findDict(document.catalog.find('Perms'), '/Perms of the catalog') ?? new PdfDict();
  return { Perms: permissions.with({ DocMDP: signature }) };
}
