import { appendSection } from '../forgeries/append-section.ts';
import { attack, type InputAttack } from './input-attack.ts';
import {
  buildRawPdf,
  catalogPart,
  fontPart,
  formatEntry,
  pagePart,
  pagesPart,
  type RawPart,
  rawStream,
  showText,
  simplePage,
} from './raw-pdf.ts';

const good = 'Pay 10';
const evil = 'Pay 9999';
const evilStream = rawStream(showText(evil));

/** Cross-references that loop, miss, contradict themselves, or are there twice. */
export function brokenXrefs(): readonly InputAttack[] {
  const simple = buildRawPdf({ parts: simplePage(good) });
  const start = simple.lastIndexOf('xref\n0');
  const twoContents = buildRawPdf({ parts: simplePage(good, { number: 6, body: evilStream }) });
  const evilAt = twoContents.indexOf('6 0 obj');
  return [
    attack('xref-own-prev', 'a section that names itself as the one before', withTrailer(simple, `/Prev ${start}`)),
    attack(
      'xref-two-loop',
      'two sections that name each other',
      patch(
        appendSection(withTrailer(simple, '/Prev 0000000000'), { entries: () => [{ number: 0, free: true }] }),
        (text) => text.replace('/Prev 0000000000', `/Prev ${String(text.lastIndexOf('xref\n0')).padStart(10, '0')}`),
      ),
    ),
    attack('xref-prev-miss', 'a /Prev into the middle of an object', withTrailer(simple, '/Prev 20')),
    attack('xref-stm-miss', 'an /XRefStm that is none', withTrailer(simple, '/XRefStm 20')),
    attack('xref-stm-loop', 'an /XRefStm that is the table itself', withTrailer(simple, `/XRefStm ${start}`)),
    attack(
      'startxref-miss',
      'a startxref that misses',
      patch(simple, (text) => text.replace(/startxref\n\d+/, 'startxref\n33')),
    ),
    attack(
      'startxref-missing',
      'no startxref',
      patch(simple, (text) => text.replace(/startxref\n\d+/, '')),
    ),
    attack(
      'startxref-twice',
      'two startxref at the end, the second to another table',
      Buffer.concat([
        simple,
        Buffer.from(
          `6 0 obj\n${evilStream}\nendobj\nxref\n4 1\n${formatEntry(simple.length)} \ntrailer\n<< /Size 7 /Root 1 0 R >>\n`,
        ),
        Buffer.from(`startxref\n${start}\n%%EOF\nstartxref\n${start}\n%%EOF\n`),
      ]),
    ),
    attack(
      'xref-wrong-object',
      'an entry that leads to another object',
      buildRawPdf({
        parts: simplePage(good, { number: 6, body: evilStream }),
        lines: new Map([[4, () => formatEntry(evilAt)]]),
      }),
    ),
    attack(
      'xref-wrong-generation',
      'an entry with another generation',
      buildRawPdf({ parts: simplePage(good), lines: new Map([[4, (offsetOf) => formatEntry(offsetOf(3), 3)]]) }),
    ),
    attack(
      'xref-free-content',
      'content that is free in the table and there in the file',
      buildRawPdf({ parts: simplePage(good), lines: new Map([[4, () => '0000000000 00001 f']]) }),
    ),
    attack('xref-small-size', 'a /Size below the page', buildRawPdf({ parts: simplePage(good), size: 3 })),
    attack('xref-no-root', 'no /Root', buildRawPdf({ parts: simplePage(good), root: '' })),
    attack(
      'xref-root-missing',
      'a /Root that is not there',
      buildRawPdf({ parts: simplePage(good), root: '/Root 77 0 R' }),
    ),
    attack(
      'xref-numbered-from-one',
      'a subsection that begins at 1',
      patch(simple, (text) => text.replace('xref\n0 6', 'xref\n1 6')),
    ),
    attack(
      'xref-past-end',
      'an entry past the end',
      buildRawPdf({ parts: simplePage(good), lines: new Map([[4, () => formatEntry(9_000_000)]]) }),
    ),
    attack(
      'xref-huge-count',
      'a subsection of a billion entries',
      patch(simple, (text) => text.replace('xref\n0 6', 'xref\n0 1000000000')),
    ),
  ];
}

