import { sealDocument, type SealLevel, type SealOptions, type SealPorts, validateSignatures } from '@sigillum/pades';
import {
  createArraySource,
  IncrementalUpdate,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfName,
  type PdfObject,
  PdfString,
} from '@sigillum/pdf';
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

/** The sample with a document security store. */
function withStore(store: PdfObject): Uint8Array {
  return update((changes, { catalog, catalogRef }) => changes.set(catalogRef, catalog.with({ DSS: store })));
}

function update(change: (changes: IncrementalUpdate, document: PdfDocument) => void): Uint8Array {
  const document = openPdf(createArraySource(sample));
  const changes = new IncrementalUpdate(document, zeros);
  change(changes, document);
  return Buffer.concat([sample, changes.encode().bytes]);
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

/** With all numbers below it taken. */
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
  const field = new PdfDict([
    ['FT', new PdfName('Sig')],
    ['T', new PdfString(Buffer.from('Sig'))],
    ['Type', new PdfName('Annot')],
    ['Subtype', new PdfName('Widget')],
    ['Rect', [0, 0, 0, 0]],
  ]);
  const filled = update((changes, { catalog, catalogRef }) => {
    const ref = changes.allocate();
    changes.set(ref, field);
    changes.set(catalogRef, catalog.with({ AcroForm: new PdfDict([['Fields', [ref]]]) }));
  });
  const encryption = ['--encrypt', '', 'owner', '256', '--annotate=n', '--modify-other=n', '--assemble=n', '--'];
  return rewriteWithQpdf(filled, encryption);
}

describe('a file that can not take what the level asks for', () => {
  test.each([
    ['a number', 5],
    ['an array', []],
    ['one whose certificates are no list', new PdfDict([['Certs', 5]])],
    ['one whose lists are none', new PdfDict([['CRLs', new PdfDict()]])],
    ['one whose answers are no list', new PdfDict([['OCSPs', new PdfString(Uint8Array.of(0))]])],
  ])('is refused before anything is signed: a security store that is %s', async (_, store) => {
    const input = withStore(store);
    expect(await seal(input, 'b-lt')).toEqual(['pdf_type_wrong']);
    expect(await seal(input, 'b-lta')).toEqual(['pdf_type_wrong']);
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
    expect(await seal(withSections(4095), 'b-lt')).toEqual(['pdf_limit_exceeded']);
    // another authority than that of the signature needs one more than it has here
    expect(await seal(withSections(4093), 'b-lta')).toEqual(['pdf_limit_exceeded']);
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
  expect(report.signatures.map(({ intact }) => intact)).toEqual([true, true]);
});
