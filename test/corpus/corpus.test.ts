import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isErrorCode, isSigillumError } from '@sigillum/errors';
import { type PreparedSignature, prepareSignature } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';

type CorpusFile = {
  readonly file: string;
  readonly producer: string;
  readonly features: readonly string[];
  readonly pdfVersion: string;
  readonly pages: number;
  readonly pdfa: string | null;
  readonly signedBefore: boolean;
  readonly certified: number | null;
  readonly qpdfWarnings: boolean;
  readonly sealable: boolean;
  readonly bytes: number;
  readonly sha256: string;
};
type RefusedFile = Pick<CorpusFile, 'file' | 'bytes' | 'sha256'> & { readonly code: string; readonly reason: string };

const corpus = import.meta.dirname;
const index = JSON.parse(readFileSync(join(corpus, 'index.json'), 'utf8')) as {
  readonly files: readonly CorpusFile[];
  readonly refused: readonly RefusedFile[];
};

/** A file that a package of Debian or npm ships. */
type CollectedFile = Pick<CorpusFile, 'file' | 'bytes' | 'sha256'> & {
  readonly from: 'Debian' | 'Debian source' | 'npm';
  readonly package: string;
  readonly version: string;
  readonly licence: string;
  readonly producer: string | null;
};
const collected = JSON.parse(readFileSync(join(corpus, 'collected/index.json'), 'utf8')) as {
  readonly files: readonly CollectedFile[];
};

/** What the sealing engine has to meet at least once; the numbers are how often. */
const wanted = new Map([
  ['xref-classic', 20],
  ['xref-stream', 10],
  ['object-streams', 10],
  ['linearized', 3],
  ['hybrid', 2],
  ['updated-several-times', 3],
  ['form', 5],
  ['form-filled-field', 3],
  ['form-empty-field', 2],
  ['signature-field-empty', 3],
  ['attachments', 4],
  ['tagged', 4],
  ['pdfa-1b', 2],
  ['pdfa-2b', 3],
  ['pdfa-3b', 3],
  ['rotated-90', 1],
  ['rotated-180', 1],
  ['rotated-270', 1],
  ['one-page', 10],
  ['300-pages', 1],
  ['images', 3],
  ['fonts-subset', 10],
  ['annotations', 2],
  ['links', 3],
  ['outlines', 3],
  ['layers', 2],
  ['signed', 5],
  ['document-timestamp', 1],
  ['dss', 1],
  ['field-lock', 1],
  ['certified-p2', 2],
  ['certified-p3', 1],
  ['user-unit', 1],
  ['crop-box', 1],
  ['inherited-page-attributes', 1],
  ['eol-cr', 1],
  ['eol-crlf', 1],
  ['encrypted', 1],
]);

function read({ file }: Pick<CorpusFile, 'file'>): Uint8Array {
  return readFileSync(join(corpus, file));
}

function prepare(bytes: Uint8Array): PreparedSignature {
  const prefixHash = {
    algorithm: 'sha256' as const,
    finish(parts: readonly Uint8Array[]): Uint8Array {
      const hash = createHash('sha256').update(bytes);
      for (const part of parts) hash.update(part);
      return hash.digest();
    },
  };
  const options = { contentsSize: 4096, signingTime: new Date('2026-01-01T00:00:00Z') };
  return prepareSignature(
    { source: createArraySource(bytes), prefixHash },
    options,
    (length) => new Uint8Array(length),
  );
}

function findCode(action: () => unknown): string {
  try {
    action();
    return 'accepted';
  } catch (error) {
    if (isSigillumError(error)) return error.code;
    throw error;
  }
}

