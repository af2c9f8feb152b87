import { isName, isPdfArray, PdfDict, PdfName, type PdfObject, PdfRef, PdfStream } from '@sigillum/pdf';
import type { ChangeLog } from './revision-change.ts';
import { isOnlyAt, listDifferentKeys, type RevisionPair } from './revision-pair.ts';

/** What a trailer says about its section or about the stream it is in, not about the document. */
const sectionKeys = new Set(['Size', 'Prev', 'XRefStm', 'Type', 'Index', 'W', 'Length', 'Filter', 'DecodeParms', 'DL']);

/** Trailer, document information, catalog and XMP: only what says nothing that is shown may change. */
export function compareCatalog(pair: RevisionPair, log: ChangeLog): void {
  compareTrailer(pair, log);
  compareInformation(pair, log);
  const { before, after } = pair;
  const { number } = after.catalogRef;
  for (const key of listDifferentKeys(pair, before.catalog, after.catalog)) {
    const value = after.catalog.find(key);
    switch (key) {
      case 'AcroForm':
      case 'DSS':
        break; // compared on their own
      case 'Metadata':
        break;
      case 'Extensions':
        if (!isExtensions(after.resolve(value ?? null))) log.refuse('the extensions of the catalog were changed');
        else log.allow('lta_update', 'the extensions of the catalog were changed');
        break;
      case 'Version':
        if (!isLaterVersion(before.catalog.find(key), value)) log.refuse('the version of the PDF was changed');
        else log.allow('lta_update', 'the version of the PDF was changed');
        break;
      default:
        log.refuse(`the catalog has another /${key.replaceAll(/[^!-~]/g, '?').slice(0, 64)}`);
    }
  }
  if (pair.changed.has(number)) log.explained.add(number);
  compareMetadata(pair, log);
}

function compareTrailer(pair: RevisionPair, log: ChangeLog): void {
  const { before, after } = pair;
  for (const key of listDifferentKeys(pair, before.trailer, after.trailer)) {
    if (sectionKeys.has(key) || key === 'Info') continue;
    if (key === 'ID') {
      const [was, is] = [before.find(before.trailer, 'ID'), after.find(after.trailer, 'ID')];
      // §14.4: the first half stays for ever, the second is new each time
      if (was === undefined || (isPdfArray(was) && isPdfArray(is) && pair.equal(was[0], is[0]))) continue;
    }
    log.refuse(`the trailer has another /${key.replaceAll(/[^!-~]/g, '?').slice(0, 64)}`);
  }
}

function compareInformation(pair: RevisionPair, log: ChangeLog): void {
  const [was, is] = [pair.before.trailer.find('Info'), pair.after.trailer.find('Info')];
  if (is === undefined) {
    if (was !== undefined) log.refuse('the document information was removed');
    return;
  }
  const isChanged = is instanceof PdfRef && pair.changed.has(is.number);
  if (pair.equal(was, is) && !isChanged) return;
  const value = pair.after.resolve(is);
  if (value !== null && !(value instanceof PdfDict)) log.refuse('the document information is malformed');
  if (isChanged && isOnlyAt(pair, is.number, '0/Info')) log.explained.add(is.number);
  log.allow('lta_update', 'the document information was changed');
}

function compareMetadata(pair: RevisionPair, log: ChangeLog): void {
  const { before, after } = pair;
  const [was, is] = [before.catalog.find('Metadata'), after.catalog.find('Metadata')];
  const root = after.catalogRef.number;
  if (is === undefined) {
    if (was !== undefined) log.refuse('the metadata were removed');
    return;
  }
  const isChanged = is instanceof PdfRef && pair.changed.has(is.number);
  if (pair.equal(was, is) && !isChanged) return;
  const value = after.resolve(is);
  if (!(value instanceof PdfStream) || !isName(after.find(value.dict, 'Subtype'), 'XML')) {
    return log.refuse('the metadata are malformed');
  }
  // a stream that is also shown somewhere is more than metadata
  if (isChanged && !isOnlyAt(pair, is.number, `${root}/Metadata`)) return;
  if (isChanged) log.explained.add(is.number);
  log.allow('lta_update', 'the metadata were changed');
}

/** ISO 32000-2 §7.12: names of developers, each with what it extends. */
function isExtensions(value: PdfObject): boolean {
  if (!(value instanceof PdfDict) || value.duplicates.length > 0) return false;
  const keys = new Set(['Type', 'BaseVersion', 'ExtensionLevel', 'ExtensionRevision', 'URL']);
  return [...value.entries()].every(([key, entry]) => {
    if (key === 'Type') return entry instanceof PdfName;
    const list = isPdfArray(entry) ? entry : [entry];
    return list.every((one) => one instanceof PdfDict && [...one.entries()].every(([name]) => keys.has(name)));
  });
}

function isLaterVersion(was: PdfObject | undefined, is: PdfObject | undefined): boolean {
  const pattern = /^[12]\.\d$/;
  if (!(is instanceof PdfName) || !pattern.test(is.value)) return false;
  return was === undefined || (was instanceof PdfName && was.value <= is.value);
}
