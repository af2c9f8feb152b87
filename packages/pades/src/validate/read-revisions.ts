import { isSigillumError } from '@sigillum/errors';
import { type ByteSource, limits, openPdf, type PdfDocument, sliceSource } from '@sigillum/pdf';
import type { Findings } from './findings.ts';
import { validationLimits } from './validation-limits.ts';

/** A file as each of its cross-reference sections shows it. */
export type Revisions = {
  readonly document: PdfDocument;
  /** Newest first, one for each section of the document. */
  readonly views: readonly PdfDocument[];
  readonly budget: { bytes: number; values: number };
};

/** All views of a document; what reading them may cost is shared. */
export function readRevisions(document: PdfDocument): Revisions {
  const budget = { bytes: limits.work * limits.revisionWork, values: limits.values * limits.revisionWork };
  return { document, views: document.sections.map((_, index) => document.viewAt(index, budget)), budget };
}

/** One view; only from the first `end` bytes when given, as it was when it was signed. */
export function readRevision({ document, views, budget }: Revisions, index: number, end?: number): PdfDocument {
  const view = views[index];
  if (end === undefined && view !== undefined) return view;
  return document.viewAt(index, budget, sliceSource(document.source, end ?? document.source.size));
}

/** One header at the first byte; at the end startxref, an offset, %%EOF and at most one end of line. */
export function checkFileFrame(document: PdfDocument, findings: Findings): void {
  if (document.header.offset !== 0) findings.add('pdf_header_misplaced');
  const head = readLatin1(document.source, 0, Math.min(document.source.size, limits.headerSearch));
  if (/[\r\n]%PDF-\d/.test(head)) findings.add('pdf_header_repeated');
  const end = findEnd(document.source, document.source.size);
  if (end === undefined) findings.add('pdf_end_wrong');
  else if (!/^(?:\r\n|\r|\n)?$/.test(end.after)) findings.add('pdf_bytes_after_end');
}

/** Whether a revision ends at that offset: startxref, number, %%EOF, nothing but ends of line after it. */
export function endsRevision(source: ByteSource, offset: number): boolean {
  const end = findEnd(source, offset);
  return end !== undefined && /^[\r\n]*$/.test(end.after);
}

/** What follows the last %%EOF that has its startxref before it. */
function findEnd(source: ByteSource, size: number): { after: string } | undefined {
  const text = readLatin1(source, Math.max(0, size - validationLimits.tail), size);
  const at = text.lastIndexOf('startxref');
  if (at < 0) return undefined;
  const match = /^startxref[\0\t\n\f\r ]+\d{1,15}[\0\t\n\f\r ]+%%EOF/.exec(text.slice(at));
  return match === null ? undefined : { after: text.slice(at + match[0].length) };
}

function readLatin1(source: ByteSource, start: number, end: number): string {
  const bytes = source.read(start, end - start);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/**
 * Which view is the revision that ends at an offset: the index of its newest section among those of the whole file.
 * Everything that this revision says must stand in its own bytes, and the file must still build on it.
 */
export function findRevision({ document, views }: Revisions, end: number, findings: Findings): number | undefined {
  let signed: PdfDocument;
  try {
    signed = end === document.source.size ? document : openPdf(sliceSource(document.source, end));
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    findings.add('revision_unreadable', error.message);
    return undefined;
  }
  const first = views.length - signed.sections.length;
  const linked =
    first >= 0 &&
    signed.base === document.base &&
    signed.sections.every((section, index) => {
      const same = document.sections[first + index];
      return same?.offset === section.offset && same.hidden?.offset === section.hidden?.offset;
    }) &&
    // what came later lies behind, or the update would have been signed along with it
    document.sections.slice(0, first).every(({ offset }) => offset >= end);
  if (linked) return first;
  findings.add('revision_unlinked');
  return undefined;
}
