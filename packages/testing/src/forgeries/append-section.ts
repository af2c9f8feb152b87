import { createArraySource, isPdfArray, openPdf, PdfString } from '@sigillum/pdf';

/** One line of a cross-reference section: in use at an absolute offset, free, or inside an object stream. */
export type SectionEntry =
  | { readonly number: number; readonly generation?: number; readonly offset: number }
  | { readonly number: number; readonly free: true }
  | { readonly number: number; readonly container: number; readonly index: number };

export type RawSection = {
  /** Whole objects or anything else, written as it is before the section. */
  readonly body?: string | Uint8Array;
  /** Told where the body begins in the file. */
  readonly entries: (bodyStart: number) => readonly SectionEntry[];
  /** More trailer entries; `/Root` replaces the file's. */
  readonly trailer?: string;
};

/**
 * The file with a hand-written section, for what a good writer can't be made to write: a stream when the file has them or
 * an entry lies in an object stream, else a table.
 */
export function appendSection(bytes: Uint8Array, section: RawSection): Uint8Array {
  const document = openPdf(createArraySource(bytes));
  const newest = document.sections[0];
  const separator = bytes.at(-1) === 0x0a ? '' : '\n';
  const bodyStart = bytes.length + separator.length;
  const body = typeof section.body === 'string' ? Buffer.from(section.body, 'latin1') : (section.body ?? Buffer.of());
  const start = bodyStart + body.length;
  const entries = section.entries(bodyStart).toSorted((a, b) => a.number - b.number);
  const extra = section.trailer ?? '';
  const root = extra.includes('/Root') ? '' : `/Root ${document.catalogRef} `;
  const id = document.find(document.trailer, 'ID');
  const ids = isPdfArray(id) ? id.map((value) => document.resolve(value)).filter((v) => v instanceof PdfString) : [];
  const idText =
    ids.length === 2 ? `/ID [${ids.map((v) => `<${Buffer.from(v.bytes).toString('hex')}>`).join(' ')}] ` : '';
  const next = Math.max(document.nextObjectNumber, ...entries.map(({ number }) => number + 1));
  const asStream = newest?.kind === 'stream' || entries.some((entry) => 'container' in entry);
  const trailer = `/Size ${asStream ? next + 1 : next} ${root}/Prev ${newest?.offset ?? 0} ${idText}${extra}`;
  const table = asStream
    ? encodeStreamSection(entries, next, start, trailer)
    : Buffer.from(`xref\n${entries.map(encodeLine).join('')}trailer\n<< ${trailer} >>\n`, 'latin1');
  return Buffer.concat([
    bytes,
    Buffer.from(separator),
    body,
    table,
    Buffer.from(`startxref\n${start}\n%%EOF\n`, 'latin1'),
  ]);
}

function encodeLine(entry: SectionEntry): string {
  if ('offset' in entry) {
    const [offset, generation] = [String(entry.offset), String(entry.generation ?? 0)];
    return `${entry.number} 1\n${offset.padStart(10, '0')} ${generation.padStart(5, '0')} n \n`;
  }
  return `${entry.number} 1\n0000000000 65535 f \n`;
}

/** ISO 32000-2 §7.5.8, unfiltered, with fields of 1, 4 and 2 bytes. */
function encodeStreamSection(
  entries: readonly SectionEntry[],
  number: number,
  start: number,
  trailer: string,
): Uint8Array {
  const all: readonly SectionEntry[] = [...entries, { number, offset: start }];
  const data = Buffer.alloc(all.length * 7);
  for (const [index, entry] of all.entries()) {
    const at = index * 7;
    const isPlain = 'offset' in entry;
    const inside = 'container' in entry;
    data.writeUInt8(isPlain ? 1 : inside ? 2 : 0, at);
    data.writeUInt32BE(isPlain ? entry.offset : inside ? entry.container : 0, at + 1);
    data.writeUInt16BE(isPlain ? (entry.generation ?? 0) : inside ? entry.index : 65535, at + 5);
  }
  const index = all.map((entry) => `${entry.number} 1`).join(' ');
  const dict = `/Type /XRef /W [1 4 2] /Index [${index}] /Length ${data.length} ${trailer}`;
  return Buffer.concat([
    Buffer.from(`${number} 0 obj\n<< ${dict} >>\nstream\n`, 'latin1'),
    data,
    Buffer.from('\nendstream\nendobj\n'),
  ]);
}
