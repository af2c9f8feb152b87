import { showText } from '../input-attacks/raw-pdf.ts';

/** A document that no standard describes like this, though all readers show it alike. */
export type OddFile = {
  readonly name: string;
  readonly bytes: Uint8Array;
};

/** How a file is written; what is left out is as usual. All text is Latin-1. */
export type OddWriting = {
  /** Everything before the first object. */
  readonly header?: string;
  /** Instead of `number 0 obj`. */
  readonly head?: (number: number) => string;
  /** Behind each value. */
  readonly tail?: string;
  /** The values of objects, in the order in which they are written; undefined takes one away. */
  readonly objects?: Readonly<Record<number, string | undefined>>;
  /** From `xref` to the first entry. */
  readonly tableHead?: (count: number) => string;
  /** Instead of an entry, its line end included. */
  readonly entry?: (number: number, offset: number) => string | undefined;
  /** Between the last entry and the dictionary. */
  readonly trailer?: string;
  readonly trailerDict?: (usual: { size: number; table: number }) => string;
  /** Everything behind the trailer's dictionary. */
  readonly end?: (table: number) => string;
  /** The whole text at last; offsets must stay what they are. */
  readonly change?: (text: string) => string;
};

const contents = showText('Odd but honest');

/** A page with a text: catalog 1, pages 2, page 3, content 4, font 5. */
export const usualObjects: Readonly<Record<number, string>> = {
  1: '<< /Type /Catalog /Pages 2 0 R >>',
  2: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
  3: pageWith(''),
  4: `<< /Length ${contents.length} >>\nstream\n${contents}\nendstream`,
  5: '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
};

/** The page, with more entries. */
export function pageWith(more: string, content = '/Contents 4 0 R'): string {
  return `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> ${content} ${more} >>`;
}

/** The catalog, with more entries. */
export function catalogWith(more: string): string {
  return `<< /Type /Catalog /Pages 2 0 R ${more} >>`;
}

/** The content's stream, written in other ways: its dictionary, and what stands around the data. */
export function contentAs(dict: string, before = '\nstream\n', after = '\nendstream'): string {
  return `${dict}${before}${contents}${after}`;
}

export const contentLength = contents.length;

export function odd(name: string, writing: OddWriting): OddFile {
  return { name, bytes: Buffer.from(write(writing), 'latin1') };
}

function write(writing: OddWriting): string {
  const {
    header = '%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n',
    head,
    tail = '\nendobj\n',
    trailer = 'trailer\n',
  } = writing;
  const objects = Object.entries({ ...usualObjects, ...writing.objects });
  let text = header;
  const offsets = new Map<number, number>();
  for (const [key, value] of objects) {
    if (value === undefined) continue;
    const number = Number(key);
    offsets.set(number, text.length);
    text += `${head?.(number) ?? `${number} 0 obj\n`}${value}${tail}`;
  }
  const size = Math.max(...offsets.keys()) + 1;
  const table = text.length;
  text += writing.tableHead?.(size) ?? `xref\n0 ${size}\n`;
  for (let number = 0; number < size; number++) {
    const offset = offsets.get(number);
    const free = number === 0 ? '0000000000 65535 f \n' : '0000000000 00000 f \n';
    const usual = offset === undefined ? free : `${pad(offset)} 00000 n \n`;
    text += writing.entry?.(number, offset ?? 0) ?? usual;
  }
  text += trailer + (writing.trailerDict?.({ size, table }) ?? `<< /Size ${size} /Root 1 0 R >>`);
  text += writing.end?.(table) ?? `\nstartxref\n${table}\n%%EOF\n`;
  return writing.change?.(text) ?? text;
}

/** An offset as it stands in a table. */
export function pad(offset: number): string {
  return String(offset).padStart(10, '0');
}
