import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeSamplePdf } from '@sigillum/testing';
import { ValidationKit } from '../../pades/test/validation-kit.ts';

const script = join(import.meta.dirname, '../bin/sigillum.mjs');
let kit: ValidationKit;
let folder: string;

beforeAll(() => {
  kit = new ValidationKit();
  folder = mkdtempSync(join(tmpdir(), 'sigillum-verify-'));
  const signed = kit.sign(makeSamplePdf());
  writeFileSync(join(folder, 'good.pdf'), signed);
  writeFileSync(join(folder, 'bad.pdf'), Buffer.concat([signed, Buffer.from('junk')]));
  writeFileSync(join(folder, 'adbe.pdf'), kit.sign(makeSamplePdf(), { cms: { token: null }, dict: { M: undefined } }));
  writeFileSync(join(folder, 'unsigned.pdf'), makeSamplePdf());
  writeFileSync(join(folder, 'text.pdf'), 'not a PDF');
  mkdirSync(join(folder, 'here/.sigillum/run'), { recursive: true });
  const ready = JSON.stringify({ root_certificate: kit.root.certificateFile });
  writeFileSync(join(folder, 'here/.sigillum/run/ready.json'), ready);
});
afterAll(() => {
  kit.remove();
  rmSync(folder, { recursive: true, force: true });
});

function run(args: readonly string[], directory = '.'): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile('node', [script, 'verify', ...args], { cwd: join(folder, directory) }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('sigillum verify', () => {
  test('accepts a good file, with the root given or that of the running home', async () => {
    const root = ['--root', kit.root.certificateFile];
    const given = await run(['good.pdf', ...root]);
    expect([given.code, given.stdout]).toEqual([0, expect.stringContaining('TOTAL-PASSED')]);
    expect(given.stdout).toMatch(/Not checked: revocation \(the file holds no data about it\), trust lists/);
    expect((await run(['../good.pdf'], 'here')).code).toBe(0);
    expect((await run(['good.pdf', '--home', 'here/.sigillum'])).code).toBe(0);
    expect((await run(['good.pdf', '--root', kit.otherRoot.certificateFile])).code).toBe(1);
  });

  test('says the whole report as JSON', async () => {
    const { code, stdout } = await run(['bad.pdf', '--json', '--root', kit.root.certificateFile]);
    const report: unknown = JSON.parse(stdout);
    expect([code, report]).toEqual([
      1,
      expect.objectContaining({
        accepted: false,
        readable: true,
        not_checked: ['revocation', 'trust_lists'],
        findings: expect.arrayContaining([
          expect.objectContaining({ code: 'pdf_bytes_after_end', severity: 'failure' }),
        ]),
        signatures: [expect.objectContaining({ intact: true, covers_whole_file: false, changed_since: 'none' })],
      }),
    ]);
  });

  test('calls what is not baseline so, and accepts it when asked to', async () => {
    const root = ['--root', kit.root.certificateFile];
    const refused = await run(['adbe.pdf', ...root]);
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('intact, but not PAdES baseline')]);
    expect((await run(['adbe.pdf', ...root, '--profile', 'any-intact'])).code).toBe(0);
  });

  test.each([
    [['unsigned.pdf'], 1, 'The PDF is not signed.'],
    [['text.pdf'], 2, 'Not a readable PDF'],
    [['none.pdf'], 2, 'There is no file'],
    [['here'], 2, 'is not a file'],
    [[], 2, 'Name one PDF'],
    [['good.pdf', '--profile', 'lax'], 2, 'There is no profile lax'],
    [['good.pdf', '--root', 'text.pdf'], 2, 'holds no certificate'],
    [['good.pdf', '--colour'], 2, '--colour'],
  ])('%p ends with %i', async (args, code, why) => {
    const root = args.includes('--root') ? [] : ['--root', kit.root.certificateFile];
    const result = await run([...args, ...root]);
    expect([result.code, result.stdout + result.stderr]).toEqual([code, expect.stringContaining(why)]);
  });

  test('asks for a root where none is known', async () => {
    const result = await run(['good.pdf']);
    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining('--root')]);
  });
});
