import { attack, type InputAttack } from './input-attack.ts';
import { buildRawPdf, catalogPart, fontPart, formatEntry, type RawPart, rawStream, showText } from './raw-pdf.ts';

const good = 'Pay 10';
const evil = 'Pay 9999';
const pages = 19;
/** Where the page that is attacked stands, and the numbers of pages and contents. */
const bad = 17;
const pageNumber = (index: number) => 10 + 2 * index;
const contentNumber = (index: number) => 11 + 2 * index;
/** Free for what an attack needs. */
const spare = 60;
const content = rawStream(showText(good));

type Changes = {
  readonly page?: string;
  readonly resources?: string;
  readonly content?: string;
  readonly tree?: string;
  readonly more?: readonly RawPart[];
};

/** A document of nineteen pages, the eighteenth of which is attacked. */
function manyPages({ page = '', resources = '', content: body = content, tree, more = [] }: Changes): RawPart[] {
  const kids = Array.from({ length: pages }, (_, index) => `${pageNumber(index)} 0 R`).join(' ');
  const parts: RawPart[] = [
    catalogPart,
    { number: 2, body: tree ?? `<< /Type /Pages /Kids [${kids}] /Count ${pages} >>` },
    fontPart,
  ];
  for (let index = 0; index < pages; index++) {
    const [entries, fonts] = index === bad ? [page, resources] : ['', ''];
    parts.push(
      {
        number: pageNumber(index),
        body: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> ${fonts} >> /Contents ${contentNumber(index)} 0 R ${entries} >>`,
      },
      { number: contentNumber(index), body: index === bad ? body : content },
    );
  }
  return [...parts, ...more];
}

const many = (name: string, attacks: string, changes: Changes, lines?: ReadonlyMap<number, () => string>) =>
  attack(name, attacks, buildRawPdf({ parts: manyPages(changes), ...(lines && { lines }) }));
const form = (text: string, more = '') =>
  rawStream(
    showText(text, 500),
    `/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> ${more}`,
  );
const free = new Map([[spare, () => '0000000000 00000 f']]);
const drawn = rawStream(`${showText(good)} /X Do`);
const twin: RawPart = { number: contentNumber(0), body: rawStream(showText(evil)), hidden: true };

/** What is refused on the first page must be on the eighteenth, and behind any number of harmless objects. */
export function farPages(): readonly InputAttack[] {
  const fill = Array.from(
    { length: 4200 },
    (_, index): RawPart => ({ number: 100 + index, body: '<< /Type /ExtGState >>' }),
  );
  const names = fill.map((part, index) => `/G${index} ${'number' in part ? part.number : 0} 0 R`).join(' ');
  const half = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `${pageNumber(from + index)} 0 R`).join(' ');
  return [
    many('far-content-twice', 'a page far behind with two /Contents', {
      page: `/Contents ${spare} 0 R`,
      more: [{ number: spare, body: rawStream(showText(evil)) }],
    }),
    many('far-resources', 'the same with two /Resources', { page: '/Resources << >>' }),
    many('far-form-twice', 'the same with a form that has two /Matrix', {
      resources: `/XObject << /X ${spare} 0 R >>`,
      content: drawn,
      more: [{ number: spare, body: form(evil, '/Matrix [1 0 0 1 0 0] /Matrix [1 0 0 1 0 5000]') }],
    }),
    many('far-length', 'content far behind that does not end where it says', {
      content: rawStream(`${showText(good)} ${showText(evil, 500)}`, '', showText(good).length),
    }),
    many(
      'far-content-missing',
      'content far behind that is free',
      { page: '' },
      new Map([[contentNumber(bad), () => '0000000000 00000 f']]),
    ),
    many(
      'far-free-twin',
      'a form far behind that is free, and a second definition of other content',
      { resources: `/XObject << /X ${spare} 0 R >>`, content: drawn, more: [twin] },
      free,
    ),
    many(
      'far-filled-twin',
      'the same behind four thousand others',
      { resources: `/ExtGState << ${names} >> /XObject << /X ${spare} 0 R >>`, content: drawn, more: [...fill, twin] },
      free,
    ),
    many('far-filled-keys', 'two /Matrix behind four thousand other objects', {
      resources: `/ExtGState << ${names} >> /XObject << /X ${spare} 0 R >>`,
      content: drawn,
      more: [...fill, { number: spare, body: form(evil, '/Matrix [1 0 0 1 0 0] /Matrix [1 0 0 1 0 5000]') }],
    }),
    many('far-branch-count', 'a branch of the page tree that counts wrongly, below a root that counts rightly', {
      tree: `<< /Type /Pages /Kids [${spare} 0 R ${spare + 1} 0 R] /Count ${pages} >>`,
      more: [
        { number: spare, body: `<< /Type /Pages /Parent 2 0 R /Kids [${half(0, 10)}] /Count 9 >>` },
        { number: spare + 1, body: `<< /Type /Pages /Parent 2 0 R /Kids [${half(10, pages)}] /Count 10 >>` },
      ],
    }),
    many('far-branch-twice', 'a branch of the page tree that is listed twice', {
      tree: `<< /Type /Pages /Kids [${spare} 0 R ${spare} 0 R] /Count 20 >>`,
      more: [{ number: spare, body: `<< /Type /Pages /Parent 2 0 R /Kids [${half(0, 10)}] /Count 10 >>` }],
    }),
    many('far-generation', 'a form far behind that is asked for by another generation', {
      resources: `/XObject << /X ${spare} 1 R >>`,
      content: drawn,
      more: [{ number: spare, body: form(evil) }],
    }),
    many('far-form-length', 'a form far behind that does not end where it says', {
      resources: `/XObject << /X ${spare} 0 R >>`,
      content: drawn,
      more: [
        {
          number: spare,
          body: rawStream(
            `${showText(good, 400)} ${showText(evil, 500)}`,
            '/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >>',
            showText(good, 400).length,
          ),
        },
      ],
    }),
    ...closeTwins(),
  ];
}

/** Two heads so close to each other that a table's white space could lie between them. */
function closeTwins(): readonly InputAttack[] {
  const head = `${spare} 0 obj\n${spare} 0 obj\n${form(evil)}\nendobj\n`;
  const parts = manyPages({ resources: `/XObject << /X ${spare} 0 R /Y 61 0 R >>`, content: drawn });
  const at = parts.length;
  return [
    attack(
      'far-two-heads',
      'a form whose first head stands before a number, its second before the form, in a file that is searched',
      buildRawPdf({
        parts: [...parts, { text: head }],
        lines: new Map([
          [spare, (offsetOf: (part: number) => number) => formatEntry(offsetOf(at))],
          [61, () => '0000000000 00000 f'],
        ]),
      }),
    ),
  ];
}
