import type { PdfDict, PdfDocument } from '@sigillum/pdf';
import type { Budget } from './decode-content.ts';
import { findName } from './font-values.ts';
import { readCompositeFont } from './read-composite-font.ts';
import { readSimpleFont } from './read-simple-font.ts';
import type { FontKnowledge, TextFont } from './text-font.ts';

/** Reads a font dictionary as far as its text and widths go. */
export function readTextFont(document: PdfDocument, dict: PdfDict, knowledge: FontKnowledge, budget: Budget): TextFont {
  return findName(document, dict, 'Subtype') === 'Type0'
    ? readCompositeFont(document, dict, budget)
    : readSimpleFont(document, dict, knowledge, budget);
}
