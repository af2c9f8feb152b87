import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';

/** The kinds of cross-reference data that a PDF can have. */
export type SampleKind = 'classic' | 'xref-stream' | 'object-streams' | 'linearized' | 'hybrid';

/**
 * A small PDF with text on its pages, in the given kind. Classic and hybrid files are written by hand here,
 * the others by qpdf from the classic one.
 */
export function makeSamplePdf(
  kind: SampleKind = 'classic',
  options: { pages?: number; text?: string; padding?: number } = {},
): Uint8Array {
  const classic = makeClassicPdf(options.pages ?? 1, options.text ?? 'Sealed by Sigillum', options.padding ?? 0);
  switch (kind) {
    case 'classic':
      return classic;
    case 'xref-stream':
      return rewriteWithQpdf(classic, ['--object-streams=generate', '--stream-data=uncompress']);
    case 'object-streams':
      return rewriteWithQpdf(classic, ['--object-streams=generate']);
    case 'linearized':
      return rewriteWithQpdf(classic, ['--linearize', '--object-streams=disable']);
    case 'hybrid':
      return makeHybridPdf();
  }
}

/** What qpdf makes of a file with the given options. */
export function rewriteWithQpdf(pdf: Uint8Array, options: readonly string[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'sigillum-qpdf-'));
  try {
    writeFileSync(join(folder, 'in.pdf'), pdf);
    execFileSync('qpdf', [...options, join(folder, 'in.pdf'), join(folder, 'out.pdf')]);
    return new Uint8Array(readFileSync(join(folder, 'out.pdf')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeClassicPdf(pages: number, text: string, padding: number): Uint8Array {
  const kids = Array.from({ length: pages }, (_, index) => `${4 + index * 2} 0 R`);
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages} /Kids [${kids.join(' ')}] /MediaBox [0 0 595 842] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  for (let page = 0; page < pages; page += 1) {
    const content = `BT /F1 24 Tf 72 720 Td (${text}) Tj 0 -40 Td (Page ${page + 1} of ${pages}) Tj ET`;
    objects.push(
      `<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + page * 2} 0 R >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    );
  }
  // A stream that nothing shows: makes the file as large as a test wants it.
  if (padding > 0)
    objects.push(
      `<< /Length ${padding} >>\nstream\n${'0123456789abcde\n'.repeat(Math.ceil(padding / 16)).slice(0, padding)}\nendstream`,
    );
  const file = new FileBuilder();
  objects.forEach((body, index) => file.object(index + 1, body));
  const start = file.length;
  file.text(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`);
  for (let number = 1; number <= objects.length; number += 1)
    file.text(`${String(file.offsetOf(number)).padStart(10, '0')} 00000 n \n`);
  file.text(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`);
  return file.bytes();
}

/** ISO 32000-1 §7.5.8.4: the structure tree stands in an object stream that only /XRefStm shows, as word processors write it. */
function makeHybridPdf(): Uint8Array {
  const file = new FileBuilder();
  const content = 'BT /F1 24 Tf 72 720 Td (Hybrid cross-reference) Tj ET';
  file.object(1, '<< /Type /Catalog /Pages 2 0 R /StructTreeRoot 6 0 R >>');
  file.object(2, '<< /Type /Pages /Count 1 /Kids [3 0 R] >>');
  file.object(
    3,
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 8 0 R >> >> /Contents 4 0 R >>',
  );
  file.object(4, `<< /Length ${content.length} >>\nstream\n${content}\nendstream`);
  const hidden = '<< /Type /StructTreeRoot >>';
  const packed = deflateSync(Buffer.from(`6 0 ${hidden}`));
  file.object(
    5,
    `<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length ${packed.length} >>\nstream\n`,
    packed,
    '\nendstream',
  );
  file.object(8, '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>');
  const streamStart = file.length;
  const entries = Buffer.from([2, 0, 5, 0]);
  file.object(
    7,
    '<< /Type /XRef /Size 9 /Index [6 1] /W [1 2 1] /Root 1 0 R /Length 4 >>\nstream\n',
    entries,
    '\nendstream',
  );
  const start = file.length;
  file.text('xref\n0 9\n0000000000 65535 f \n');
  for (const number of [1, 2, 3, 4, 5]) file.text(`${String(file.offsetOf(number)).padStart(10, '0')} 00000 n \n`);
  file.text('0000000000 65535 f \n');
  for (const number of [7, 8]) file.text(`${String(file.offsetOf(number)).padStart(10, '0')} 00000 n \n`);
  file.text(`trailer\n<< /Size 9 /Root 1 0 R /XRefStm ${streamStart} >>\nstartxref\n${start}\n%%EOF\n`);
  return file.bytes();
}

class FileBuilder {
  length = 0;
  readonly #parts: Uint8Array[] = [];
  readonly #offsets = new Map<number, number>();

  constructor() {
    this.text('%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n');
  }

  text(text: string): void {
    this.#push(Buffer.from(text, 'latin1'));
  }

  object(number: number, ...body: readonly (string | Uint8Array)[]): void {
    this.#offsets.set(number, this.length);
    this.text(`${number} 0 obj\n`);
    for (const part of body) {
      if (typeof part === 'string') this.text(part);
      else this.#push(part);
    }
    this.text('\nendobj\n');
  }

  offsetOf(number: number): number {
    return this.#offsets.get(number) ?? 0;
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.length += part.length;
  }
}
