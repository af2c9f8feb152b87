import { SigillumError } from '@sigillum/errors';
import { openSecurity } from '../encryption/open-security.ts';
import { limits } from '../limits.ts';
import { isName, wrongType } from '../objects/take.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { ByteWindow } from '../source/byte-window.ts';
import { findHeader } from '../xref/find-header.ts';
import { findStartxref } from '../xref/find-startxref.ts';
import { isXrefSection, readXrefSections } from '../xref/read-xref-sections.ts';
import { PdfDocument } from './pdf-document.ts';

/**
 * Opens a PDF strictly by its cross-reference sections; nothing is repaired or searched for.
 *
 * @throws SigillumError `pdf_header_missing`, `pdf_startxref_missing`, `pdf_xref_damaged`, `pdf_xref_loop`,
 * `pdf_password_needed`, `pdf_encryption_*`, or one of the codes of a damaged object
 * @example const document = openPdf(createArraySource(bytes));
 */
export function openPdf(source: ByteSource): PdfDocument {
  const header = findHeader(source);
  const start = findStartxref(source);
  const window = new ByteWindow(source);
  // with bytes before the header, offsets may count from either place; see the README
  const base = isXrefSection(window, start + header.offset) ? header.offset : 0;
  const sections = readXrefSections(window, start, base);
  const trailer = sections[0]?.trailer;
  if (trailer === undefined) throw new SigillumError('pdf_xref_damaged', 'The PDF has no trailer.');
  if (source.size - base > limits.tableOffset) {
    throw new SigillumError('pdf_limit_exceeded', `The PDF has more than ${limits.tableOffset} bytes.`);
  }
  const plain = new PdfDocument({ window, header, base, sections, trailer });
  const security = openSecurity(plain);
  const document = security === undefined ? plain : plain.decryptedBy(security);
  // a catalog that can not be had makes everything else meaningless, so it is found out at once
  const type = document.find(document.catalog, 'Type');
  if (type !== undefined && !isName(type, 'Catalog')) throw wrongType('/Root of the trailer', 'a catalog');
  return document;
}
