import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeSamplePdf } from '@sigillum/testing';
import { TestService } from '../../document-service/test/test-service.ts';

const service = new TestService();
const pdf = Buffer.from(makeSamplePdf());
const script = join(import.meta.dirname, '../bin/sigillum.mjs');
let folder: string;
let key: string;

beforeAll(async () => {
  await service.start();
  key = await service.provision('Sandbox');
});
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = mkdtempSync(join(tmpdir(), 'sigillum-cli-'));
  mkdirSync(join(folder, '.sigillum/run'), { recursive: true });
  writeFileSync(join(folder, '.sigillum/run/ready.json'), JSON.stringify({ url: service.url, api_key: key }));
  mkdirSync(join(folder, 'below/deeper'), { recursive: true });
  writeFileSync(join(folder, 'in.pdf'), pdf);
});

type Result = { code: number; stdout: Buffer; stderr: string };

/** The script as npx starts it, on the Node that the system has. */
function run(args: readonly string[], options: { directory?: string; stdin?: Buffer } = {}): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(
      'node',
      [script, ...args],
      { cwd: join(folder, options.directory ?? '.'), encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code);
        resolve({ code, stdout: Buffer.from(stdout), stderr: stderr.toString() });
      },
    );
    child.stdin?.end(options.stdin ?? Buffer.alloc(0));
  });
}

describe('sigillum seal', () => {
  test('seals with the home found from the current folder upwards, no key on the command line', async () => {
    const result = await run(
      ['seal', '../../in.pdf', '-o', 'out.pdf', '--reason', 'Approved', '--credential', 'p384'],
      {
        directory: 'below/deeper',
      },
    );
    expect([result.code, result.stdout.length]).toEqual([0, 0]);
    expect(result.stderr).toMatch(/^Sealed as seal_[0-9A-Z]{26}: /);
    const sealed = readFileSync(join(folder, 'below/deeper/out.pdf'));
    expect(sealed.subarray(0, pdf.length).equals(pdf)).toBe(true);
    expect(sealed.length).toBeGreaterThan(pdf.length);
    expect(readdirSync(join(folder, 'below/deeper'))).toEqual(['out.pdf']);
  });

  test('reads standard input and writes standard output', async () => {
    const result = await run(['seal', '-', '-o', '-'], { stdin: pdf });
    expect(result.code).toBe(0);
    expect(result.stdout.subarray(0, pdf.length).equals(pdf)).toBe(true);
    expect(result.stdout.toString('latin1').trimEnd()).toMatch(/%%EOF$/);
  });

  test('leaves a file that is there alone, unless told otherwise', async () => {
    writeFileSync(join(folder, 'out.pdf'), 'precious');
    const before = service.signRequests.length;
    const refused = await run(['seal', 'in.pdf', '-o', 'out.pdf']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--force')]);
    expect(readFileSync(join(folder, 'out.pdf'), 'utf8')).toBe('precious');
    expect(service.signRequests).toHaveLength(before);
    expect((await run(['seal', 'in.pdf', '-o', 'out.pdf', '--force'])).code).toBe(0);
    expect(readFileSync(join(folder, 'out.pdf')).subarray(0, pdf.length).equals(pdf)).toBe(true);
  });

  test('says what the service refuses and leaves nothing behind', async () => {
    writeFileSync(join(folder, 'bad.pdf'), 'not a PDF');
    const result = await run(['seal', 'bad.pdf', '-o', 'out.pdf']);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/\(pdf_\w+, req_/);
    expect(readdirSync(folder).sort()).toEqual(['.sigillum', 'bad.pdf', 'below', 'in.pdf']);
  });

  test("uses a key from a file for another URL, and never sends the home's key there", async () => {
    const alone = await run(['seal', 'in.pdf', '-o', 'out.pdf', '--url', service.url]);
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('--key-file')]);
    writeFileSync(join(folder, 'key'), `${key}\n`);
    const named = await run([
      'seal',
      'in.pdf',
      '-o',
      'out.pdf',
      '--url',
      service.url,
      '--key-file',
      'key',
      '--home',
      '/nowhere',
    ]);
    expect(named.code).toBe(0);
  });

  test.each([['there'], ['here', '--local']])(
    'seals %s with level, certification, field and appearance',
    async (_where, ...local) => {
      const look = { page: 1, rectangle: [36, 40, 260, 120], text: 'Sealed on {date}' };
      writeFileSync(join(folder, 'look.json'), JSON.stringify(look));
      const asked = [
        '--level',
        'B-T',
        '--certify',
        '2',
        '--field',
        'Approval',
        '--appearance',
        'look.json',
        '--reason',
        'Så',
      ];
      const before = service.signRequests.length;
      const result = await run(['seal', 'in.pdf', '-o', 'out.pdf', ...asked, ...local]);
      expect([result.code, result.stderr]).toEqual([0, expect.stringMatching(/^Sealed as seal_/)]);
      const sealed = readFileSync(join(folder, 'out.pdf'));
      expect(sealed.subarray(0, pdf.length).equals(pdf)).toBe(true);
      const added = sealed.subarray(pdf.length).toString('latin1');
      for (const part of [
        '/T (Approval)',
        '/TransformMethod /DocMDP',
        '/P 2',
        '/Rect [36 40 260 120]',
        '/ETSI.CAdES.detached',
      ]) {
        expect(added).toContain(part);
      }
      const purposes = service.signRequests.slice(before).map(({ digests }) => JSON.stringify(digests[0]?.context));
      expect(purposes).toEqual([expect.stringContaining(local.length === 0 ? 'document_sha256' : 'purpose_detail')]);
    },
  );

  test('a local seal reads standard input and writes standard output, too', async () => {
    const result = await run(['seal', '-', '-o', '-', '--local'], { stdin: pdf });
    expect(result.code).toBe(0);
    expect(result.stdout.subarray(0, pdf.length).equals(pdf)).toBe(true);
    writeFileSync(join(folder, 'bad.pdf'), 'not a PDF');
    const refused = await run(['seal', 'bad.pdf', '-o', 'out.pdf', '--local']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('(pdf_header_missing)')]);
    expect(readdirSync(folder)).not.toContain('out.pdf');
  });

  test.each([
    [['seal', 'in.pdf', '-o', 'x', '--level', 'b-b'], 'no level b-b'],
    [['seal', 'in.pdf', '-o', 'x', '--certify', '4'], '--certify 1, 2, 3'],
    [['seal', 'in.pdf', '-o', 'x', '--appearance', 'none'], 'can be read'],
    [['seal', 'in.pdf', '-o', 'x', '--appearance', 'in.pdf'], 'JSON of an appearance'],
    [['extend', 'in.pdf'], '--level b-lt or b-lta'],
    [['extend', 'in.pdf', '--level', 'b-t'], '--level b-lt or b-lta'],
    [['extend', '--level', 'b-lt'], 'Name one PDF'],
    [['extend', 'none.pdf', '--level', 'b-lt'], 'no file'],
    [['seal'], 'Name one PDF'],
    [['seal', 'a', 'b', '-o', 'c'], 'Name one PDF'],
    [['seal', 'in.pdf'], '-o OUT.pdf'],
    [['seal', 'none.pdf', '-o', 'x'], 'no file'],
    [['seal', 'below', '-o', 'x'], 'not a file'],
    [['seal', 'in.pdf', '-o', 'none/x'], 'no folder'],
    [['seal', 'in.pdf', '-o', 'x', '--colour', 'red'], '--colour'],
    [['seal', 'in.pdf', '-o', 'x', '--home', 'none'], 'not running'],
    [['sing'], 'no command sing'],
  ])('%p is wrong usage', async (args, why) => {
    const before = service.signRequests.length;
    const result = await run(args);
    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining(why)]);
    expect(service.signRequests).toHaveLength(before);
  });
});

