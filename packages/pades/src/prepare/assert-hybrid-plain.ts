import type { PdfDocument, XrefEntry } from '@sigillum/pdf';
import { equalEntries } from '../validate/find-signatures.ts';
import { refuseInput } from './input-policy.ts';

/**
 * Refuses a hybrid file whose stream of cross-references (`/XRefStm`, ISO 32000-2 §7.5.8.4) defines an object that an older
 * table defines otherwise: readers differ in which of the two they look at first. What a usual hybrid file hides is free in
 * all of its tables.
 */
export function assertHybridPlain({ sections }: PdfDocument): void {
  for (const [index, { hidden }] of sections.entries()) {
    if (hidden === undefined) continue;
    const older = sections.slice(index + 1).filter((section) => section.hidden === undefined);
    for (const number of older.length === 0 ? [] : hidden.numbers()) {
      const entry = hidden.find(number);
      if (
        entry !== undefined &&
        entry.type !== 'free' &&
        older.some((section) => differs(section.find(number), entry))
      ) {
        throw refuseInput('hybrid_plain');
      }
    }
  }
}

function differs(older: XrefEntry | undefined, entry: XrefEntry): boolean {
  return older !== undefined && older.type !== 'free' && !equalEntries(older, entry);
}
