import { beforeAll, describe, expect, test } from '@jest/globals';
import { type CheckCode, type SignatureChoice, validateSignatures } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';
import { sealAtLevel, SoftwarePki } from '@sigillum/testing';

// What was strange in a document before it was sealed is no change of it afterwards.

let pki: SoftwarePki;
beforeAll(async () => {
  pki = await SoftwarePki.make('Oddities', new Date(), 3650);
});

type Bodies = Readonly<Record<string, string>>;
const page = '/Type /Page /MediaBox [0 0 200 200]';
const plain: Bodies = {
  1: '<< /Type /Catalog /Pages 2 0 R >>',
  2: '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
  3: `<< ${page} /Parent 2 0 R >>`,
};

/** A classic file. */
function write(bodies: Bodies, trailer = ''): Buffer {
  return appendTo(Buffer.from('%PDF-1.7\n'), bodies, `/Root 1 0 R ${trailer}`);
}

/** A section of a classic file; `early`: offsets point at the end of line before what they mean. */
function appendTo(file: Buffer, bodies: Bodies, trailer: string, early = 0): Buffer {
  let text = '';
  let table = 'xref\n0 1\n0000000000 65535 f \n';
  for (const [number, body] of Object.entries(bodies)) {
    text += '\n'.repeat(early);
    table += `${number} 1\n${String(file.length + text.length - early).padStart(10, '0')} 00000 n \n`;
    text += `${number} 0 obj\n${body}\nendobj\n`;
  }
  text += '\n'.repeat(early);
  const start = file.length + text.length - early;
  const end = `${table}trailer\n<< /Size 30 ${trailer} >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.concat([file, Buffer.from(text + end, 'latin1')]);
}

function startOf(file: Buffer): number {
  return Number(/startxref\n(\d+)\n%%EOF\n$/.exec(file.toString('latin1'))?.[1]);
}

async function seal(input: Uint8Array): Promise<Buffer> {
  const { bytes } = await sealAtLevel(new Uint8Array(input), pki, { level: 'b-lta' });
  return Buffer.from(bytes);
}

/** Codes of what refuses the file; `only`: as a verdict about that signature. */
function judge(file: Uint8Array, only: SignatureChoice = 'all'): readonly CheckCode[] {
  const source = createArraySource(new Uint8Array(file));
  const report = validateSignatures(source, { roots: [pki.root.certificate], now: new Date(), only });
  if (report.accepted) return [];
  const chosen = only === 'last' ? report.signatures.slice(-2) : report.signatures;
  const found = [...report.findings, ...chosen.flatMap(({ findings }) => findings)];
  return found.filter(({ severity }) => severity !== 'note').map(({ code }) => code);
}

describe('an archived seal is accepted over', () => {
  test.each([
    ['a page that stands twice', write({ ...plain, 2: '<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>' })],
    [
      'a branch without pages that stands twice',
      write({
        ...plain,
        2: '<< /Type /Pages /Kids [3 0 R 4 0 R 4 0 R] /Count 1 >>',
        4: '<< /Type /Pages /Parent 2 0 R /Kids [] /Count 0 >>',
      }),
    ],
    ['an object that breaks the syntax', write({ ...plain, 4: '<< /A 1..2e << >>' }, '/Info 4 0 R')],
    [
      'a length that breaks the syntax',
      write({ ...plain, 4: '<< /Length 5 0 R >>\nstream\n\nendstream', 5: '1x' }, '/X 4 0 R'),
    ],
    ['information of another generation', write({ ...plain, 4: '<< /Title (a) >>' }, '/Info 4 3 R')],
    [
      'a store with entries of other names',
      write({ ...plain, 1: '<< /Pages 2 0 R /DSS << /VRI << /Odd [] >> /Other (x) >> >>' }),
    ],
    [
      'a field whose signature is none',
      write({ ...plain, 1: '<< /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>', 4: '<< /FT /Sig /T (x) /V [1] >>' }),
    ],
  ])('%s', async (_, input) => {
    expect(judge(await seal(input), 'last')).toEqual([]);
  });
});

test('A page tree that leads back to itself is damaged', async () => {
  const sealed = await seal(write(plain));
  const looped = appendTo(
    sealed,
    { 2: '<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>', 4: '<< /Type /Pages /Kids [2 0 R] >>' },
    `/Root 1 0 R /Prev ${startOf(sealed)}`,
  );
  expect(judge(looped)).toContain('pdf_structure_damaged');
});

test('Only what happened since the chosen signature counts', async () => {
  const first = await seal(write(plain));
  // bytes that no table lists, between two seals
  const hidden = Buffer.concat([first, Buffer.from('3 0 obj\n<< >>\nendobj\n')]);
  const between = await seal(appendTo(hidden, {}, `/Root 1 0 R /Prev ${startOf(first)}`));
  expect(judge(between)).toContain('unsigned_bytes');
  expect(judge(between, 'last')).toEqual([]);
  const after = Buffer.concat([between, Buffer.from('3 0 obj\n<< >>\nendobj\n')]);
  const table = appendTo(after, {}, `/Root 1 0 R /Prev ${startOf(between)}`);
  expect(judge(table, 'last')).toContain('unsigned_bytes');
});

test('A signature that was dropped before the chosen one was made is not missed by it', async () => {
  const first = await seal(write(plain));
  const trailer = `/Root 1 0 R /Prev ${startOf(first)}`;
  const dropped = appendTo(first, { 1: '<< /Type /Catalog /Pages 2 0 R >>' }, trailer);
  expect(judge(dropped)).toContain('pdf_unsigned');
  const again = await seal(dropped);
  expect(judge(again)).toContain('signature_dropped');
  expect(judge(again, 'last')).toEqual([]);
});

test('Offsets that point at the end of the line before are no unlisted bytes', async () => {
  const first = await seal(write(plain));
  const early = appendTo(first, { 20: '<< /Title (a) >>' }, `/Root 1 0 R /Info 20 0 R /Prev ${startOf(first)}`, 1);
  expect(judge(await seal(early))).not.toContain('unsigned_bytes');
  const more = Buffer.concat([first, Buffer.from('9 0 obj\n<< >>\nendobj\n')]);
  expect(judge(await seal(appendTo(more, {}, `/Root 1 0 R /Prev ${startOf(first)}`, 1)))).toContain('unsigned_bytes');
});

test('A number that led nowhere may not get an object', async () => {
  const sealed = await seal(write(plain, '/Info 9 0 R'));
  expect(judge(sealed)).toEqual([]);
  const filled = appendTo(sealed, { 9: '<< /Title (b) >>' }, `/Root 1 0 R /Info 9 0 R /Prev ${startOf(sealed)}`);
  expect(judge(filled)).toContain('changed_after_signing');
});

describe('usage rights of a document', () => {
  const look = (file: Uint8Array) =>
    validateSignatures(createArraySource(new Uint8Array(file)), { roots: [pki.root.certificate], now: new Date() });
  const rights = '<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached';

  test.each([
    ['that no ByteRange leads to', `${rights} /ByteRange [0 10 20 10] /Contents <3000> >>`, 'does not lead to it'],
    ['without a ByteRange', `${rights} /Contents <3000> >>`, 'does not lead to it'],
    ['that are twice themselves', `${rights} /Contents <00> /Contents <01> >>`, 'does not lead to it'],
  ])('%s are told beside a good seal, and refuse nothing', async (_, body, detail) => {
    const input = write({ ...plain, 1: '<< /Type /Catalog /Pages 2 0 R /Perms << /UR3 9 0 R >> >>', 9: body });
    const report = look(await seal(input));
    expect(report.accepted).toBe(true);
    expect(report.findings).toEqual([
      expect.objectContaining({
        code: 'usage_rights_not_intact',
        severity: 'note',
        detail: expect.stringContaining(detail),
      }),
    ]);
  });

  test('that hold are not told, and are when the document was changed under them', async () => {
    const first = await seal(write(plain));
    const signature = /(\d+) 0 obj\n<<[^>]*\/Type \/Sig\b/.exec(first.toString('latin1'))?.[1];
    const catalog = { 1: `<< /Type /Catalog /Pages 2 0 R /Perms << /UR3 ${signature} 0 R >> >>` };
    const moved = appendTo(first, catalog, `/Root 1 0 R /Prev ${startOf(first)}`);
    expect(look(moved).findings.map(({ code }) => code)).not.toContain('usage_rights_not_intact');
    // a letter of the page, in the same place
    const changed = Buffer.from(moved.toString('latin1').replace('0 0 200 200', '0 0 200 201'), 'latin1');
    expect(look(changed).findings).toContainEqual(
      expect.objectContaining({
        code: 'usage_rights_not_intact',
        detail: 'The document was another one when they were signed.',
      }),
    );
  });
});
