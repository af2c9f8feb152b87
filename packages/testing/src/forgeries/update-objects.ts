import { randomBytes } from 'node:crypto';
import { createArraySource, IncrementalUpdate, openPdf, type PdfDocument, PdfPlaceholder } from '@sigillum/pdf';

/** The file with an update that changes what `change` sets, in the file's own kind of cross-reference. */
export function updateObjects(
  bytes: Uint8Array,
  change: (update: IncrementalUpdate, document: PdfDocument) => void,
): Uint8Array {
  const document = openPdf(createArraySource(bytes));
  const update = new IncrementalUpdate(document, (length) => new Uint8Array(randomBytes(length)));
  change(update, document);
  return Buffer.concat([bytes, update.encode().bytes]);
}

/** A stream object: the product's writer has no use for one, but writes a placeholder as it is. */
export function makeStream(data: string | Uint8Array, entries = ''): PdfPlaceholder {
  const content = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  const head = Buffer.from(`<< ${entries}/Length ${content.length} >>\nstream\n`, 'latin1');
  return new PdfPlaceholder(Buffer.concat([head, content, Buffer.from('\nendstream')]));
}
