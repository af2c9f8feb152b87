import type { PdfDocument, XrefEntry } from '@sigillum/pdf';
import { equalEntries } from '../validate/find-signatures.ts';
import { refuseInput } from './input-policy.ts';

/**
 * Refuses a hybrid file whose stream of cross-references (`/XRefStm`, ISO 32000-2 §7.5.8.4) defines an object that its table
 * calls free, while an older table has it in use, or that its table defines otherwise: readers differ in which of the two they
 * look at first. What a usual hybrid file hides is free in all of its tables. A table that doesn't list the object at all leaves
 * it to the stream for all.
 */
export function assertHybridPlain({ sections }: PdfDocument): void {
  for (const [index, section] of sections.entries()) {
    const { hidden } = section;
    if (hidden === undefined) continue;
    const older = sections.slice(index + 1).filter(({ kind }) => kind === 'table');
    for (const number of hidden.numbers()) {
      const [entry, own] = [hidden.find(number), section.findOwn(number)];
      if (!isInUse(entry) || own === undefined) continue;
      const other = isInUse(own) ? own : older.map((one) => one.findOwn(number)).find(isInUse);
      if (other !== undefined && !equalEntries(other, entry)) throw refuseInput('hybrid_plain');
    }
  }
}

function isInUse(entry: XrefEntry | undefined): entry is XrefEntry {
  return entry !== undefined && entry.type !== 'free';
}
