import { describe, expect, test } from '@jest/globals';
import { makeSamplePdf, type SampleKind } from '@sigillum/testing';
import {
  createArraySource,
  findReferences,
  IncrementalUpdate,
  KnownReferences,
  openPdf,
  PdfDict,
  type PdfDocument,
  type PdfObject,
  PdfPlaceholder,
  PdfRef,
  sliceSource,
} from '../index.ts';
import { limits } from '../limits.ts';

/** Each revision twice: with the bytes that there were then, and with all of the file. Oldest first. */
function listViews(file: Uint8Array, ends: readonly number[]): readonly PdfDocument[] {
  const document = openPdf(createArraySource(file));
  const budget = { bytes: 8 * limits.work, values: 8 * limits.values };
  return ends.flatMap((end, age) => {
    const index = ends.length - 1 - age;
    return [document.viewAt(index, budget, sliceSource(document.source, end)), document.viewAt(index, budget)];
  });
}

/** What every view says with what earlier ones left behind, and without. */
function compare(file: Uint8Array, ends: readonly number[]): void {
  const known = new KnownReferences();
  for (const [index, view] of listViews(file, ends).entries()) {
    const fresh = listViews(file, ends)[index];
    if (fresh === undefined) throw new Error('no such view');
    for (const targets of [
      new Set<number>(),
      new Set(Array.from({ length: view.nextObjectNumber + 2 }, (_, n) => n)),
    ]) {
      const [left, right] = [findReferences(view, targets, known), findReferences(fresh, targets)];
      expect(left.places).toEqual(right.places);
      expect(left.unreadable).toEqual(right.unreadable);
    }
  }
}

function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

/** A stream whose length stands elsewhere, and perhaps is another one later. */
const streamOf = (length: PdfRef): PdfPlaceholder =>
  new PdfPlaceholder(Buffer.from(`<< /Length ${length} /Next 1 0 R >>\nstream\n0123456789\nendstream`));

describe('what is known of earlier revisions', () => {
  test.each<SampleKind>(['classic', 'xref-stream', 'object-streams', 'linearized', 'hybrid'])(
    'gives the same answer for whatever happens to a file with %s',
    (kind) => {
      for (let seed = 1; seed <= 12; seed += 1) {
        const random = makeRandom(seed);
        let file: Uint8Array = makeSamplePdf(kind, { pages: 3 });
        const ends = [file.length];
        for (let update = 0; update < 6; update += 1) {
          const document = openPdf(createArraySource(file));
          const changes = new IncrementalUpdate(document, (length) => new Uint8Array(length));
          const some = (): PdfRef => new PdfRef(1 + random(document.nextObjectNumber + 2));
          const value = (): PdfObject => {
            const kinds: (() => PdfObject)[] = [
              () => some(),
              () => [some(), some(), random(100)],
              () =>
                new PdfDict([
                  ['A', some()],
                  ['B', [some(), new PdfDict([['C', some()]])]],
                ]),
              () => random(12),
              () => streamOf(some()),
              () => new PdfPlaceholder(Buffer.from('<< /Broken')),
            ];
            return kinds[random(kinds.length)]?.() ?? null;
          };
          const { catalog, catalogRef } = document;
          const more: PdfRef[] = [];
          for (let count = random(4); count >= 0; count -= 1) {
            const isNew = random(2) === 0 || document.nextObjectNumber < 12;
            const ref = isNew ? changes.allocate() : new PdfRef(8 + random(document.nextObjectNumber - 8));
            changes.set(ref, value());
            more.push(ref);
          }
          changes.set(catalogRef, catalog.with({ More: more, [`Kept${update}`]: more }));
          file = Buffer.concat([file, changes.encode().bytes]);
          ends.push(file.length);
        }
        compare(file, ends);
      }
    },
  );

  test('is not taken for a stream that reaches past the end of more than one revision', () => {
    let file: Uint8Array = makeSamplePdf('classic');
    const ends = [file.length];
    for (let update = 0; update < 6; update += 1) {
      const document = openPdf(createArraySource(file));
      const changes = new IncrementalUpdate(document, (length) => new Uint8Array(length));
      const ref = changes.allocate();
      const stream = '<< /Length 1500 >>\nstream\n0123456789\nendstream';
      changes.set(ref, update === 0 ? new PdfPlaceholder(Buffer.from(stream)) : update);
      changes.set(document.catalogRef, document.catalog.with({ [`More${update}`]: ref }));
      file = Buffer.concat([file, changes.encode().bytes]);
      ends.push(file.length);
    }
    expect(ends.filter((end) => end < (ends[1] ?? 0) + 1500).length).toBeGreaterThan(3);
    compare(file, ends);
  });

  test('is not taken for what ended where the bytes ended', () => {
    const head =
      '%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R /More 3 0 R >>\nendobj\n2 0 obj\n<< /Kids [] /Count 0 >>\nendobj\n';
    const at = (what: string): string => String(head.indexOf(what)).padStart(10, '0');
    // object 3 stands behind everything: 4 at first, then, with more bytes, a reference
    const table = (end: number): string =>
      `xref\n0 4\n0000000000 65535 f \n${at('1 0 obj')} 00000 n \n${at('2 0 obj')} 00000 n \n${String(end).padStart(10, '0')} 00000 n \ntrailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n${head.length}\n%%EOF\n`;
    const end = head.length + table(0).length;
    const first = `${head}${table(end)}3 0 obj\n4`;
    const file = Buffer.from(`${first} 0 R\nendobj\n`);
    const known = new KnownReferences();
    const document = openPdf(createArraySource(file));
    const budget = { bytes: limits.work, values: limits.values };
    const cut = document.viewAt(0, budget, sliceSource(document.source, first.length));
    expect(findReferences(cut, new Set([4]), known).places.size).toBe(0);
    expect(findReferences(document, new Set([4]), known).places).toEqual(new Map([[4, new Set(['3'])]]));
  });
});
