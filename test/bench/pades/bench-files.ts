import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSamplePdf } from '@sigillum/testing';
import { PDFDocument, StandardFonts } from 'pdf-lib';

/** A document of the bench, on disk. */
export type BenchFile = {
  readonly name: string;
  readonly path: string;
  readonly size: number;
};

/** What a classic PDF of two pages takes besides its padding. */
const frame = 1_500;

/** What is measured: three sizes of office documents, one that is all objects, one that is all bytes. */
export async function makeBenchFiles(folder: string): Promise<readonly BenchFile[]> {
  const documents: readonly (readonly [string, Uint8Array])[] = [
    ['20 KB', makeClassic(20_000)],
    ['200 KB', makeClassic(200_000)],
    ['100 pages', await makeReport()],
    ['5 MB', makeClassic(5_000_000)],
    ['50 MB', makeClassic(50_000_000)],
  ];
  return documents.map(([name, bytes], index) => {
    const path = join(folder, `${index}.pdf`);
    writeFileSync(path, bytes);
    return { name, path, size: bytes.length };
  });
}

function makeClassic(size: number): Uint8Array {
  return makeSamplePdf('classic', { pages: 2, text: 'Bench', padding: size - frame });
}

const pages = 100;
const linesPerPage = 40;
const linksPerPage = 4;

/** Text, links and a font for each page, as a report has them: most of its 900 objects stand in object streams. */
async function makeReport(): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  for (let number = 1; number <= pages; number += 1) {
    const page = document.addPage();
    const font = await document.embedFont(StandardFonts.Helvetica);
    for (let line = 0; line < linesPerPage; line += 1) {
      const text = `Page ${number}, line ${line}: ${((number * 7919 + line * 104729) % 1_000_003).toString(36).repeat(12)}`;
      page.drawText(text, { x: 50, y: 800 - line * 18, size: 10, font });
    }
    for (let link = 0; link < linksPerPage; link += 1) {
      const annotation = document.context.obj({
        Type: 'Annot',
        Subtype: 'Link',
        Rect: [50, 800 - link * 18, 200, 815 - link * 18],
        Border: [0, 0, 0],
        Dest: [document.getPage(0).ref, 'Fit'],
      });
      page.node.addAnnot(document.context.register(annotation));
    }
  }
  return await document.save({ useObjectStreams: true });
}
