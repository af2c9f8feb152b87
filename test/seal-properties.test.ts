import { validateSignatures } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';
import { sealBySoftware, SoftwarePki } from '@sigillum/testing';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

/** Documents of each property; each is sealed, judged, and judged again with a byte changed. */
const runs = 60;
let pki: SoftwarePki;

beforeAll(async () => {
  pki = await SoftwarePki.make();
});

function isAccepted(bytes: Uint8Array): boolean {
  return validateSignatures(createArraySource(bytes), { roots: [pki.root.certificate], now: new Date() }).accepted;
}

type Shape = {
  readonly pages: number;
  readonly depth: number;
  readonly annotations: 'none' | 'direct' | 'indirect';
  readonly form: 'none' | 'direct' | 'indirect' | 'indirect-fields';
  readonly kind: 'table' | 'stream';
  readonly eol: string;
  readonly firstNumber: number;
  readonly finalEol: boolean;
  readonly extras: readonly string[];
};

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}$/).map((text) => `/${text}`);
const { value: anyValue } = fc.letrec<{ value: string; array: string; dict: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('null', 'true', '-1.50', '+7', '(a \\( nested (string) \\))', '<4f4b>', '(endobj %%EOF)'),
    fc.integer().map(String),
    name,
    tie('array'),
    tie('dict'),
  ),
  array: fc.array(tie('value'), { maxLength: 3 }).map((values) => `[${values.join(' ')}]`),
  dict: fc
    .uniqueArray(fc.tuple(name, tie('value')), { maxLength: 3, selector: ([key]) => key })
    .map((entries) => `<<${entries.map((entry) => entry.join(' ')).join(' ')}>>`),
}));
const shape: fc.Arbitrary<Shape> = fc.record({
  pages: fc.integer({ min: 1, max: 4 }),
  depth: fc.integer({ min: 0, max: 3 }),
  annotations: fc.constantFrom('none', 'direct', 'indirect'),
  form: fc.constantFrom('none', 'direct', 'indirect', 'indirect-fields'),
  kind: fc.constantFrom('table', 'stream'),
  eol: fc.constantFrom('\n', '\r\n'),
  firstNumber: fc.integer({ min: 1, max: 40 }),
  finalEol: fc.boolean(),
  extras: fc.array(anyValue, { maxLength: 4 }),
});

/** A correct PDF of that shape. */
function makeDocument(made: Shape): Uint8Array {
  const bodies: string[] = [];
  const reference = (index: number) => `${made.firstNumber + index} 0 R`;
  const add = (body: string) => reference(bodies.push(body) - 1);
  made.extras.forEach(add);
  const link = '<< /Type /Annot /Subtype /Link /Rect [10 10 50 50] /Border [0 0 0] >>';
  const annots = { none: '', direct: `/Annots [${link}]`, indirect: `/Annots ${add(`[${link}]`)}` }[made.annotations];
  const fields = `[${add('<< /FT /Tx /T (Amount) /V (12) >>')}]`;
  const form = {
    none: '',
    direct: `/AcroForm << /Fields ${fields} >>`,
    indirect: `/AcroForm ${add(`<< /Fields ${fields} >>`)}`,
    'indirect-fields': `/AcroForm ${add(`<< /Fields ${add(fields)} >>`)}`,
  }[made.form];
  // The page tree from its root down: each node knows the number that the next one will have.
  const root = reference(bodies.length);
  for (let level = 0; level < made.depth; level++) {
    const parent = level === 0 ? '' : `/Parent ${reference(bodies.length - 1)}`;
    add(`<< /Type /Pages ${parent} /Count ${made.pages} /Kids [${reference(bodies.length + 1)}] >>`);
  }
  const leaves = Array.from({ length: made.pages }, (_, page) => reference(bodies.length + 1 + page));
  const parent = made.depth === 0 ? '' : `/Parent ${reference(bodies.length - 1)}`;
  const last = add(`<< /Type /Pages ${parent} /Count ${made.pages} /Kids [${leaves.join(' ')}] >>`);
  for (let page = 0; page < made.pages; page++) {
    add(`<< /Type /Page /Parent ${last} /MediaBox [0 0 300 300] ${page === 0 ? annots : ''} >>`);
  }
  const catalog = add(`<< /Type /Catalog /Pages ${root} ${form} >>`);
  return encodeFile(made, bodies, catalog);
}

function encodeFile(
  { firstNumber, eol, kind, finalEol }: Shape,
  bodies: readonly string[],
  catalog: string,
): Uint8Array {
  let file = `%PDF-1.7${eol}%\u00e2\u00e3\u00cf\u00d3${eol}`;
  const offsets = bodies.map((body, index) => {
    const offset = file.length;
    file += `${firstNumber + index} 0 obj${eol}${body}${eol}endobj${eol}`;
    return offset;
  });
  const start = file.length;
  const next = firstNumber + bodies.length;
  if (kind === 'table') {
    const lines = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n\r\n`).join('');
    file += `xref${eol}0 1${eol}0000000000 65535 f\r\n${firstNumber} ${bodies.length}${eol}${lines}`;
    file += `trailer${eol}<< /Size ${next} /Root ${catalog} >>${eol}`;
  } else {
    const entries = [...offsets, start].map((offset) => `\u0001${String.fromCharCode(offset >> 8, offset & 255)}`);
    const index = `/Index [0 1 ${firstNumber} ${entries.length}]`;
    const data = `\0\0\0${entries.join('')}`;
    const dict = `<< /Type /XRef /W [1 2 0] ${index} /Size ${next + 1} /Root ${catalog} /Length ${data.length} >>`;
    file += `${next} 0 obj${eol}${dict}${eol}stream\r\n${data}${eol}endstream${eol}endobj${eol}`;
  }
  file += `startxref${eol}${start}${eol}%%EOF${finalEol ? eol : ''}`;
  return Buffer.from(file, 'latin1');
}

describe('any good document', () => {
  test(`is accepted when sealed, sealed twice, and refused with any byte changed (${runs} documents)`, async () => {
    const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    await fc.assert(
      fc.asyncProperty(shape, place, fc.integer({ min: 1, max: 255 }), async (made, where, flip) => {
        const { bytes } = await sealBySoftware(makeDocument(made), pki);
        expect(isAccepted(bytes)).toBe(true);
        expect(isAccepted((await sealBySoftware(bytes, pki)).bytes)).toBe(true);
        const changed = Uint8Array.from(bytes);
        // never the last byte: an end of line there may be another one, nothing is said by it
        const at = Math.floor(where * (bytes.length - 1));
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect({ at, accepted: isAccepted(changed) }).toEqual({ at, accepted: false });
      }),
      { numRuns: runs },
    );
  }, 120_000);
});
