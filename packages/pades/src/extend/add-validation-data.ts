import {
  type ByteSource,
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

/** Entries of a list that are read to see what is there already: beyond it something may be added twice, which is harmless. */
const maxKnownEntries = 512;

/**
 * The update that puts validation data into the document security store (EN 319 142-1 §5.4.2, ISO 32000-2 §12.8.4.3): one
 * stream for each value that the store doesn't hold yet. What is there stays, `/VRI` included; none is written.
 *
 * @param random for the changing half of `/ID`
 * @returns what follows the file; empty when there is nothing to add
 * @throws SigillumError `pdf_*` for what can't be read
 */
export function addValidationData(source: ByteSource, data: RevocationData, random: Random): Uint8Array {
  const document = openPdf(source);
  const value = document.catalog.find('DSS');
  const store = document.findDict(value, '/DSS of the catalog') ?? new PdfDict([['Type', new PdfName('DSS')]]);
  const update = new IncrementalUpdate(document, random);
  const lists: Record<string, PdfObject> = {};
  for (const [key, values] of [
    ['Certs', data.certificates],
    ['CRLs', data.crls],
    ['OCSPs', data.ocsps],
  ] as const) {
    const list = extendList(document, update, store, key, values);
    if (list !== undefined) lists[key] = list;
  }
  if (Object.keys(lists).length === 0) return new Uint8Array();
  const extended = store.with(lists);
  if (value instanceof PdfRef) update.set(value, extended);
  else {
    const ref = update.allocate();
    update.set(ref, extended);
    update.set(document.catalogRef, document.catalog.with({ DSS: ref }));
  }
  return update.encode().bytes;
}

/** The list with what is new at its end, as a direct array: one that is an object of its own may belong to others too. */
function extendList(
  document: PdfDocument,
  update: IncrementalUpdate,
  store: PdfDict,
  key: string,
  values: readonly Uint8Array[],
): PdfObject | undefined {
  const list = document.find(store, key) ?? [];
  if (!isPdfArray(list)) throw wrongType(`/${key} of the document security store`, 'an array');
  const known = new Set(list.slice(0, maxKnownEntries).flatMap((entry) => findContent(document, entry)));
  const added = values.flatMap((der) => {
    const content = toKey(der);
    if (known.has(content)) return [];
    known.add(content);
    const ref = update.allocate();
    update.set(ref, new PdfNewStream(new PdfDict(), der));
    return [ref];
  });
  return added.length === 0 ? undefined : [...list, ...added];
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
