import { sealDocument, type SealLevel, type SealOptions, type SealPorts, validateSignatures } from '@sigillum/pades';
import { createArraySource, IncrementalUpdate, openPdf, PdfDict, PdfName, PdfString } from '@sigillum/pdf';
import {
  createSoftwareInput,
  makeSamplePdf,
  rewriteWithQpdf,
  sealAtLevel,
  SoftwarePki,
  SoftwareRevocation,
} from '@sigillum/testing';
import { beforeAll, describe, expect, test } from '@jest/globals';

type Level = Exclude<SealLevel, 'b-b'>;

const sample = makeSamplePdf('classic');
const zeros = (length: number): Uint8Array => new Uint8Array(length);
let pki: SoftwarePki;

beforeAll(async () => {
  pki = await SoftwarePki.make('Levels', new Date(), 3650);
});

/** What sealing says, and what it asked of key, authority and source before it did. */
async function seal(input: Uint8Array, level: Level, options: Partial<SealOptions> = {}): Promise<readonly unknown[]> {
  const asked: string[] = [];
  const ask = (what: string): Promise<never> => {
    asked.push(what);
    return Promise.reject(new Error(what));
  };
  const ports: SealPorts = {
    sign: () => ask('signed'),
    timeStamps: { request: () => ask('time-stamped') },
    now: () => pki.now,
    random: zeros,
  };
  const said = await sealDocument({
    input: createSoftwareInput(input, 'sha256'),
    credential: { certificate: pki.leaf.certificate, chain: pki.leaf.chain, algorithm: 'ecdsa-p256-sha256' },
    options: { signingTime: pki.now, ...options },
    level,
    revocation: { collect: () => ask('collected') },
    ports,
  }).catch((error: unknown) => error);
  return [said instanceof Error && 'code' in said ? said.code : undefined, ...asked];
}

/** The sample with more in its catalog. */
function withStore(dss: string): Uint8Array {
  const text = Buffer.from(sample).toString('latin1').replace('/Type /Catalog', `/Type /Catalog /DSS ${dss}`);
  return rewriteWithQpdf(Buffer.from(text, 'latin1'), ['--warning-exit-0', '--static-id']);
}

/** As many empty updates as asked for, by hand: each a section. */
function withSections(count: number): Uint8Array {
  let text = Buffer.from(sample).toString('latin1');
  for (let sections = 1; sections < count; sections++) {
    const previous = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(text.slice(-80))?.[1];
    text += `xref\ntrailer<</Size 6/Root 1 0 R/Prev ${previous}>>\nstartxref\n${text.length}\n%%EOF\n`;
  }
  return Buffer.from(text, 'latin1');
}

/** The highest number in use below the limit by so many. */
function withSize(size: number): Uint8Array {
  return Buffer.from(
    Buffer.from(sample)
      .toString('latin1')
      .replace(/\/Size \d+/, `/Size ${size}`),
    'latin1',
  );
}

/** May be filled, but not added to. */
function withFieldOnly(): Uint8Array {
  const document = openPdf(createArraySource(sample));
  const update = new IncrementalUpdate(document, zeros);
  const field = update.allocate();
  update.set(
    field,
    new PdfDict([
      ['FT', new PdfName('Sig')],
      ['T', new PdfString(Buffer.from('Sig'))],
      ['Type', new PdfName('Annot')],
      ['Subtype', new PdfName('Widget')],
      ['Rect', [0, 0, 0, 0]],
    ]),
  );
  update.set(document.catalogRef, document.catalog.with({ AcroForm: new PdfDict([['Fields', [field]]]) }));
  const encryption = ['--encrypt', '', 'owner', '256', '--annotate=n', '--modify-other=n', '--assemble=n', '--'];
  return rewriteWithQpdf(Buffer.concat([sample, update.encode().bytes]), encryption);
}

describe('a file that can not take what the level asks for', () => {
  test.each([
    ['a number', '5', 'pdf_type_wrong'],
    ['an array', '[ ]', 'pdf_type_wrong'],
    ['certificates that are no list', '<< /Certs 5 >>', 'pdf_type_wrong'],
    ['lists that are none', '<< /CRLs << >> >>', 'pdf_type_wrong'],
    ['answers that are no list', '<< /OCSPs (x) >>', 'pdf_type_wrong'],
  ])('is refused before anything is signed: a security store that is %s', async (_, dss, code) => {
    const input = withStore(dss);
    expect(await seal(input, 'b-lt')).toEqual([code]);
    expect(await seal(input, 'b-lta')).toEqual([code]);
    expect(await seal(input, 'b-t')).toEqual([undefined, 'signed']);
  });

  test('is refused before anything is signed: permissions that let nobody add the field of a document time-stamp', async () => {
    const input = withFieldOnly();
    expect(await seal(input, 'b-lta', { fieldName: 'Sig' })).toEqual(['pdf_permission_denied']);
    expect(await seal(input, 'b-lt', { fieldName: 'Sig' })).toEqual([undefined, 'signed']);
  });

  test('is refused before anything is signed: object numbers that end', async () => {
    for (const size of [8_388_600, 8_388_604]) {
      expect(await seal(withSize(size), 'b-lta')).toEqual(['pdf_limit_exceeded']);
      expect(await seal(withSize(size), 'b-lt')).toEqual(['pdf_limit_exceeded']);
      expect(await seal(withSize(size), 'b-t')).toEqual([undefined, 'signed']);
    }
    expect(await seal(withSize(8_388_608), 'b-t')).toEqual(['pdf_limit_exceeded']);
  });

  test('is refused before anything is signed: so many updates that nobody could read the result', async () => {
    expect(await seal(withSections(4096), 'b-t')).toEqual(['pdf_limit_exceeded']);
    expect(await seal(withSections(4095), 'b-t')).toEqual([undefined, 'signed']);
    expect(await seal(withSections(4095), 'b-lt')).toEqual(['pdf_limit_exceeded']);
    expect(await seal(withSections(4094), 'b-lt')).toEqual([undefined, 'signed']);
    // another authority than that of the signature needs one more
    expect(await seal(withSections(4093), 'b-lta')).toEqual(['pdf_limit_exceeded']);
    expect(await seal(withSections(4092), 'b-lta')).toEqual([undefined, 'signed']);
  });
});

test('what is sealed at the edge of what can be read is read', async () => {
  const revocation = new SoftwareRevocation(pki, { now: () => pki.now });
  const { bytes } = await sealAtLevel(withSections(4092), pki, { level: 'b-lta', revocation });
  const report = validateSignatures(createArraySource(bytes), {
    roots: [pki.root.certificate],
    now: pki.now,
    only: 'last',
  });
  expect(report.readable).toBe(true);
  expect(report.signatures.map(({ intact }) => intact)).toEqual([true]);
});
