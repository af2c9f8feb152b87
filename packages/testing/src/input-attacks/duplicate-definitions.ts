import { appendSection } from '../forgeries/append-section.ts';
import { attack, type InputAttack } from './input-attack.ts';
import { buildRawPdf, formatEntry, rawStream, showText, simplePage } from './raw-pdf.ts';

const good = 'Pay 10';
const evil = 'Pay 9999';
const evilStream = rawStream(showText(evil));
const evilObject = `4 0 obj\n${evilStream}\nendobj\n`;

/** Two definitions of one object: readers that go by the cross-reference show one, readers that search show the other. */
export function duplicateDefinitions(): readonly InputAttack[] {
  const first = buildRawPdf({ parts: simplePage(good, { number: 4, body: evilStream, hidden: true }) });
  const simple = buildRawPdf({ parts: simplePage(good) });
  return [
    attack('twin-after', 'a second definition after the one that the table names', first),
    attack(
      'twin-before',
      'a second definition before the one that the table names',
      buildRawPdf({ parts: [{ number: 4, body: evilStream, hidden: true }, ...simplePage(good)] }),
    ),
    attack('twin-behind-end', 'a second definition after %%EOF', Buffer.concat([simple, Buffer.from(evilObject)])),
    attack(
      'twin-page-tree',
      'a second page tree that no table names',
      buildRawPdf({
        parts: simplePage(
          good,
          { number: 2, body: '<< /Type /Pages /Kids [30 0 R] /Count 1 >>', hidden: true },
          {
            number: 30,
            body: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 31 0 R >>',
            hidden: true,
          },
          { number: 31, body: evilStream, hidden: true },
        ),
      }),
    ),
    attack(
      'twin-in-stream',
      'a second definition inside the data of a stream',
      buildRawPdf({ parts: simplePage(good, { number: 6, body: rawStream(evilObject) }) }),
    ),
    attack(
      'twin-in-comment',
      'a second definition in a comment',
      buildRawPdf({ parts: simplePage(good, { text: `% ${evilObject.replaceAll('\n', ' ')}\n` }) }),
    ),
    attack(
      'twin-in-string',
      'a second definition in a string',
      buildRawPdf({ parts: simplePage(good, { number: 6, body: `(${evilObject.replaceAll(/[()]/g, ' ')})` }) }),
    ),
    attack(
      'twin-second-file',
      'a second whole file behind the first',
      Buffer.concat([simple, buildRawPdf({ parts: simplePage(evil) })]),
    ),
    attack(
      'twin-unlisted-update',
      'an update whose table names another object than it holds',
      appendSection(simple, {
        body: `${evilObject}7 0 obj\nnull\nendobj\n`,
        entries: (start) => [{ number: 7, offset: start + evilObject.length }],
      }),
    ),
    attack(
      'twin-misplaced-entry',
      'an entry that misses, so that readers search and find the second definition',
      buildRawPdf({
        parts: simplePage(good, { number: 4, body: evilStream, hidden: true }),
        lines: new Map([[4, (offsetOf) => formatEntry(offsetOf(3) + 2)]]),
      }),
    ),
    attack(
      'twin-misplaced-font',
      'an entry of a font that misses, and a second definition of the content',
      buildRawPdf({
        parts: simplePage(good, { number: 4, body: evilStream, hidden: true }),
        lines: new Map([[5, () => formatEntry(17)]]),
      }),
    ),
    attack(
      'twin-generation',
      'a second definition with a higher generation',
      buildRawPdf({ parts: simplePage(good, { number: 4, generation: 1, body: evilStream, hidden: true }) }),
    ),
    attack(
      'twin-listed-twice',
      'a table that lists an object twice',
      relist(buildRawPdf({ parts: simplePage(good, { number: 4, body: evilStream, hidden: true }) })),
    ),
    attack(
      'twin-object-stream',
      'a second definition in an object stream that nothing lists',
      buildRawPdf({
        parts: simplePage(good, {
          number: 6,
          body: rawStream('3 0 << /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>', '/Type /ObjStm /N 1 /First 4'),
        }),
      }),
    ),
    attack('twin-old-revision', 'an update that goes back to an older definition', goBack(simple, evilObject)),
  ];
}

