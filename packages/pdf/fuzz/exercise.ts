import { isSigillumError } from '@sigillum/errors';
import { ObjectParser } from '../src/syntax/object-parser.ts';
import {
  assertPermitted,
  type ByteSource,
  countPages,
  createArraySource,
  findFirstPage,
  findPage,
  findReferences,
  findUnlistedBytes,
  getPage,
  IncrementalUpdate,
  limits,
  listFormFields,
  locateDictValues,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfName,
  PdfNewStream,
  type PdfObject,
  PdfRef,
  PdfStream,
  PdfString,
  readPageBoxes,
} from '../src/index.ts';

/** Objects of a file that are read one by one. */
const mostObjects = 200;
/** Decoded bytes of one input: more than this and a bound is missing. */
const mostRead = 2 * limits.work;

/**
 * Does everything with an input that the product does with one. What comes out is an answer or a `pdf_*` error; anything
 * else is thrown.
 *
 * @returns the code of the refusal, or `read`
 */
export function exercise(bytes: Uint8Array): string {
  let read = 0;
  const array = createArraySource(bytes);
  const source: ByteSource = {
    size: bytes.length,
    read(offset, length) {
      read += length;
      if (read > mostRead) throw new Error(`more than ${mostRead} bytes read of ${bytes.length}`);
      return array.read(offset, length);
    },
  };
  for (const offset of [0, bytes.length >> 1])
    attempt(() => new ObjectParser({ at: (at) => bytes[at] ?? -1 }, offset).parse());
  attempt(() => locateDictValues(source, bytes.length >> 2));
  let outcome = 'read';
  const document = attempt(
    () => openPdf(source),
    (code) => {
      outcome = code;
    },
  );
  if (document !== undefined) exerciseDocument(document, bytes);
  return outcome;
}

function exerciseDocument(document: PdfDocument, bytes: Uint8Array): void {
  attempt(() => listFormFields(document));
  attempt(() => assertPermitted(document, 'add-field'));
  attempt(() => countPages(document));
  attempt(() => findPage(document, 3));
  attempt(() => readPageBoxes(document, findFirstPage(document)));
  attempt(() => findReferences(document, new Set([1, 2, 3])));
  attempt(() => findUnlistedBytes(document, 1, bytes.length >> 1));
  let objects = 0;
  for (const number of document.sections.flatMap((section) => [...take(section.numbers(), mostObjects)])) {
    if (objects++ >= mostObjects) break;
    const value = attempt(() => document.get(new PdfRef(number, generationOf(document, number))));
    if (value instanceof PdfStream) attempt(() => document.readStream(value));
    attempt(() => getPage(document, new PdfRef(number)));
  }
  for (const index of document.sections.keys()) {
    if (index > 3) break;
    const view = document.viewAt(index, { bytes: limits.work, values: limits.values });
    attempt(() => findFirstPage(view));
  }
  attempt(() => update(document, bytes));
}

function* take<Item>(items: Iterable<Item>, most: number): IterableIterator<Item> {
  let taken = 0;
  for (const item of items) {
    if (taken++ >= most) return;
    yield item;
  }
}

function generationOf(document: PdfDocument, number: number): number {
  const entry = document.findEntry(number);
  return entry?.type === 'plain' ? entry.generation : 0;
}

/** What was opened can be appended to, and what was appended can be read. */
function update(document: PdfDocument, bytes: Uint8Array): void {
  const change = new IncrementalUpdate(document, (length) => new Uint8Array(length).fill(5));
  const [ref, stream] = [change.allocate(), change.allocate()];
  const text = new PdfString(Uint8Array.of(1, 2, 3));
  change.set(ref, new PdfDict([['Text', text]]));
  change.set(stream, new PdfNewStream(new PdfDict([['Type', new PdfName('Note')]]), Uint8Array.of(4, 5, 6)));
  change.set(document.catalogRef, document.catalog.with({ Added: ref }));
  const encoded = change.encode();
  const again = openPdf(createArraySource(new Uint8Array(Buffer.concat([bytes, encoded.bytes]))));
  const read = again.getDict(ref, 'what was added').find('Text');
  if (!(read instanceof PdfString) || String(read.bytes) !== '1,2,3')
    throw new Error('an added string came back changed');
  const data: PdfObject = again.get(stream);
  if (!(data instanceof PdfStream) || String(again.readStream(data)) !== '4,5,6') {
    throw new Error('an added stream came back changed');
  }
  const added = again.catalog.find('Added');
  if (!(added instanceof PdfRef) || String(added) !== String(ref)) throw new Error('the catalog was not replaced');
}

function attempt<Result>(run: () => Result, refused: (code: string) => void = () => {}): Result | undefined {
  try {
    return run();
  } catch (error) {
    if (!isSigillumError(error) || !error.code.startsWith('pdf_')) throw error;
    refused(error.code);
    return undefined;
  }
}
