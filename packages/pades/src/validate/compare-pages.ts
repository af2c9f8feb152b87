import { isName, isPdfArray, PdfDict, type PdfObject, PdfRef, PdfStream } from '@sigillum/pdf';
import type { ChangeLog } from './revision-change.ts';
import { isOnlyAt, listDifferentKeys, type RevisionPair } from './revision-pair.ts';

/** Pages and their lists of annotations: the widgets of allowed fields may come, nothing else. */
export function comparePages(pair: RevisionPair, widgets: ReadonlySet<number>, log: ChangeLog): void {
  for (const [number, { before, after }] of pair.changed) {
    if (before instanceof PdfDict && after instanceof PdfDict && isPage(pair, number, before)) {
      const others = listDifferentKeys(pair, before, after).filter((key) => key !== 'Annots');
      if (others.length > 0) {
        log.refuse(`page object ${number} has another /${(others[0] ?? '').replaceAll(/[^!-~]/g, '?').slice(0, 64)}`);
      } else {
        const [was, is] = [pair.before.find(before, 'Annots'), pair.after.find(after, 'Annots')];
        compareAnnotations(pair, was, is, `page object ${number}`, widgets, log);
      }
      log.explained.add(number);
    } else if (isPdfArray(before) && isOnlyAt(pair, number, /^\d+\/Annots$/) && pair.places.has(number)) {
      compareAnnotations(pair, before, after, `annotation list ${number}`, widgets, log);
      log.explained.add(number);
    } else if (isStructure(pair, before) && isStructure(pair, after) && !pair.places.has(number)) {
      log.explained.add(number); // the number of an old cross-reference stream, used again for a new one
    } else if (before instanceof PdfDict && isAnnotation(pair, before) && !log.explained.has(number)) {
      log.refuse(`annotation ${number} was changed`, 'annotations_changed', 'annotations');
      log.explained.add(number);
    }
  }
}

function compareAnnotations(
  pair: RevisionPair,
  was: PdfObject | undefined,
  is: PdfObject | undefined,
  where: string,
  widgets: ReadonlySet<number>,
  log: ChangeLog,
): void {
  const before = was ?? [];
  const after = is ?? [];
  if (!isPdfArray(before) || !isPdfArray(after)) return log.refuse(`${where} has malformed annotations`);
  const refuse = (what: string): void => log.refuse(`${where}: ${what}`, 'annotations_changed', 'annotations');
  if (!before.every((entry, index) => pair.equal(entry, after[index]))) return refuse('annotations were removed');
  for (const entry of after.slice(before.length)) {
    if (!(entry instanceof PdfRef) || !widgets.has(entry.number)) return refuse('an annotation was added');
  }
}

/** By its type; by its place in the page tree where a writer left the type out. */
function isPage(pair: RevisionPair, number: number, dict: PdfDict): boolean {
  const type = pair.before.find(dict, 'Type');
  if (type !== undefined) return isName(type, 'Page');
  return !dict.has('Kids') && [...(pair.places.get(number) ?? [])].some((place) => place.endsWith('/Kids/[]'));
}

function isStructure(pair: RevisionPair, value: PdfObject): boolean {
  return value instanceof PdfStream && isName(pair.after.find(value.dict, 'Type'), 'XRef');
}

function isAnnotation(pair: RevisionPair, dict: PdfDict): boolean {
  const subtype = pair.before.find(dict, 'Subtype');
  const isWidget = isName(subtype, 'Widget') || dict.has('FT');
  return !isWidget && (isName(pair.before.find(dict, 'Type'), 'Annot') || (dict.has('Rect') && subtype !== undefined));
}
