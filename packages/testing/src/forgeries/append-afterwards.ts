import { createArraySource, findFirstPage, openPdf, PdfRef } from '@sigillum/pdf';
import { appendSection } from './append-section.ts';
import { type FoundSeal, findSeal } from './find-seal.ts';
import { type ForgedFile, forged, type SealedSample } from './forgery.ts';

/** Bytes behind the seal that no careful writer makes: no cross-reference at all, or one that says odd things. */
export function appendAfterwards({ bytes }: SealedSample): readonly ForgedFile[] {
  const seal = findSeal(bytes);
  const page = findFirstPage(seal.document).ref;
  const behind = (text: string) => Buffer.concat([bytes, Buffer.from(text, 'latin1')]);
  const content = seal.document.nextObjectNumber;
  const drawing = '0.9 0.1 0.1 rg 40 40 500 700 re f';
  const stream = `${content} 0 obj\n<< /Length ${drawing.length} >>\nstream\n${drawing}\nendstream\nendobj\n`;
  const evilPage = `<< /Type /Page /Parent ${parentOf(seal)} /MediaBox [0 0 595 842] /Resources << >> /Contents ${content} 0 R >>`;
  return [
    forged('bytes-after-end', 'bytes after the last %%EOF', behind('nobody signed this\n')),
    forged(
      'body-after-end',
      'objects after the last %%EOF without a cross-reference',
      behind(`${stream}${page.number} ${page.generation} obj\n${evilPage}\nendobj\n%%EOF\n`),
    ),
    forged('cut-off', 'the last bytes of the file', bytes.subarray(0, bytes.length - 40)),
    forged('bytes-before-header', 'bytes before the header', Buffer.concat([Buffer.from('X-Mail: 1\r\n\r\n'), bytes])),
    forged('added-encryption', 'an encryption dictionary by an update', addEncryption(bytes, content)),
    forged('smaller-size', 'a /Size below the page and the form, by an update', shrinkSize(bytes)),
    forged(
      'second-section',
      'an update whose stream of cross-references names a second one',
      nameSecondSection(bytes, content),
    ),
    forged('other-root', 'another catalog under another number, by an update', replaceRoot(bytes, seal, content)),
    forged(
      'page-in-object-stream',
      'the page by a copy in an object stream',
      replaceByCopy(bytes, page, evilPage, content + 1, stream, content),
    ),
    forged(
      'signature-in-object-stream',
      'the signature dictionary by a copy in an object stream',
      replaceByCopy(bytes, seal.signature.ref, readDictionary(bytes, seal), content),
    ),
    forged(
      'wrapped-signature',
      'a ByteRange that leads to a copy of the signed bytes',
      wrapSignature(bytes, seal, page, evilPage, stream, content),
    ),
  ];
}

function parentOf({ document }: FoundSeal): string {
  const parent = findFirstPage(document).dict.find('Parent');
  if (!(parent instanceof PdfRef)) throw new Error('an unusual page');
  return parent.toString();
}

/** ISO 32000-2 table 15: objects from /Size on are missing; readers that hold to it show an empty document. */
function shrinkSize(bytes: Uint8Array): Uint8Array {
  const updated = Buffer.from(appendSection(bytes, { entries: () => [{ number: 0, free: true }] }));
  const key = '/Size ';
  const at = updated.lastIndexOf(key) + key.length;
  const end = updated.indexOf(' ', at);
  updated.write('1'.padEnd(end - at), at, 'latin1');
  return updated;
}

/** /XRefStm belongs into the trailer of a table (§7.5.8.4); some readers follow it from a stream as well. */
function nameSecondSection(bytes: Uint8Array, first: number): Uint8Array {
  const head = `${first + 1} 0 `;
  const dict = `<< /Type /ObjStm /N 1 /First ${head.length} /Length ${head.length + 1} >>`;
  const body = `${first} 0 obj\n${dict}\nstream\n${head}1\nendstream\nendobj\n`;
  return appendSection(bytes, {
    body,
    // an entry in an object stream makes the section a stream
    entries: (start) => [
      { number: first, offset: start },
      { number: first + 1, container: first, index: 0 },
    ],
    trailer: `/XRefStm ${openPdf(createArraySource(bytes)).sections[0]?.offset ?? 0} `,
  });
}