describe('the index of the corpus', () => {
  test('lists exactly the files that are there, with their sizes and hashes', () => {
    const listed = [...index.files, ...index.refused, ...collected.files];
    const found = globSync(['files/*/*.pdf', 'refused/*.pdf', 'collected/*/*.pdf'], { cwd: corpus });
    expect(listed.map(({ file }) => file).sort()).toEqual(found.sort());
    for (const entry of listed) {
      const bytes = read(entry);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect({ file: entry.file, bytes: bytes.length, sha256 }).toEqual({
        file: entry.file,
        bytes: entry.bytes,
        sha256: entry.sha256,
      });
    }
    expect(new Set(listed.map(({ sha256 }) => sha256)).size).toBe(listed.length);
  });

  test('has at least 66 files of at least eight producers in less than 6 MB', () => {
    expect(index.files.length).toBeGreaterThanOrEqual(66);
    expect(new Set(index.files.map(({ producer }) => producer)).size).toBeGreaterThanOrEqual(8);
    expect(index.files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(6_000_000);
  });

  test('has, with what packages of Debian and npm ship, 300 files of many producers', () => {
    expect(index.files.length + collected.files.length).toBeGreaterThanOrEqual(300);
    const producers = new Set(collected.files.map(({ producer }) => producer));
    expect(producers.size).toBeGreaterThanOrEqual(30);
    expect(new Set(collected.files.map(({ from }) => from))).toEqual(new Set(['Debian', 'Debian source', 'npm']));
    expect(collected.files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(6_000_000);
  });

  test('says of each collected file from which package it is, and its licence', () => {
    const sources = readFileSync(join(corpus, 'collected/SOURCES.md'), 'utf8');
    for (const { file, package: name, version, licence } of collected.files) {
      expect(sources).toContain(`| ${file.replace(/^collected\//, '')} |`);
      expect(sources).toContain(`| ${name} ${version} | ${licence} |`);
    }
  });

  test.each([...wanted])('covers %s at least %d times', (feature, times) => {
    expect(index.files.filter(({ features }) => features.includes(feature)).length).toBeGreaterThanOrEqual(times);
  });

  test('covers PDF 1.0 to 2.0', () => {
    const versions = new Set(index.files.map(({ pdfVersion }) => pdfVersion));
    expect([...versions].sort()).toEqual(expect.arrayContaining(['1.0', '1.3', '1.4', '1.5', '1.6', '1.7', '2.0']));
  });

  test('is described file by file in SOURCES.md', () => {
    const sources = readFileSync(join(corpus, 'SOURCES.md'), 'utf8');
    for (const { file } of index.files) expect(sources).toContain(`| ${file.replace(/^files\//, '')} |`);
    for (const { file, code } of index.refused) expect(sources).toContain(`| ${file} | \`${code}\` |`);
  });

  test('names only error codes that exist', () => {
    expect(index.refused.map(({ code }) => code).filter((code) => !isErrorCode(code))).toEqual([]);
  });
});

describe('the engine', () => {
  test.each([...index.files, ...collected.files].map(({ file }) => [file]))('prepares a seal for %s', (file) => {
    const bytes = read({ file });
    const prepared = prepare(bytes);
    const [start, firstLength, secondStart, secondLength] = prepared.byteRange;
    expect([start, prepared.contentsOffset]).toEqual([0, firstLength]);
    expect(firstLength).toBeGreaterThan(bytes.length);
    expect(secondStart + secondLength).toBe(bytes.length + prepared.increment.length);
  });

  test.each(index.refused.map(({ file, code }) => [file, code]))('refuses %s with %s', (file, code) => {
    expect(findCode(() => prepare(read({ file })))).toBe(code);
  });
});

// Where qpdf is not installed the check is named as skipped; CI has it, and there its absence is a failure.
const qpdfVersion = spawnSync('qpdf', ['--version'], { encoding: 'utf8' }).stdout ?? '';

describe('qpdf', () => {
  (qpdfVersion !== '' || process.env['CI'] === 'true' ? test : test.skip)(
    'finds no error in any file, and warns only about those whose index says so',
    () => {
      const status = ({ file }: CorpusFile) => spawnSync('qpdf', ['--check', join(corpus, file)]).status;
      const found = index.files.map((entry) => ({ ...entry, status: status(entry) }));
      expect(found.filter((entry) => entry.status !== 0 && entry.status !== 3)).toEqual([]);
      // What it warns about differs between its releases; the index was made with 11.
      if (!qpdfVersion.includes('qpdf version 11.')) return;
      expect(found.filter((entry) => (entry.status === 3) !== entry.qpdfWarnings)).toEqual([]);
    },
    120_000,
  );
});
