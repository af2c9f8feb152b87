import { isPdfArray, PdfDict, type PdfObject, PdfRef, PdfStream } from '@sigillum/pdf';
import type { ChangeLog } from './revision-change.ts';
import { isOnlyAt, type RevisionPair } from './revision-pair.ts';

const listKeys = new Set(['Certs', 'CRLs', 'OCSPs']);
/** Upper-case hexadecimal by the standard: SHA-1 of the signature. */
const vriKey = /^[0-9A-Fa-f]{40}$/;
const vriListKeys = new Set(['Cert', 'CRL', 'OCSP']);

/**
 * The document security store (ISO 32000-2 §12.8.4.3): lists of streams, and the same per signature. It shows nothing, so
 * whatever keeps that shape may come; taking the store or an entry for a signature away may not.
 */
export function compareDss(pair: RevisionPair, log: ChangeLog): void {
  const before = pair.before.catalog.find('DSS');
  const after = pair.after.catalog.find('DSS');
  if (after === undefined) {
    if (before !== undefined) log.refuse('the document security store was removed');
    return;
  }
  const walk = new DssWalk(pair, log);
  const dss = walk.dict(after, `${pair.after.catalogRef.number}/DSS`);
  if (dss === undefined) return log.refuse('the document security store is malformed');
  const old = pair.before.resolve(before ?? null);
  for (const [key, value] of dss.dict.entries()) {
    const isKept = old instanceof PdfDict && old.has(key) && pair.equal(old.find(key), value);
    // what was strange when it was signed may stay: objects behind it that changed are refused as such
    if (isKept && key !== 'VRI' && !listKeys.has(key)) continue;
    if (listKeys.has(key)) walk.list(value, `${dss.place}/${key}`);
    else if (key === 'VRI') compareVri(pair, walk, value, `${dss.place}/VRI`, log);
    else if (key !== 'Type') log.refuse(`the document security store has /${key.slice(0, 32)}`);
  }
  if (walk.hasChanged || !pair.equal(before, after)) log.allow('lta_update', 'validation data were added');
}

function compareVri(pair: RevisionPair, walk: DssWalk, value: PdfObject, at: string, log: ChangeLog): void {
  const vri = walk.dict(value, at);
  if (vri === undefined) return log.refuse('the document security store is malformed');
  const dssBefore = pair.before.findDict(pair.before.catalog.find('DSS'), '/DSS');
  const vriBefore = pair.before.findDict(dssBefore?.find('VRI'), '/VRI');
  for (const [key] of vriBefore?.entries() ?? []) {
    if (!vri.dict.has(key)) log.refuse('an entry of the document security store was removed');
  }
  for (const [key, entryValue] of vri.dict.entries()) {
    if (key === 'Type') continue;
    if (!vriKey.test(key) && vriBefore?.has(key) === true && pair.equal(vriBefore.find(key), entryValue)) continue;
    const entry = walk.dict(entryValue, `${vri.place}/${key}`);
    if (entry === undefined || !vriKey.test(key)) {
      log.refuse('an entry of the document security store is malformed');
      continue;
    }
    for (const [name, list] of entry.dict.entries()) {
      if (vriListKeys.has(name)) walk.list(list, `${entry.place}/${name}`);
      else if (!['Type', 'TU', 'TS'].includes(name)) log.refuse(`an entry of the document security store has /${name}`);
    }
  }
}

/** Follows the store's own dictionaries and lists; those that nothing else refers to may have changed. */
class DssWalk {
  readonly #pair: RevisionPair;
  readonly #log: ChangeLog;
  hasChanged = false;

  constructor(pair: RevisionPair, log: ChangeLog) {
    this.#pair = pair;
    this.#log = log;
  }

  /** The dictionary at a place, and the place that its keys are at. */
  dict(value: PdfObject, place: string): { dict: PdfDict; place: string } | undefined {
    const resolved = this.#pair.after.resolve(value);
    if (!(resolved instanceof PdfDict) || resolved.duplicates.length > 0) return undefined;
    return { dict: resolved, place: this.#enter(value, place) };
  }

  list(value: PdfObject, place: string): void {
    const resolved = this.#pair.after.resolve(value);
    const isList =
      isPdfArray(resolved) &&
      resolved.every((entry) => entry instanceof PdfRef && this.#pair.after.resolve(entry) instanceof PdfStream);
    if (!isList) return this.#log.refuse('a list of the document security store is malformed');
    this.#enter(value, place);
  }

  #enter(value: PdfObject, place: string): string {
    if (!(value instanceof PdfRef)) return place;
    const { number } = value;
    if (this.#pair.added.has(number)) this.hasChanged = true;
    if (this.#pair.changed.has(number) && isOnlyAt(this.#pair, number, place)) {
      this.#log.explained.add(number);
      this.hasChanged = true;
    }
    return String(number);
  }
}
