import { isSigillumError } from '@sigillum/errors';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { exercise } from '../fuzz/exercise.ts';
import { fuzz, readCorpus } from '../fuzz/fuzz.ts';
import { parseEncryption } from './encryption/parse-encryption.ts';
import { getFileKey } from './encryption/get-file-key.ts';
import { SecurityHandler } from './encryption/security-handler.ts';
import { decodeStream } from './filters/decode-stream.ts';
import { limits } from './limits.ts';
import { PdfDict, PdfName, type PdfObject, PdfRef, PdfString } from './objects/pdf-object.ts';

/** Of one test process; `npm run fuzz:pdf -- --minutes N` goes on for hours, guided by coverage. */
const budgetMs = 60_000;
/** Changed when the corpus or the mutations change, so that a new run sees new inputs. */
const seed = 20_261_122;

/** An answer, or a typed refusal of this package; anything else is thrown. */
function isAnswered(run: () => unknown): boolean {
  try {
    run();
  } catch (error) {
    if (!isSigillumError(error) || !error.code.startsWith('pdf_')) throw error;
  }
  return true;
}

describe('any input', () => {
  test.each(readCorpus().map(({ name, bytes }) => [name, bytes] as const))(
    'of the corpus, %s, is read or refused',
    (_, bytes) => {
      expect(exercise(bytes)).toMatch(/^(read|pdf_[a-z_]+)$/);
    },
  );

  test(
    'made from the corpus by changing bytes, tokens, objects and tables is read or refused',
    () => {
      const failures: string[] = [];
      const { runs, codes } = fuzz({
        seed,
        budgetMs,
        onFailure: (input, error) => {
          if (failures.length >= 5) return;
          failures.push(`${String(error)} for ${Buffer.from(input).toString('base64')}`);
        },
      });
      console.log(`seed ${seed}: ${runs} inputs, ${codes.get('read') ?? 0} of them read`);
      expect(failures).toEqual([]);
      // that the mutations still make files that can be opened, and every kind of refusal
      expect(codes.get('read') ?? 0).toBeGreaterThan(0);
      expect(codes.size).toBeGreaterThan(8);
    },
    4 * budgetMs,
  );
});

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.string({ maxLength: 400 }).map((text) => new Uint8Array(Buffer.from(text, 'latin1'))),
);
const filterNames = [
  'FlateDecode',
  'LZWDecode',
  'ASCII85Decode',
  'ASCIIHexDecode',
  'RunLengthDecode',
  'Crypt',
  'Fl',
  'LZW',
  'A85',
  'AHx',
  'RL',
];
const filter = fc.constantFrom(...filterNames).map((name) => new PdfName(name));
const smallNumber = fc.oneof(fc.integer({ min: -2, max: 20 }), fc.constantFrom(2 ** 31, 2 ** 53 - 1));
const parameters = fc
  .record(
    {
      Predictor: smallNumber,
      Colors: smallNumber,
      BitsPerComponent: smallNumber,
      Columns: smallNumber,
      EarlyChange: smallNumber,
    },
    { requiredKeys: [] },
  )
  .map((record) => new PdfDict(Object.entries(record)));

test('any chain of filters over any bytes gives bounded bytes or a refusal', () => {
  const chains = fc.array(fc.tuple(filter, parameters), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(anyBytes, chains, (bytes, chain) => {
      const dict = new PdfDict([
        ['Filter', chain.map(([name]) => name)],
        ['DecodeParms', chain.map(([, parameter]) => parameter)],
      ]);
      return isAnswered(() => {
        expect(decodeStream(dict, bytes, (value) => value).length).toBeLessThanOrEqual(limits.decodedLength);
      });
    }),
    { numRuns: 3000, seed },
  );
});

test('any encryption dictionary is opened or refused', () => {
  const value = fc.oneof<fc.Arbitrary<PdfObject>[]>(
    smallNumber,
    fc.boolean(),
    fc.constantFrom('Standard', 'Identity', 'StdCF', 'AESV2', 'AESV3', 'V2', 'None').map((name) => new PdfName(name)),
    fc.uint8Array({ minLength: 16, maxLength: 48 }).map((bytes) => new PdfString(bytes)),
  );
  const dict = fc.dictionary(
    fc.constantFrom('CF', 'CFM', 'O', 'U', 'OE', 'UE', 'P', 'Perms', 'StmF', 'StrF', 'EFF', 'Length'),
    value,
  );
  const good = {
    Filter: new PdfName('Standard'),
    O: new PdfString(new Uint8Array(48)),
    U: new PdfString(new Uint8Array(48)),
    P: -4,
  };
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: 1, max: 7 }),
      dict,
      anyBytes,
      (version, revision, entries, bytes) => {
        const all = new PdfDict(Object.entries({ ...good, V: version, R: revision, ...entries }));
        return isAnswered(() => {
          const encryption = parseEncryption(all, (from, key) => from.find(key));
          const key = getFileKey(encryption, bytes);
          new SecurityHandler(encryption, key, undefined).decryptObject(new PdfString(bytes), new PdfRef(1));
        });
      },
    ),
    { numRuns: 3000, seed },
  );
});
