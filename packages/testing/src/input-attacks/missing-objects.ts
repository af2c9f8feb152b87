import { attack, type InputAttack } from './input-attack.ts';
import { buildRawPdf, formatEntry, type RawPart, rawStream, showText } from './raw-pdf.ts';

const good = 'Pay 10';
const evil = 'Pay 9999';
const evilStream = rawStream(showText(evil));
const free = '0000000000 00000 f';

/** Two pages; the first one refers to an object 8, a form, and draws it. */
function twoPages(form: string, ...more: readonly RawPart[]): readonly RawPart[] {
  const page = (contents: number, resources = '') =>
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> ${resources} >> /Contents ${contents} 0 R >>`;
  return [
    { number: 1, body: '<< /Type /Catalog /Pages 2 0 R >>' },
    { number: 2, body: '<< /Type /Pages /Kids [3 0 R 6 0 R] /Count 2 >>' },
    { number: 3, body: page(4, `/XObject << /X ${form} >>`) },
    { number: 4, body: rawStream(`${showText('First')} /X Do`) },
    { number: 5, body: '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>' },
    { number: 6, body: page(7) },
    { number: 7, body: rawStream(showText(good)) },
    ...more,
  ];
}

/**
 * References to what the table doesn't have. It is null by the letter; poppler looks for it in the whole file then, and takes the
 * last definition of everything.
 */
export function missingObjects(): readonly InputAttack[] {
  const twin: RawPart = { number: 7, body: evilStream, hidden: true };
  const form = rawStream(showText(evil, 500), '/Type /XObject /Subtype /Form /BBox [0 0 595 842]');
  const line = (number: number, text: string) => new Map([[number, () => text]]);
  const hiddenDocument: readonly RawPart[] = [
    { number: 30, body: '<< /Type /Catalog /Pages 31 0 R >>', hidden: true },
    { number: 31, body: '<< /Type /Pages /Kids [32 0 R] /Count 1 >>', hidden: true },
    {
      number: 32,
      body: '<< /Type /Page /Parent 31 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 33 0 R >>',
      hidden: true,
    },
    { number: 33, body: evilStream, hidden: true },
    { text: 'trailer\n<< /Size 34 /Root 30 0 R >>\n' },
  ];
  return [
    attack(
      'missing-only',
      'a form that is free, and nothing that searchers could find',
      buildRawPdf({
        parts: twoPages('8 0 R'),
        lines: line(8, free),
      }),
    ),
    attack(
      'missing-free-twin',
      'a form that is free, and a second definition of other content',
      buildRawPdf({
        parts: twoPages('8 0 R', twin),
        lines: line(8, free),
      }),
    ),
    attack(
      'missing-zero-twin',
      'the same with an entry in use at offset 0',
      buildRawPdf({
        parts: twoPages('8 0 R', twin),
        lines: line(8, formatEntry(0)),
      }),
    ),
    attack(
      'missing-unlisted-twin',
      'the same with a form past the end of the table',
      buildRawPdf({
        parts: twoPages('99 0 R', twin),
      }),
    ),
    attack(
      'missing-generation-twin',
      'the same, with a higher generation before the first definition',
      buildRawPdf({
        parts: [{ number: 7, generation: 1, body: evilStream, hidden: true }, ...twoPages('8 0 R')],
        lines: line(8, free),
      }),
    ),
    ...['0000000000007 0 obj', '7 0000000 obj', `7${' '.repeat(40)}0 obj`, `7 0${'\n'.repeat(5000)}obj`].map(
      (head, at) =>
        attack(
          `missing-odd-twin-${at + 1}`,
          'a form that is free, and a second definition under a head that nobody writes',
          buildRawPdf({
            parts: twoPages('8 0 R', { text: `${head}\n${evilStream}\nendobj\n` }),
            lines: line(8, free),
          }),
        ),
    ),
    attack(
      'missing-free-form',
      'a form that is free in the table and there in the file',
      buildRawPdf({
        parts: twoPages('8 0 R', { number: 8, body: form, hidden: true }),
        lines: line(8, free),
      }),
    ),
    attack(
      'missing-zero-form',
      'a form at offset 0 in the table and elsewhere in the file',
      buildRawPdf({
        parts: twoPages('8 0 R', { number: 8, body: form, hidden: true }),
        lines: line(8, formatEntry(0)),
      }),
    ),
    attack(
      'missing-unlisted-form',
      'a form that no table lists and that is there in the file',
      buildRawPdf({
        parts: twoPages('8 0 R', { number: 8, body: form, hidden: true }),
      }),
    ),
    attack(
      'missing-trailer',
      'a form that is free, and a second catalog with its trailer',
      buildRawPdf({
        parts: twoPages('8 0 R', ...hiddenDocument),
        lines: line(8, free),
      }),
    ),
    attack(
      'missing-annotation',
      'an annotation that is free, and a second definition of other content',
      buildRawPdf({
        parts: twoPages('8 0 R', twin).map((part) =>
          'number' in part && part.number === 6
            ? { number: 6, body: part.body.replace('/Type /Page ', '/Type /Page /Annots [8 0 R] ') }
            : part,
        ),
        lines: line(8, free),
      }),
    ),
  ];
}
