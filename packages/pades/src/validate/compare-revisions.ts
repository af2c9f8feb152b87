import { isSigillumError } from '@sigillum/errors';
import type { KnownReferences, PdfDocument } from '@sigillum/pdf';
import { compareCatalog } from './compare-catalog.ts';
import { compareDss } from './compare-dss.ts';
import { compareForm } from './compare-form.ts';
import { comparePages } from './compare-pages.ts';
import { ChangeLog, type ChangePolicy, type RevisionChange } from './revision-change.ts';
import { pairRevisions } from './revision-pair.ts';

/**
 * What one update did to a document, by whitelist (pades.md §5.5): the parts that may change are compared key by key, each
 * changed object must be explained by one of them, and whatever is left is a change of the document.
 *
 * @param floor offset behind which everything of the update must lie
 * @param known the same for all updates of a file
 */
export function compareRevisions(
  before: PdfDocument,
  after: PdfDocument,
  floor: number,
  policy: ChangePolicy,
  known: KnownReferences,
): readonly RevisionChange[] {
  const log = new ChangeLog();
  try {
    const pair = pairRevisions(before, after, floor, known, log);
    compareCatalog(pair, log);
    compareDss(pair, log);
    const widgets = compareForm(pair, policy, log);
    comparePages(pair, widgets, log);
    for (const number of pair.changed.keys()) {
      if (!log.explained.has(number)) log.refuse(`object ${number} was changed`);
    }
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    log.refuse(error.message, 'comparison_incomplete');
  }
  return log.changes;
}