describe('sigillum status and help', () => {
  test('the status names the parts, and its exit code whether it can seal', async () => {
    const result = await run(['status', '--home', '.sigillum']);
    expect(result.stdout.toString()).toMatch(/degraded\n {2}database {5}operational\n {2}signer {7}unavailable/);
    expect(result.code).toBe(1);
    writeFileSync(
      join(folder, '.sigillum/run/ready.json'),
      JSON.stringify({ url: 'http://127.0.0.1:9', api_key: key }),
    );
    const away = await run(['status']);
    expect([away.code, away.stderr]).toEqual([1, 'sigillum: There is no answer from http://127.0.0.1:9.\n']);
  });

  test('an option that stands twice is not chosen from', async () => {
    for (const args of [
      ['seal', 'in.pdf', '-o', 'out.pdf', '--level', 'b-lta', '--level', 'b-t'],
      ['extend', 'in.pdf', '--level', 'b-lta', '--level=b-lt'],
      ['seal', 'in.pdf', '-o', 'out.pdf', '--output', 'other.pdf'],
      ['status', '--home', '.sigillum', '--home', '.'],
    ]) {
      const { code, stderr } = await run(args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/^sigillum: --(level|output|home) is given twice\./)]);
    }
    expect(readdirSync(folder)).not.toContain('out.pdf');
  });

  test('a file that fails, a folder as output and a full disk are told in one line', async () => {
    // Opened, but not a byte of it can be read.
    const failing = await run(['seal', '/proc/self/mem', '-o', 'out.pdf']);
    expect([failing.code, failing.stderr]).toEqual([1, expect.stringMatching(/^sigillum: .*\n$/)]);
    const asFolder = await run(['seal', 'in.pdf', '-o', '', '--force']);
    expect([asFolder.code, asFolder.stderr]).toEqual([2, expect.stringContaining('is a folder')]);
    const full = spawnSync('sh', ['-c', 'node "$0" help > /dev/full', script], { encoding: 'utf8' });
    expect([full.status, full.stderr]).toEqual([2, expect.stringMatching(/^sigillum: .*ENOSPC.*\n$/)]);
  });

  test('help is help, and nothing at all is wrong usage', async () => {
    expect((await run(['help'])).stdout.toString()).toContain('Exit codes: 0 done');
    expect((await run(['seal', '--help'])).code).toBe(0);
    expect((await run([])).code).toBe(2);
  });
});