/** Standard security handler, revision 2: with it every string and stream means something else. */
function addEncryption(bytes: Uint8Array, number: number): Uint8Array {
  const key = 'ab'.repeat(32);
  const dict = `<< /Filter /Standard /V 1 /R 2 /P -44 /O <${key}> /U <${key}> >>`;
  return appendSection(bytes, {
    body: `${number} 0 obj\n${dict}\nendobj\n`,
    entries: (start) => [{ number, offset: start }],
    trailer: `/Encrypt ${number} 0 R `,
  });
}

function replaceRoot(bytes: Uint8Array, seal: FoundSeal, first: number): Uint8Array {
  const [catalog, pages, page] = [first, first + 1, first + 2];
  const bodies = [
    `${catalog} 0 obj\n<< /Type /Catalog /Pages ${pages} 0 R /AcroForm << /SigFlags 3 /Fields [${seal.field.ref}] >> >>\nendobj\n`,
    `${pages} 0 obj\n<< /Type /Pages /Kids [${page} 0 R] /Count 1 >>\nendobj\n`,
    `${page} 0 obj\n<< /Type /Page /Parent ${pages} 0 R /MediaBox [0 0 300 300] /Resources << >> >>\nendobj\n`,
  ];
  return appendSection(bytes, {
    body: bodies.join(''),
    entries: (start) => {
      let offset = start;
      return bodies.map((body, index) => {
        const entry = { number: first + index, offset };
        offset += body.length;
        return entry;
      });
    },
    trailer: `/Root ${catalog} 0 R `,
  });
}

/** An object redefined inside a new object stream (ISO 32000-2 §7.5.7), with other objects before it. */
function replaceByCopy(
  bytes: Uint8Array,
  { number }: PdfRef,
  dictionary: string,
  container: number,
  before = '',
  beforeNumber?: number,
): Uint8Array {
  const head = `${number} 0 `;
  const data = head + dictionary;
  const dict = `<< /Type /ObjStm /N 1 /First ${head.length} /Length ${data.length} >>`;
  return appendSection(bytes, {
    body: Buffer.from(`${before}${container} 0 obj\n${dict}\nstream\n${data}\nendstream\nendobj\n`, 'latin1'),
    entries: (start) => [
      ...(beforeNumber === undefined ? [] : [{ number: beforeNumber, offset: start }]),
      { number: container, offset: start + before.length },
      { number, container, index: 0 },
    ],
  });
}

/** The signature dictionary as it stands in the file. */
function readDictionary(bytes: Uint8Array, { document, signature }: FoundSeal): string {
  const entry = document.findEntry(signature.ref.number);
  if (entry?.type !== 'plain') throw new Error('the signature has no object of its own');
  const text = Buffer.from(bytes).toString('latin1', entry.offset);
  return text.slice(text.indexOf('<<'), text.indexOf('endobj')).trim();
}

/**
 * Signature wrapping: the second signed range is copied behind changed objects, and a new dictionary's ByteRange points
 * there. The digest is right; the page is another.
 */
function wrapSignature(
  bytes: Uint8Array,
  seal: FoundSeal,
  page: PdfRef,
  evilPage: string,
  stream: string,
  content: number,
): Uint8Array {
  const [, length, second, rest] = seal.byteRange;
  const copied = Buffer.from(bytes).toString('latin1', second, second + rest);
  const dictionary = readDictionary(bytes, seal);
  const { number } = seal.signature.ref;
  const pageObject = `${page.number} ${page.generation} obj\n${evilPage}\nendobj\n`;
  const holder = content + 1;
  const holderHead = `${holder} 0 obj\n<< /Length ${rest} >>\nstream\n`;
  const build = (copyAt: number) => {
    const range = `/ByteRange [0 ${length} ${copyAt} ${rest}]`;
    const changed = dictionary.replace(/\/ByteRange\s*\[[^\]]*\]/, range.padEnd(60));
    return [stream, pageObject, `${number} 0 obj\n${changed}\nendobj\n`, `${holderHead}${copied}\nendstream\nendobj\n`];
  };
  const lengthsOf = (parts: readonly string[]) => parts.map((part) => part.length);
  const [a = 0, b = 0, c = 0] = lengthsOf(build(0));
  const start = bytes.length + (bytes.at(-1) === 0x0a ? 0 : 1);
  const parts = build(start + a + b + c + holderHead.length);
  return appendSection(bytes, {
    body: Buffer.from(parts.join(''), 'latin1'),
    entries: () => [
      { number: content, offset: start },
      { number: page.number, generation: page.generation, offset: start + a },
      { number, offset: start + a + b },
      { number: holder, offset: start + a + b + c },
    ],
  });
}
