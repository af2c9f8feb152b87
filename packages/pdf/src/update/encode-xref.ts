import { type PdfDict, PdfName, type PdfRef } from '../objects/pdf-object.ts';
import { ByteSink } from '../source/byte-sink.ts';
import { encodeObject } from '../syntax/encode-object.ts';

/** An object of an update; offsets count from what the file's other offsets count from. */
export type UpdateEntry = { readonly number: number; readonly generation: number; readonly offset: number };

/** Runs of consecutive numbers: each is a subsection. */
function groupEntries(entries: readonly UpdateEntry[]): UpdateEntry[][] {
  const groups: UpdateEntry[][] = [];
  for (const entry of entries) {
    const group = groups.at(-1);
    if (group !== undefined && group.at(-1)?.number === entry.number - 1) group.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

/** A classic table and its trailer (ISO 32000-2 §7.5.4, §7.5.5). Entries are sorted by number. */
export function encodeXrefTable(sink: ByteSink, entries: readonly UpdateEntry[], trailer: PdfDict): void {
  sink.latin1('xref\n');
  for (const group of groupEntries(entries)) {
    sink.latin1(`${group[0]?.number} ${group.length}\n`);
    for (const { offset, generation } of group) {
      sink.latin1(`${String(offset).padStart(10, '0')} ${String(generation).padStart(5, '0')} n\r\n`);
    }
  }
  sink.latin1('trailer\n');
  encodeObject(trailer, sink, new Map());
  sink.byte(0x0a);
}

/** Bytes of type, offset and generation: 5 bytes of offset reach as far as the ten digits of a table. */
const widths = [1, 5, 2] as const;

/**
 * A cross-reference stream (§7.5.8) as object `ref` at `offset`, with itself as its last entry. Not compressed: an
 * update has a handful of entries.
 */
export function encodeXrefStream(
  sink: ByteSink,
  entries: readonly UpdateEntry[],
  ref: PdfRef,
  offset: number,
  trailer: PdfDict,
): void {
  const all = [...entries, { number: ref.number, generation: ref.generation, offset }];
  const data = new ByteSink();
  for (const entry of all) {
    data.byte(1);
    for (let shift = widths[1] - 1; shift >= 0; shift--) data.byte(Math.floor(entry.offset / 256 ** shift) & 0xff);
    data.byte(entry.generation >> 8);
    data.byte(entry.generation & 0xff);
  }
  const dict = trailer.with({
    Type: new PdfName('XRef'),
    Size: ref.number + 1,
    W: widths,
    Index: groupEntries(all).flatMap((group) => [group[0]?.number ?? 0, group.length]),
    Length: data.length,
  });
  sink.latin1(`${ref.number} ${ref.generation} obj\n`);
  encodeObject(dict, sink, new Map());
  sink.latin1('\nstream\n');
  sink.bytes(data.take());
  sink.latin1('\nendstream\nendobj\n');
}
