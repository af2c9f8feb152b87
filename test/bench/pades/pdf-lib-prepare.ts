/**
 * usage: pdf-lib-prepare FILE COUNT OUTPUT [--cantoo]: what users of pdf-lib do before they sign, COUNT times: load, add
 * a field with a placeholder, save, patch /ByteRange, hash. pdf-lib writes the whole file anew, its fork appends.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import * as cantoo from '@cantoo/pdf-lib';
import * as plain from 'pdf-lib';

const [path = '', count = '', output = '', flag] = process.argv.slice(2);
const room = 16 * 1024;
const number = 'x'.repeat(10);
for (let index = 0; index < Number(count); index += 1) {
  const input = readFileSync(path);
  const saved = flag === '--cantoo' ? await appendWithCantoo(input) : await saveWithPdfLib(input);
  const ranges = patchByteRange(saved);
  createHash('sha256').update(ranges[0]).update(ranges[1]).digest();
  writeFileSync(output, saved);
}

async function saveWithPdfLib(input: Uint8Array): Promise<Buffer> {
  const { PDFDocument, PDFName, PDFHexString, PDFString } = plain;
  const document = await PDFDocument.load(input);
  const { context } = document;
  const signature = context.register(
    context.obj({
      Type: 'Sig',
      Filter: 'Adobe.PPKLite',
      SubFilter: 'ETSI.CAdES.detached',
      ByteRange: [0, PDFName.of(number), PDFName.of(number), PDFName.of(number)],
      Contents: PDFHexString.of('0'.repeat(2 * room)),
      M: PDFString.fromDate(new Date(0)),
    }),
  );
  const page = document.getPage(0);
  const field = context.register(
    context.obj({
      Type: 'Annot',
      Subtype: 'Widget',
      FT: 'Sig',
      Rect: [0, 0, 0, 0],
      V: signature,
      T: PDFString.of('Seal'),
      F: 132,
      P: page.ref,
    }),
  );
  page.node.addAnnot(field);
  document.catalog.set(PDFName.of('AcroForm'), context.obj({ SigFlags: 3, Fields: [field] }));
  return Buffer.from(await document.save({ useObjectStreams: false }));
}

async function appendWithCantoo(input: Uint8Array): Promise<Buffer> {
  const { PDFDocument, PDFName, PDFHexString, PDFString } = cantoo;
  const document = await PDFDocument.load(input, { forIncrementalUpdate: true });
  const { context } = document;
  const signature = context.register(
    context.obj({
      Type: 'Sig',
      Filter: 'Adobe.PPKLite',
      SubFilter: 'ETSI.CAdES.detached',
      ByteRange: [0, PDFName.of(number), PDFName.of(number), PDFName.of(number)],
      Contents: PDFHexString.of('0'.repeat(2 * room)),
      M: PDFString.fromDate(new Date(0)),
    }),
  );
  const page = document.getPage(0);
  const field = context.register(
    context.obj({
      Type: 'Annot',
      Subtype: 'Widget',
      FT: 'Sig',
      Rect: [0, 0, 0, 0],
      V: signature,
      T: PDFString.of('Seal'),
      F: 132,
      P: page.ref,
    }),
  );
  page.node.addAnnot(field);
  document.catalog.set(PDFName.of('AcroForm'), context.obj({ SigFlags: 3, Fields: [field] }));
  return Buffer.from(await document.commit({ useObjectStreams: false }));
}

function patchByteRange(file: Buffer): readonly [Buffer, Buffer] {
  const tail = Math.max(0, file.length - 64 * 1024);
  const placeholder = file.indexOf(`/${number}`, tail);
  const start = file.indexOf('<0000', placeholder);
  if (placeholder < 0 || start < 0) throw new Error('the placeholder is not where it is searched');
  const end = start + 2 * room + 2;
  const values = [start, end - start, file.length - end].map((value) => String(value).padEnd(11)).join(' ');
  file.write(values, placeholder, 'latin1');
  return [file.subarray(0, start), file.subarray(end)];
}
