import { appendSection } from '../forgeries/append-section.ts';
import { attack, type InputAttack } from './input-attack.ts';
import { buildRawPdf, rawStream, showText, simplePage } from './raw-pdf.ts';

const good = 'Pay 10';
const evil = 'Pay 9999';
const page = (contents: number, box = '0 0 595 842') =>
  `<< /Type /Page /Parent 2 0 R /MediaBox [${box}] /Resources << /Font << /F1 5 0 R >> >> /Contents ${contents} 0 R >>`;
const simple = () => buildRawPdf({ parts: simplePage(good, { number: 6, body: rawStream(showText(evil)) }) });

function objectStream(number: number, objects: readonly (readonly [number, string])[], entries = ''): string {
  let head = '';
  let data = '';
  for (const [inner, body] of objects) {
    head += `${inner} ${data.length} `;
    data += `${body} `;
  }
  const dict = `/Type /ObjStm /N ${objects.length} /First ${head.length} ${entries}`;
  return `${number} 0 obj\n${rawStream(head + data, dict)}\nendobj\n`;
}

/** Objects in object streams that other definitions, or other readings, contradict. */
export function objectStreamTricks(): readonly InputAttack[] {
  const first = simple();
  const container = 8;
  const update = (body: string, index = 0, number = 3) =>
    appendSection(first, {
      body,
      entries: (start) => [
        { number: container, offset: start },
        { number, container, index },
      ],
    });
  return [
    attack(
      'stream-override',
      'a page in an object stream of an update',
      update(objectStream(container, [[3, page(6)]])),
    ),
    attack(
      'stream-wrong-index',
      'an index that leads to another object',
      update(
        objectStream(container, [
          [7, 'null'],
          [3, page(6)],
        ]),
      ),
    ),
    attack(
      'stream-index-past-end',
      'an index past the last object',
      update(objectStream(container, [[3, page(6)]]), 5),
    ),
    attack(
      'stream-twice',
      'an object twice in one object stream',
      update(
        objectStream(container, [
          [3, page(4)],
          [3, page(6)],
        ]),
      ),
    ),
    attack(
      'stream-extends',
      'an object stream that extends another',
      update(objectStream(container, [[3, page(6)]], '/Extends 9 0 R')),
    ),
    attack(
      'stream-first-wrong',
      'an object stream whose objects begin elsewhere',
      update(objectStream(container, [[3, page(6)]]).replace(/\/First \d+/, '/First 2')),
    ),
    attack(
      'stream-count-wrong',
      'an object stream that says it holds more',
      update(objectStream(container, [[3, page(6)]]).replace('/N 1', '/N 9')),
    ),
    attack(
      'stream-no-type',
      'an object stream without its type',
      update(objectStream(container, [[3, page(6)]]).replace('/Type /ObjStm', '')),
    ),
    attack(
      'stream-holds-stream',
      'a stream inside an object stream',
      update(objectStream(container, [[4, rawStream(showText(evil))]]), 0, 4),
    ),
    attack(
      'stream-in-stream',
      'an object stream inside an object stream',
      appendSection(first, {
        body: objectStream(container, [[9, rawStream(`3 0 ${page(6)}`, '/Type /ObjStm /N 1 /First 4')]]),
        entries: (start) => [
          { number: container, offset: start },
          { number: 9, container, index: 0 },
          { number: 3, container: 9, index: 0 },
        ],
      }),
    ),
    attack(
      'stream-container-missing',
      'an object stream that is not there',
      appendSection(first, { entries: () => [{ number: 3, container: 77, index: 0 }] }),
    ),
    ...hybridTricks(),
  ];
}

/** Hybrid files (ISO 32000-2 §7.5.8.4): readers that know xref streams see more than those that don't. */
function hybridTricks(): readonly InputAttack[] {
  return [
    attack('hybrid-hidden-page', 'a page that only readers of xref streams see', hybrid('free')),
    attack('hybrid-unlisted-page', 'a page that the table leaves to the stream', hybrid('unlisted')),
    attack('hybrid-contradiction', 'a page that table and stream define differently', hybrid('kept')),
  ];
}

/** An update by a table with /XRefStm: object 3 is free in the table, not in it, or stays what it was; the stream has another. */
function hybrid(inTable: 'free' | 'unlisted' | 'kept'): Buffer {
  const first = simple().toString('latin1');
  const previous = first.lastIndexOf('xref\n0');
  let file = first;
  const containerAt = file.length;
  file += objectStream(8, [[3, page(6)]]);
  const streamAt = file.length;
  const entries = String.fromCharCode(2, 0, 8, 0) + String.fromCharCode(1, containerAt >> 8, containerAt & 255, 0);
  file += `9 0 obj\n${rawStream(entries, '/Type /XRef /W [1 2 1] /Index [3 1 8 1] /Size 10 /Root 1 0 R')}\nendobj\n`;
  const start = file.length;
  const line = `${String(first.indexOf('3 0 obj')).padStart(10, '0')} 00000 n`;
  const tables = {
    free: '3 1\n0000000000 00000 f \n',
    unlisted: '0 1\n0000000000 65535 f \n',
    kept: `3 1\n${line} \n`,
  };
  file += `xref\n${tables[inTable]}`;
  file += `trailer\n<< /Size 10 /Root 1 0 R /Prev ${previous} /XRefStm ${streamAt} >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(file, 'latin1');
}
