/** One piece of a hand-written file, in the order in which it stands there. */
export type RawPart =
  /** `number generation obj … endobj`. `hidden`: the cross-reference doesn't list it; `key`: a name to ask for its offset. */
  | { readonly number: number; readonly generation?: number; readonly body: string; readonly hidden?: true }
  /** Anything else. */
  | { readonly text: string };

export type RawPdf = {
  readonly parts: readonly RawPart[];
  /** Replaces lines of the table: by object number, the whole line without its end. */
  readonly lines?: ReadonlyMap<number, (offsetOf: (part: number) => number) => string>;
  /** More entries of the trailer, before the usual ones. */
  readonly trailer?: string;
  /** Replaces `/Root 1 0 R`. */
  readonly root?: string;
  readonly size?: number;
};

/** A classic file, written as told: a good writer can't be made to write what is wrong. */
export function buildRawPdf({ parts, lines, trailer = '', root = '/Root 1 0 R', size }: RawPdf): Buffer {
  let file = '%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n';
  const offsets: number[] = [];
  const listed = new Map<number, { offset: number; generation: number }>();
  for (const part of parts) {
    offsets.push(file.length);
    if ('text' in part) {
      file += part.text;
      continue;
    }
    const { number, generation = 0, body, hidden } = part;
    if (hidden === undefined) listed.set(number, { offset: file.length, generation });
    file += `${number} ${generation} obj\n${body}\nendobj\n`;
  }
  const end = Math.max(...listed.keys(), ...(lines?.keys() ?? [])) + 1;
  const start = file.length;
  file += `xref\n0 ${end}\n0000000000 65535 f \n`;
  for (let number = 1; number < end; number++) {
    const entry = listed.get(number);
    const usual = entry ? formatEntry(entry.offset, entry.generation) : '0000000000 00000 f';
    file += `${lines?.get(number)?.((part) => offsets[part] ?? 0) ?? usual} \n`;
  }
  file += `trailer\n<< ${trailer} /Size ${size ?? end} ${root} >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}

/** A line of a table for an object in use, without its end. */
export function formatEntry(offset: number, generation = 0): string {
  return `${String(offset).padStart(10, '0')} ${String(generation).padStart(5, '0')} n`;
}

/** A stream with its true length, or the one given. */
export function rawStream(data: string, entries = '', length: number | string = data.length): string {
  return `<< ${entries} /Length ${length} >>\nstream\n${data}\nendstream`;
}

/** Text in Helvetica (resource F1), 24 points, at a height. */
export function showText(text: string, height = 700): string {
  return `BT /F1 24 Tf 72 ${height} Td (${text}) Tj ET`;
}

export const catalogPart: RawPart = { number: 1, body: '<< /Type /Catalog /Pages 2 0 R >>' };
export const pagesPart: RawPart = { number: 2, body: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>' };
export const fontPart: RawPart = { number: 5, body: '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>' };

/** The page, object 3, with its content in object 4 and more entries. */
export function pagePart(more = '', contents = '/Contents 4 0 R'): RawPart {
  return {
    number: 3,
    body: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> ${contents} ${more} >>`,
  };
}

/** The page's content, object 4. */
export function contentPart(text: string): RawPart {
  return { number: 4, body: rawStream(showText(text)) };
}

/** A page that says a text, with other parts behind its own. */
export function simplePage(text: string, ...more: readonly RawPart[]): RawPart[] {
  return [catalogPart, pagesPart, pagePart(), contentPart(text), fontPart, ...more];
}
