import {
  equalObjects,
  findReferences,
  type KnownReferences,
  type PdfDict,
  type PdfDocument,
  type PdfObject,
  PdfRef,
  type PdfStream,
  staysUnreadable,
} from '@sigillum/pdf';
import { equalBytes } from '@sigillum/pki';
import { equalEntries } from './find-signatures.ts';
import { hasDuplicates } from './has-duplicates.ts';
import type { ChangeLog } from './revision-change.ts';

/** Two revisions that follow each other, and the objects in which they differ. */
export type RevisionPair = {
  readonly before: PdfDocument;
  readonly after: PdfDocument;
  /** Objects that both have, with different values. */
  readonly changed: ReadonlyMap<number, { readonly before: PdfObject; readonly after: PdfObject }>;
  /** Numbers that were free. */
  readonly added: ReadonlySet<number>;
  /** Who referred to these objects before: see `findReferences`. */
  readonly places: ReadonlyMap<number, ReadonlySet<string>>;
  equal(left: PdfObject | undefined, right: PdfObject | undefined): boolean;
};

/**
 * Finds what the newest section of `after` changed. An object that was removed, that lies outside the update's own bytes,
 * or that fills a reference which led nowhere is refused here.
 *
 * @param floor offset behind which everything of the update must lie
 * @param known what objects of earlier revisions refer to
 */
export function pairRevisions(
  before: PdfDocument,
  after: PdfDocument,
  floor: number,
  known: KnownReferences,
  log: ChangeLog,
): RevisionPair {
  const equal = makeEqual(before, after);
  const changed = new Map<number, { before: PdfObject; after: PdfObject }>();
  const added = new Set<number>();
  const [section] = after.sections;
  const numbers = new Set(section?.numbers() ?? []);
  for (const number of numbers) {
    const was = before.findEntry(number);
    const is = after.findEntry(number);
    if (equalEntries(was, is)) continue;
    const wasThere = was !== undefined && was.type !== 'free';
    if (is === undefined || is.type === 'free') {
      if (wasThere) log.refuse(`object ${number} was removed`);
      continue;
    }
    const home = is.type === 'plain' ? is : after.findEntry(is.container);
    const top = section?.offset ?? 0;
    if (home?.type !== 'plain' || home.offset + after.base < floor || home.offset + after.base > top) {
      log.refuse(`object ${number} lies outside the update that names it`);
      continue;
    }
    if (!wasThere) {
      added.add(number);
      continue;
    }
    const generations = [was, is].map((entry) => (entry.type === 'plain' ? entry.generation : 0));
    const [oldGeneration = 0, newGeneration = 0] = generations;
    if (oldGeneration !== newGeneration) log.refuse(`object ${number} has another generation`);
    const pair = {
      before: before.get(new PdfRef(number, oldGeneration)),
      after: after.get(new PdfRef(number, newGeneration)),
    };
    if (!equal(pair.before, pair.after)) changed.set(number, pair);
  }
  for (const number of [...changed.keys(), ...added]) {
    const value = changed.get(number)?.after ?? after.resolve(new PdfRef(number, generationOf(after, number)));
    // readers differ in which of the values they take
    if (hasDuplicates(value)) log.refuse(`object ${number} has a key twice`);
  }
  // Readers differ in which of the two parts they look first (ISO 32000-2 §7.5.8.4); no signer writes such updates.
  if (section?.trailer.has('XRefStm')) log.refuse('an update has two sections of cross-references');
  if (!keepsSize(before, after)) log.refuse('an update says that objects of the document do not exist');
  // also when nothing seems to change: `before` ends where it was signed, so what only later bytes make readable shows
  const { places, unreadable } = findReferences(before, new Set([...changed.keys(), ...added]), known);
  // what is malformed within the signed bytes, and still is so, was signed like that
  const gained = unreadable.find((one) => !staysUnreadable(after, one));
  if (gained !== undefined) {
    log.refuse(`object ${gained.ref.number} of the signed revision can not be read`, 'comparison_incomplete');
  }
  for (const number of added) {
    if (places.has(number)) log.refuse(`object ${number} fills a reference that led nowhere when it was signed`);
  }
  return { before, after, changed, added, places, equal };
}

/** ISO 32000-2 table 15: what lies above /Size is missing, and readers differ in whether they believe that. */
function keepsSize(before: PdfDocument, after: PdfDocument): boolean {
  const [was, is] = [before.trailer.find('Size'), after.trailer.find('Size')];
  if (typeof is !== 'number') return false;
  return is >= (after.sections[0]?.end ?? 0) && (typeof was !== 'number' || is >= was);
}

function generationOf(document: PdfDocument, number: number): number {
  const entry = document.findEntry(number);
  return entry?.type === 'plain' ? entry.generation : 0;
}

function makeEqual(before: PdfDocument, after: PdfDocument): RevisionPair['equal'] {
  const streams = (left: PdfStream, right: PdfStream): boolean =>
    left.dataOffset === right.dataOffset || equalBytes(before.readRawStream(left), after.readRawStream(right));
  return (left, right) => equalObjects(left, right, streams);
}

/** Keys whose values differ. */
export function listDifferentKeys(pair: RevisionPair, before: PdfDict, after: PdfDict): readonly string[] {
  const keys = new Set([...before.entries(), ...after.entries()].map(([key]) => key));
  return [...keys].filter((key) => !pair.equal(before.find(key), after.find(key)));
}

/** Whether all that referred to an object before is that place, or places of that shape. */
export function isOnlyAt(pair: RevisionPair, number: number, shape: RegExp | string): boolean {
  const places = [...(pair.places.get(number) ?? [])];
  return places.every((place) => (typeof shape === 'string' ? place === shape : shape.test(place)));
}
