import { createHash } from 'node:crypto';
import { createArraySource, openPdf, PdfDict, PdfName, PdfNewStream, type PdfObject, PdfRef } from '@sigillum/pdf';
import { describe, expect, test } from '@jest/globals';
import { assertNothingRevived } from './assert-nothing-revived.ts';
import { prepareSignature } from './prepare-signature.ts';
import type { SealOptions } from './seal-options.ts';

type Bodies = Readonly<Record<number, string>>;

function makePdf(bodies: Bodies): Uint8Array {
  let text = '%PDF-1.7\n';
  let table = 'xref\n0 1\n0000000000 65535 f \n';
  for (const [number, body] of Object.entries(bodies)) {
    table += `${number} 1\n${String(text.length).padStart(10, '0')} 00000 n \n`;
    text += `${number} 0 obj\n${body}\nendobj\n`;
  }
  const size = Math.max(...Object.keys(bodies).map(Number)) + 1;
  const end = `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return new Uint8Array(Buffer.from(text + table + end, 'latin1'));
}

function seal(bytes: Uint8Array, options: Partial<SealOptions> = {}): Uint8Array {
  const prefixHash = {
    algorithm: 'sha256' as const,
    finish: (parts: readonly Uint8Array[]) =>
      createHash('sha256')
        .update(Buffer.concat([bytes, ...parts]))
        .digest(),
  };
  const { increment } = prepareSignature(
    { source: createArraySource(bytes), prefixHash },
    { signingTime: new Date('2026-01-01T00:00:00Z'), contentsSize: 4096, ...options },
    (length) => new Uint8Array(length),
  );
  return Buffer.concat([bytes, increment]);
}

const page = (more: string) => `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] ${more} >>`;
const simple: Bodies = {
  1: '<< /Type /Catalog /Pages 2 0 R >>',
  2: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
};

describe('what a page refers to and is not there', () => {
  const input = makePdf({
    ...simple,
    3: page('/Resources << /XObject << /A 4 0 R /B 5 0 R /C 6 0 R /D 7 1 R /E 8388607 0 R >> >>'),
  });

  test('is null from now on: nothing of the seal gets its number', () => {
    const appearance: SealOptions['appearance'] = () => ({
      page: new PdfRef(3),
      rectangle: [10, 10, 50, 50],
      addForm: (update) => {
        const ref = update.allocate();
        const entries: [string, PdfObject][] = [
          ['Subtype', new PdfName('Form')],
          ['BBox', [0, 0, 40, 40]],
        ];
        update.set(ref, new PdfNewStream(new PdfDict(entries), new Uint8Array()));
        return ref;
      },
    });
    const document = openPdf(createArraySource(seal(input, { appearance })));
    for (const number of [4, 5, 6]) {
      expect(document.findEntry(number)).toMatchObject({ type: 'plain', generation: 0 });
      expect(document.get(new PdfRef(number))).toBe(null);
    }
    // a later generation of what never was
    expect(document.findEntry(7)).toBeUndefined();
    // so high that nothing could come behind it
    expect(document.findEntry(8_388_607)).toBeUndefined();
    expect(document.nextObjectNumber).toBeGreaterThan(8);
  });

  test('stays away in a document that somebody signed before', () => {
    const signed = makePdf({
      1: '<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [8 0 R] /SigFlags 3 >> >>',
      2: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      3: page('/Resources << /XObject << /A 40 0 R >> >>'),
      8: '<< /FT /Sig /T (Signature1) /V 9 0 R >>',
      9: '<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 1 2 1] /Contents <00> >>',
    });
    expect(openPdf(createArraySource(seal(signed))).findEntry(40)).toBeUndefined();
  });
});

test('Number 0, the head of the free ones, gets no object where something refers to it', () => {
  const sealed = seal(makePdf({ ...simple, 3: page('/Metadata 0 0 R /Thumb 40 0 R') }));
  const document = openPdf(createArraySource(sealed));
  expect(document.findEntry(0)).toMatchObject({ type: 'free' });
  expect(document.findEntry(40)).toMatchObject({ type: 'plain' });
  expect(Buffer.from(sealed).toString('latin1')).not.toMatch(/\b0 0 obj/);
});

test('Definitions are searched for without reading the file again for each object', () => {
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [index + 10, '<< >>']));
  const bytes = makePdf({ ...simple, 3: page('/Thumb 5000 0 R'), ...many });
  const whole = createArraySource(bytes);
  let read = 0;
  const source = {
    size: whole.size,
    read: (offset: number, length: number) => {
      read += length;
      return whole.read(offset, length);
    },
  };
  assertNothingRevived(openPdf(source));
  expect(read).toBeLessThan(10 * bytes.length);
});

describe('a branch of the page tree', () => {
  test('that is empty may be listed as often as an editor left it there', () => {
    const empty = makePdf({
      1: '<< /Type /Catalog /Pages 2 0 R >>',
      2: '<< /Type /Pages /Kids [3 0 R 4 0 R 4 0 R] /Count 1 >>',
      3: page(''),
      4: '<< /Type /Pages /Parent 2 0 R /Kids [] /Count 0 >>',
    });
    expect(seal(empty).length).toBeGreaterThan(empty.length);
  });

  test('that has pages may be listed once', () => {
    const twice = makePdf({
      1: '<< /Type /Catalog /Pages 2 0 R >>',
      2: '<< /Type /Pages /Kids [4 0 R 4 0 R] /Count 2 >>',
      3: page(''),
      4: '<< /Type /Pages /Parent 2 0 R /Kids [3 0 R] /Count 1 >>',
    });
    expect(() => seal(twice)).toThrow(expect.objectContaining({ code: 'pades_page_damaged' }));
  });
});
