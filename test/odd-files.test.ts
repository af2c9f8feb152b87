import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSigillumError } from '@sigillum/errors';
import { validateSignatures } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';
import { listMissingEngines, makeOddFiles, oddRefusals, sealAtLevel, SoftwarePki } from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/** What came of one file: a code, or `sealed`. */
type Outcome = {
  readonly name: string;
  readonly input: Uint8Array;
  readonly result: string;
  readonly sealed?: Uint8Array;
};

const missing = listMissingEngines().join(', ');
const withEngines = missing === '' || process.env['CI'] === 'true' ? describe : describe.skip;
const folder = mkdtempSync(join(tmpdir(), 'sigillum-odd-files-'));
/** Programs at a time: as many as a small machine has processors. */
const atATime = 2;
const outcomes: Outcome[] = [];
let pki: SoftwarePki;

beforeAll(async () => {
  pki = await SoftwarePki.make();
  for (const { name, bytes } of makeOddFiles()) outcomes.push(await sealOne(name, bytes));
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function sealOne(name: string, input: Uint8Array): Promise<Outcome> {
  try {
    const { bytes: sealed } = await sealAtLevel(input, pki, { level: 'b-lt' });
    return { name, input, result: 'sealed', sealed };
  } catch (error) {
    if (isSigillumError(error)) return { name, input, result: error.code };
    throw error;
  }
}

const listSealed = () => outcomes.flatMap(({ sealed, ...one }) => (sealed === undefined ? [] : [{ ...one, sealed }]));

describe('a file that is written oddly', () => {
  test('is one of at least 380, each with a name of its own', () => {
    expect(new Set(outcomes.map(({ name }) => name)).size).toBe(outcomes.length);
    expect(outcomes.length).toBeGreaterThanOrEqual(380);
  });

  test('is sealed, but for those of a list that readers do not read alike', () => {
    const expected = new Map(Object.entries(oddRefusals).flatMap(([code, names]) => names.map((name) => [name, code])));
    const found = outcomes.map(({ name, result }) => [name, result]);
    expect(found).toEqual(outcomes.map(({ name }) => [name, expected.get(name) ?? 'sealed']));
  });

  test('that is sealed is accepted by the verifier, with nothing in it changed', () => {
    const options = { roots: [pki.root.certificate], now: new Date(), only: 'last' as const };
    const broken = listSealed().filter(({ input, sealed }) => {
      const last = validateSignatures(createArraySource(sealed), options).signatures.at(-1);
      const prefix = Buffer.from(sealed.buffer, sealed.byteOffset, input.length);
      return last?.accepted !== true || !prefix.equals(input);
    });
    expect(broken.map(({ name }) => name)).toEqual([]);
  });
});

withEngines(`mupdf${missing === '' ? '' : ` (skipped without ${missing})`}`, () => {
  test('shows after the seal what it showed before', async () => {
    const jobs = listSealed();
    const changed: string[] = [];
    const work = async (worker: number) => {
      for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) {
        const [was, is] = [await draw(job.input, worker), await draw(job.sealed, worker)];
        if (was !== undefined && was !== is) changed.push(job.name);
      }
    };
    await Promise.all(Array.from({ length: atATime }, (_, worker) => work(worker)));
    expect(changed).toEqual([]);
  }, 240_000);
});

/** The pages as mupdf draws them, small; undefined when it shows none. */
async function draw(bytes: Uint8Array, worker: number): Promise<string | undefined> {
  const path = join(folder, `${worker}.pdf`);
  writeFileSync(path, bytes);
  const args = ['draw', '-q', '-r', '24', '-c', 'gray', '-F', 'pgm', '-o', '-', path];
  const picture = await new Promise<Buffer>((resolve) => {
    execFile('mutool', args, { encoding: 'buffer', timeout: 30_000 }, (_, output) => resolve(output));
  });
  return picture.length === 0 ? undefined : picture.toString('latin1');
}