/** A second subsection for object 4, which leads to the last definition. */
function relist(file: Buffer): Buffer {
  const text = file.toString('latin1');
  const twin = text.lastIndexOf('4 0 obj');
  const at = text.lastIndexOf('trailer');
  return Buffer.from(`${text.slice(0, at)}4 1\n${formatEntry(twin)} \n${text.slice(at)}`, 'latin1');
}

/** Two updates: one with the evil content, one whose entry leads back to the first. What is shown is the first again. */
function goBack(file: Buffer, evilUpdate: string): Uint8Array {
  const original = file.indexOf('4 0 obj');
  const changed = appendSection(file, { body: evilUpdate, entries: (start) => [{ number: 4, offset: start }] });
  return appendSection(changed, { entries: () => [{ number: 4, offset: original }] });
}

/** Dictionaries with a key twice: the first or the last counts, as readers like it. */
export function duplicateKeys(): readonly InputAttack[] {
  const evilPart = { number: 6, body: evilStream };
  const page = (entries: string) => ({
    number: 3,
    body: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] ${entries} >>`,
  });
  const resources = '/Resources << /Font << /F1 5 0 R >> >>';
  const replacing = (number: number, body: string) =>
    simplePage(good, evilPart).map((part) => ('number' in part && part.number === number ? { number, body } : part));
  return [
    attack(
      'keys-contents',
      'a page with two /Contents',
      buildRawPdf({ parts: replacing(3, page(`${resources} /Contents 4 0 R /Contents 6 0 R`).body) }),
    ),
    attack(
      'keys-kids',
      'a page tree with two /Kids',
      buildRawPdf({
        parts: [
          ...replacing(2, '<< /Type /Pages /Kids [3 0 R] /Kids [7 0 R] /Count 1 >>'),
          { number: 7, body: page(`${resources} /Contents 6 0 R`).body },
        ],
      }),
    ),
    attack(
      'keys-pages',
      'a catalog with two /Pages',
      buildRawPdf({
        parts: [
          ...replacing(1, '<< /Type /Catalog /Pages 2 0 R /Pages 8 0 R >>'),
          { number: 7, body: page(`${resources} /Contents 6 0 R`).body },
          { number: 8, body: '<< /Type /Pages /Kids [7 0 R] /Count 1 >>' },
        ],
      }),
    ),
    attack(
      'keys-root',
      'a trailer with two /Root',
      buildRawPdf({
        parts: [
          ...simplePage(good, evilPart),
          { number: 7, body: page(`${resources} /Contents 6 0 R`).body },
          { number: 8, body: '<< /Type /Pages /Kids [7 0 R] /Count 1 >>' },
          { number: 9, body: '<< /Type /Catalog /Pages 8 0 R >>' },
        ],
        root: '/Root 1 0 R /Root 9 0 R',
      }),
    ),
    attack(
      'keys-length',
      'content with two /Length',
      buildRawPdf({
        parts: replacing(4, rawStream(`${showText(good)} ${showText(evil, 500)}`, `/Length ${showText(good).length}`)),
      }),
    ),
    attack(
      'keys-escaped',
      'a page with /Contents spelled in two ways',
      buildRawPdf({ parts: replacing(3, page(`${resources} /Contents 4 0 R /#43ontents 6 0 R`).body) }),
    ),
    attack(
      'keys-resources',
      'a page with two fonts of one name',
      buildRawPdf({
        parts: replacing(3, page('/Resources << /Font << /F1 5 0 R /F1 7 0 R >> >> /Contents 4 0 R').body).concat({
          number: 7,
          body: '<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>',
        }),
      }),
    ),
    attack(
      'keys-annots',
      'a page with two /Annots',
      buildRawPdf({ parts: replacing(3, page(`${resources} /Contents 4 0 R /Annots [] /Annots [7 0 R]`).body) }),
    ),
  ];
}