/** Streams that end elsewhere than they say, and content that is none. */
export function lyingLengths(): readonly InputAttack[] {
  const both = `${showText(good)} ${showText(evil, 500)}`;
  const content = (body: string, ...more: readonly RawPart[]) =>
    buildRawPdf({ parts: [catalogPart, pagesPart, pagePart(), { number: 4, body }, fontPart, ...more] });
  const one = showText(good).length;
  return [
    attack('length-short', 'content longer than it says', content(rawStream(both, '', one))),
    attack('length-long', 'content shorter than it says', content(rawStream(showText(good), '', 4000))),
    attack(
      'length-past-object',
      'content that takes in the next object',
      content(rawStream(showText(good), '', one + 60), { number: 6, body: evilStream }),
    ),
    attack('length-missing', 'content without a length', content(`<< >>\nstream\n${both}\nendstream`)),
    attack('length-negative', 'content of negative length', content(rawStream(both, '', -5))),
    attack(
      'length-elsewhere',
      'content with its length in another object',
      content(rawStream(both, '', '6 0 R'), { number: 6, body: String(both.length) }),
    ),
    attack(
      'length-elsewhere-short',
      'the same, too short',
      content(rawStream(both, '', '6 0 R'), { number: 6, body: String(one) }),
    ),
    attack('length-in-itself', 'content whose length is itself', content(rawStream(both, '', '4 0 R'))),
    attack(
      'length-two-ends',
      'content with endstream inside',
      content(rawStream(`${showText(good)}\nendstream\nendobj\n4 0 obj\n${evilStream}`)),
    ),
    attack(
      'content-external',
      'content in another file',
      content('<< /Length 0 /F (other.bin) >>\nstream\n\nendstream'),
    ),
    attack('content-no-stream', 'content that is a number', content('42')),
    attack(
      'content-missing',
      'content that is not there',
      buildRawPdf({ parts: [catalogPart, pagesPart, pagePart('', '/Contents 99 0 R'), fontPart] }),
    ),
  ];
}

/** Page trees that readers walk in different ways. */
export function strangePageTrees(): readonly InputAttack[] {
  const evilPage = {
    number: 7,
    body: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 6 0 R >>',
  } as const;
  const tree = (pages: string, ...more: readonly RawPart[]) =>
    buildRawPdf({
      parts: [
        ...simplePage(good, { number: 6, body: evilStream }, evilPage).map((part) =>
          'number' in part && part.number === 2 ? { number: 2, body: pages } : part,
        ),
        ...more,
      ],
    });
  return [
    attack('pages-twice', 'a page that comes twice', tree('<< /Type /Pages /Kids [3 0 R 7 0 R 3 0 R] /Count 3 >>')),
    attack(
      'pages-loop',
      'a page tree that leads back to itself',
      tree('<< /Type /Pages /Kids [3 0 R 2 0 R] /Count 2 >>'),
    ),
    attack(
      'pages-loop-first',
      'the same, before the first page',
      tree('<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>'),
    ),
    attack(
      'pages-count-small',
      'fewer pages counted than there are',
      tree('<< /Type /Pages /Kids [3 0 R 7 0 R] /Count 1 >>'),
    ),
    attack(
      'pages-count-large',
      'more pages counted than there are',
      tree('<< /Type /Pages /Kids [3 0 R 7 0 R] /Count 9 >>'),
    ),
    attack('pages-count-negative', 'a negative count', tree('<< /Type /Pages /Kids [3 0 R 7 0 R] /Count -2 >>')),
    attack('pages-count-missing', 'no count', tree('<< /Type /Pages /Kids [3 0 R 7 0 R] >>')),
    attack('pages-no-type', 'a tree without types', tree('<< /Kids [3 0 R 7 0 R] /Count 2 >>')),
    attack('pages-empty', 'no page', tree('<< /Type /Pages /Kids [] /Count 0 >>')),
    attack(
      'pages-direct',
      'a page that is no object of its own',
      tree(`<< /Type /Pages /Kids [${evilPage.body} 3 0 R] /Count 2 >>`),
    ),
    attack('pages-null-kid', 'a kid that is not there', tree('<< /Type /Pages /Kids [99 0 R 3 0 R] /Count 2 >>')),
    attack(
      'pages-page-with-kids',
      'a page that has kids',
      tree('<< /Type /Pages /Kids [8 0 R] /Count 1 >>', {
        number: 8,
        body: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Kids [7 0 R] /Contents 4 0 R >>',
      }),
    ),
    attack(
      'pages-kids-in-page-type',
      'a node of pages called a page',
      tree('<< /Type /Page /Kids [3 0 R] /Count 1 >>'),
    ),
  ];
}

/** The file with more in its trailer. */
function withTrailer(file: Buffer, entries: string): Buffer {
  return patch(file, (text) => text.replace('trailer\n<<', `trailer\n<< ${entries}`));
}

function patch(file: Uint8Array, change: (text: string) => string): Buffer {
  return Buffer.from(change(Buffer.from(file).toString('latin1')), 'latin1');
}
