import { SigillumError } from '@sigillum/errors';
import type { PdfDocument } from '../document/pdf-document.ts';

/** Bits of `/P` (ISO 32000-2 table 22), counted from 1 there. */
const modify = 1 << 3;
const annotate = 1 << 5;
const fillForms = 1 << 8;

/**
 * Whether the author's permissions let a signature in. A new field takes the rights to change the document and to annotate
 * it (bits 4 and 6), filling one that waits takes bit 6 or 9; who can open the file as its owner may do everything. EU DSS
 * reads the bits in the same way; pyHanko and qpdf ignore them.
 *
 * @throws SigillumError `pdf_permission_denied`
 */
export function assertPermitted(document: PdfDocument, action: 'add-field' | 'fill-field'): void {
  const permissions = document.security?.permissions;
  if (permissions === undefined) return;
  const { bits, revision } = permissions;
  const mayAnnotate = (bits & annotate) !== 0;
  // revision 2 has no bit 9: writers set it or not
  const mayFill = mayAnnotate || (revision >= 3 && (bits & fillForms) !== 0);
  if (action === 'add-field' ? mayAnnotate && (bits & modify) !== 0 : mayFill) return;
  throw new SigillumError(
    'pdf_permission_denied',
    'The permissions of the PDF forbid to add a signature. Ask its author for a version that allows changes and comments.',
  );
}
