import {
  type ByteSource,
  findReferences,
  IncrementalUpdate,
  isPdfArray,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfName,
  PdfNewStream,
  type PdfObject,
  PdfRef,
  PdfStream,
  wrongType,
} from '@sigillum/pdf';
import { isSigillumError } from '@sigillum/errors';
import type { Random } from '../prepare/seal-options.ts';
import type { RevocationData } from '../seal/revocation-source.ts';

/** ISO 32000-2 table 261. */
const storeKeys: ReadonlySet<string> = new Set(['Type', 'VRI', 'Certs', 'OCSPs', 'CRLs']);
/** Entries of a list that are read to see what is there already: beyond it something may be added twice, which is harmless. */
const maxKnownEntries = 512;

/**
 * The update that puts validation data into the document security store (EN 319 142-1 §5.4.2, ISO 32000-2 §12.8.4.3): one
 * stream for each value that the store doesn't hold yet. What is there stays, `/VRI` included; none is written. When the
 * store holds all of it, one value is written again: EU DSS calls a signature B-LT only when the store changed after it.
 *
 * @param random for the changing half of `/ID`
 * @returns what follows the file; empty for empty data
 * @throws SigillumError `pdf_*` for what can't be read
 */
export function addValidationData(source: ByteSource, data: RevocationData, random: Random): Uint8Array {
  const document = openPdf(source);
  const value = document.catalog.find('DSS');
  const store = document.findDict(value, '/DSS of the catalog') ?? new PdfDict([['Type', new PdfName('DSS')]]);
  if (value instanceof PdfRef) assertOwn(document, value, store);
  const update = new IncrementalUpdate(document, random);
  const kinds = [
    { key: 'Certs', values: data.certificates },
    { key: 'CRLs', values: data.crls },
    { key: 'OCSPs', values: data.ocsps },
  ].map(({ key, values }) => {
    const list = readList(document, store, key);
    return { key, values, list, added: listMissing(document, list, values) };
  });
  if (kinds.every(({ added }) => added.length === 0)) {
    const again = kinds.find(({ values }) => values.length > 0);
    if (again === undefined) return new Uint8Array();
    again.added = again.values.slice(0, 1);
  }
  const lists: Record<string, PdfObject> = {};
  for (const { key, list, added } of kinds) {
    if (added.length === 0) continue;
    // a direct array: one that is an object of its own may belong to others too
    lists[key] = [...list, ...added.map((der) => addStream(update, der))];
  }
  const extended = store.with(lists);
  if (value instanceof PdfRef) update.set(value, extended);
  else {
    const ref = update.allocate();
    update.set(ref, extended);
    update.set(document.catalogRef, document.catalog.with({ DSS: ref }));
  }
  return update.encode().bytes;
}

/** What is something else too, such as the resources of a page, would change with the store. Others refer to it then. */
function assertOwn(document: PdfDocument, ref: PdfRef, store: PdfDict): void {
  if ([...store.entries()].every(([key]) => storeKeys.has(key))) return;
  const places = findReferences(document, new Set([ref.number])).places.get(ref.number);
  if (places === undefined || places.size <= 1) return;
  throw wrongType('/DSS of the catalog', 'a document security store and nothing else');
}

function readList(document: PdfDocument, store: PdfDict, key: string): readonly PdfObject[] {
  const list = document.find(store, key) ?? [];
  if (!isPdfArray(list)) throw wrongType(`/${key} of the document security store`, 'an array');
  return list;
}

/** The values that the list doesn't hold, each once. */
function listMissing(
  document: PdfDocument,
  list: readonly PdfObject[],
  values: readonly Uint8Array[],
): readonly Uint8Array[] {
  const known = new Set(list.slice(0, maxKnownEntries).flatMap((entry) => findContent(document, entry)));
  return values.filter((der) => {
    const content = toKey(der);
    const isNew = !known.has(content);
    known.add(content);
    return isNew;
  });
}

function addStream(update: IncrementalUpdate, der: Uint8Array): PdfRef {
  const ref = update.allocate();
  update.set(ref, new PdfNewStream(new PdfDict(), der));
  return ref;
}

/** What an entry of the store holds; nothing when that can't be read, which is no reason not to add to the store. */
function findContent(document: PdfDocument, entry: PdfObject): readonly string[] {
  try {
    const stream = document.resolve(entry);
    return stream instanceof PdfStream ? [toKey(document.readStream(stream))] : [];
  } catch (error) {
    if (isSigillumError(error)) return [];
    throw error;
  }
}

/** The bytes themselves, one character each. */
function toKey(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
