import { createHash, createPublicKey, randomBytes, sign } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AuditLog, type ChainHead, encodeChainLine, nextHash, startOfChain } from '@sigillum/audit';
import { encodeMessageImprint } from '@sigillum/pki';
import { OpensslPki, opensslExtensions } from '@sigillum/testing';
import { TokenWriter } from '../../tsa/src/token/token-writer.ts';
import { openTimeStampUnit } from '../../tsa/src/unit/time-stamp-unit.ts';
import { runCli } from './run-cli.ts';

const pki = new OpensslPki();
let writer: TokenWriter;
let key: ReturnType<OpensslPki['issue']>['privateKey'];
let folder: string;
let head: ChainHead;

beforeAll(() => {
  const ca = pki.issue('ca', { extensions: opensslExtensions.root });
  const tsu = pki.issue('tsu', { issuer: ca, extensions: opensslExtensions.tsu });
  key = tsu.privateKey;
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');
  const unit = openTimeStampUnit({
    name: 'tsu',
    manifest: { key_id: '0'.repeat(32), algorithm: 'ecdsa-p256-sha256', purpose: 'timestamp', spki },
    certificate: tsu.certificate,
    chain: [ca.certificate],
    development: true,
    qualified: false,
    marginMs: 1000,
  });
  writer = new TokenWriter(unit, '2.25.99');
});
afterAll(() => pki.remove());

/** A log of one TSA with four tokens, and those tokens: a response, two bare ones, and one with a small serial number. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sigillum-audit-cli-'));
  mkdirSync(join(folder, 'tokens'));
  const log = await AuditLog.open({ directory: join(folder, 'log'), chain: 'tsa-1' });
  await log.append({ type: 'tsa.unit_selected', unit: 'tsu' });
  for (let index = 0; index < 4; index++) {
    const serial = index === 3 ? Buffer.from('00000000000000000000000000000007', 'hex') : randomBytes(16);
    const { token, response, event } = makeToken(serial, index);
    await log.append(event);
    writeFileSync(join(folder, 'tokens', `${index}.${index === 0 ? 'tsr' : 'tst'}`), index === 0 ? response : token);
  }
  head = log.head;
  await log.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function makeToken(serial: Uint8Array, index: number) {
  const digest = new Uint8Array(32).fill(index);
  const request = { imprintDer: encodeMessageImprint({ algorithm: 'sha256', digest }) };
  const time = new Date(Date.UTC(2026, 10, 22, 1, 2, 3, 40 + index));
  const draft = writer.draft(request, writer.encodeTime({ time, accuracyMs: 10 }), serial);
  const written = writer.write(draft, new Uint8Array(sign('sha256', draft.signedAttributes, key)), true);
  const event = {
    type: 'tsa.time_stamped',
    serial: Buffer.from(serial).toString('hex'),
    gen_time: time.toISOString(),
    accuracy_ms: 10,
    imprint: { algorithm: 'sha256', digest: Buffer.from(digest).toString('hex') },
    policy: '2.25.99',
    token_sha256: createHash('sha256').update(written.token).digest('hex'),
  };
  return { ...written, event };
}

async function run(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const said = { out: '', error: '' };
  const code = await runCli(['audit', ...args], {
    directory: folder,
    stdin: (async function* () {})(),
    writeOut: (bytes) => {
      said.out += Buffer.from(bytes).toString();
      return Promise.resolve();
    },
    writeError: (text) => (said.error += text),
  });
  return { code, ...said };
}

const segment = (): string => join(folder, 'log', '000000000001.jsonl');
const changeLines = (change: (lines: string[]) => string[]): void => {
  const lines = readFileSync(segment(), 'utf8').trimEnd().split('\n');
  writeFileSync(segment(), `${change(lines).join('\n')}\n`);
};
/** The lines as a forger would leave them who can compute hashes. */
const rechain = (lines: string[], edit: (event: string, index: number) => string): string[] => {
  let previous = startOfChain('tsa-1');
  return lines.map((line, index) => {
    const event = (JSON.parse(line) as { event: object }).event;
    const eventBytes = Buffer.from(edit(JSON.stringify(event), index));
    const hash = nextHash(previous, eventBytes);
    const encoded = encodeChainLine({ sequence: index + 1, previous, hash, eventBytes });
    previous = hash;
    return Buffer.from(encoded).toString();
  });
};

describe('sigillum audit verify', () => {
  test('finds nothing wrong with a log and its tokens', async () => {
    const all = ['--chain', 'tsa-1', '--head', `5:${Buffer.from(head.hash).toString('hex')}`, '--tokens', 'tokens'];
    const { code, out } = await run('verify', 'log', ...all);
    expect(out).toContain('intact, 5 lines');
    expect(out).toContain('4 of 4 tokens are recorded exactly');
    expect(code).toBe(0);
    const json = JSON.parse((await run('verify', 'log', '--json', ...all)).out) as object;
    expect(json).toMatchObject({
      version: 1,
      intact: true,
      logs: [{ chain: 'tsa-1', lines: 5, problems: [] }],
      tokens: { tokens: 4, recorded: 4, copies: 0, skipped: 0, problems: [] },
    });
    expect(json).toMatchObject({ logs: [{ beginning_checked: true, end_checked: true }] });
    expect(out).not.toContain('was not checked');
  });

  test('says when it was not told where the log has to end: a cut or emptied one is a whole one then', async () => {
    changeLines((lines) => lines.slice(0, 4));
    const cut = await run('verify', 'log', '--chain', 'tsa-1');
    expect(cut).toMatchObject({
      code: 0,
      out: expect.stringMatching(/missing at its end was not checked: say --head/),
    });
    const known = `5:${Buffer.from(head.hash).toString('hex')}`;
    expect((await run('verify', 'log', '--chain', 'tsa-1', '--head', known)).code).toBe(1);
    writeFileSync(segment(), '');
    expect((await run('verify', 'log', '--chain', 'tsa-1')).out).toContain('say --head');
    const json = JSON.parse((await run('verify', 'log', '--chain', 'tsa-1', '--json')).out) as object;
    expect(json).toMatchObject({ logs: [{ lines: 0, beginning_checked: true, end_checked: false }] });
  });

  test('counts every copy of a token as recorded, and says where it did not look', async () => {
    const path = (name: string): string => join(folder, 'tokens', name);
    writeFileSync(path('copy.tst'), readFileSync(path('1.tst')));
    mkdirSync(path('older'));
    symlinkSync(path('1.tst'), path('link.tst'));
    const { code, out } = await run('verify', 'log', '--chain', 'tsa-1', '--tokens', 'tokens');
    expect(out).toContain('5 of 5 tokens are recorded exactly');
    expect(out).toContain('1 of these files hold');
    expect(out).toContain('2 folders and links');
    expect(code).toBe(0);
  });

  test('says when it was not told whose log it has to be, and when it is somebody else’s', async () => {
    expect((await run('verify', 'log')).out).toContain('say --chain');
    expect(await run('verify', 'log', '--chain', 'tsa-2')).toMatchObject({
      code: 1,
      out: expect.stringContaining('line 1'),
    });
  });

  test.each<[string, string, (lines: string[]) => string[]]>([
    ['changed', 'event_changed', (lines) => lines.map((line) => line.replace('"accuracy_ms":10', '"accuracy_ms":11'))],
    ['missing', 'line_does_not_follow', (lines) => lines.toSpliced(2, 1)],
    ['moved', 'line_does_not_follow', ([a = '', b = '', c = '', ...rest]) => [a, c, b, ...rest]],
    ['cut', 'line_unreadable', (lines) => [...lines.slice(0, 4), (lines[4] ?? '').slice(0, 90)]],
    ['doubled', 'line_does_not_follow', (lines) => [...lines, lines[4] ?? '']],
    [
      'ended in another way',
      'line_unreadable',
      (lines) => lines.map((line, index) => (index === 3 ? `${line}\r` : line)),
    ],
    ['behind a byte order mark', 'line_unreadable', ([a = '', ...rest]) => [`\ufeff${a}`, ...rest]],
    ['empty', 'line_unreadable', (lines) => [...lines, '']],
    [
      'far too long',
      'line_unreadable',
      ([a = '', ...rest]) => [a.replace('"event":{', `"event":{"a":"${'x'.repeat(1_000_000)}",`), ...rest],
    ],
    [
      'the same in other words',
      'line_unreadable',
      (lines) => lines.map((line) => line.replace('"accuracy_ms":10', '"accuracy_ms":10.0')),
    ],
    [
      'named twice in itself',
      'line_unreadable',
      (lines) => lines.map((line) => line.replace('"accuracy_ms":10', '"accuracy_ms":11,"accuracy_ms":10')),
    ],
  ])('finds a line that is %s', async (_what, kind, change) => {
    changeLines(change);
    const { code, out } = await run('verify', 'log', '--chain', 'tsa-1');
    expect([code, out]).toEqual([1, expect.stringContaining(kind)]);
    expect(out).toContain('NOT INTACT');
  });

  test('finds a last line without its end: nobody was told of it, and the next writer removes it', async () => {
    writeFileSync(segment(), readFileSync(segment()).subarray(0, -1));
    const known = `5:${Buffer.from(head.hash).toString('hex')}`;
    const { code, out } = await run('verify', 'log', '--chain', 'tsa-1', '--head', known);
    expect([code, out]).toEqual([1, expect.stringMatching(/line 5 \(000000000001\.jsonl, line 5\).*line_unreadable/)]);
  });

  test('checks what is left where older segments were archived', async () => {
    const second = readFileSync(segment(), 'utf8').split('\n')[1] ?? '';
    changeLines((lines) => lines.slice(2));
    renameSync(segment(), join(folder, 'log', '000000000003.jsonl'));
    expect((await run('verify', 'log', '--chain', 'tsa-1')).code).toBe(1);
    const { hash } = JSON.parse(second) as { hash: string };
    const { code, out } = await run('verify', 'log', '--after', `2:${hash}`);
    expect([code, out]).toEqual([0, expect.stringContaining('intact, 3 lines')]);
    expect(out).not.toContain('say --chain');
    expect((await run('verify', 'log', '--after', `2:${'0'.repeat(64)}`)).code).toBe(1);
  });

  test('finds an end that was cut off by a head that is known', async () => {
    changeLines((lines) => lines.slice(0, 4));
    expect((await run('verify', 'log', '--chain', 'tsa-1')).code).toBe(0);
    const known = `5:${Buffer.from(head.hash).toString('hex')}`;
    expect(await run('verify', 'log', '--chain', 'tsa-1', '--head', known)).toMatchObject({
      code: 1,
      out: expect.stringContaining('head_missing'),
    });
  });

  test.each<[string, string, (lines: string[]) => string[]]>([
    ['has another time', 'gen_time', (lines) => rechain(lines, (event) => event.replace('.041Z', '.141Z'))],
    [
      'has another imprint',
      'imprint',
      (lines) => rechain(lines, (event) => event.replace('"digest":"0202', '"digest":"0303')),
    ],
    [
      'has another hash',
      'token_sha256',
      (lines) => rechain(lines, (event) => event.replace(/"token_sha256":"..../, '"token_sha256":"0000')),
    ],
    ['is not there', 'token_not_recorded', (lines) => rechain(lines.toSpliced(3, 1), (event) => event)],
    ['is there twice', 'serial_recorded_twice', (lines) => rechain([...lines, lines[2] ?? ''], (event) => event)],
  ])('finds a token whose line %s, in a chain that is intact', async (_what, word, change) => {
    changeLines(change);
    const { code, out } = await run('verify', 'log', '--chain', 'tsa-1', '--tokens', 'tokens');
    expect(out).toContain(': intact');
    expect([code, out]).toEqual([1, expect.stringContaining(word)]);
  });

  test('finds a file that is no token, a changed token, and two tokens with one serial number', async () => {
    writeFileSync(join(folder, 'tokens', 'a.txt'), 'hello');
    const changed = readFileSync(join(folder, 'tokens', '1.tst'));
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    writeFileSync(join(folder, 'tokens', '1.tst'), changed);
    const serial = Buffer.from('00000000000000000000000000000007', 'hex');
    writeFileSync(join(folder, 'tokens', '4.tst'), makeToken(serial, 9).token);
    copyFileSync(join(folder, 'tokens', '2.tst'), join(folder, 'tokens', 'copy.tst'));
    const { code, out } = await run('verify', 'log', '--tokens', 'tokens');
    expect(code).toBe(1);
    expect(out).toMatch(/a\.txt: .*token_unreadable/);
    expect(out).toMatch(/1\.tst: .*token_differs/);
    expect(out).toMatch(/4\.tst: .*serial_used_twice/);
    expect(out).not.toMatch(/copy\.tst/);
  });

  test('checks a transcript by its name, alone or in its folder', async () => {
    mkdirSync(join(folder, 'transcripts'));
    const name = '20261122T010203Z-generate-key';
    const eventBytes = Buffer.from('{"type":"ceremony.begun"}');
    const previous = startOfChain(name);
    const line = encodeChainLine({ sequence: 1, previous, hash: nextHash(previous, eventBytes), eventBytes });
    writeFileSync(join(folder, 'transcripts', `${name}.jsonl`), `${Buffer.from(line).toString()}\n`);
    expect((await run('verify', `transcripts/${name}.jsonl`)).code).toBe(0);
    expect(await run('verify', 'transcripts')).toMatchObject({ code: 0, out: expect.stringContaining('1 lines') });
    copyFileSync(join(folder, 'transcripts', `${name}.jsonl`), join(folder, 'transcripts', 'renamed.jsonl'));
    expect((await run('verify', 'transcripts')).code).toBe(1);
  });

  test.each([
    ['nothing', []],
    ['no folder', ['verify']],
    ['a folder that is not there', ['verify', 'nowhere']],
    ['a folder without logs', ['verify', 'tokens']],
    ['a head that is none', ['verify', 'log', '--head', '5']],
    ['a place to go on from that is none', ['verify', 'log', '--after', `x:${'0'.repeat(64)}`]],
    ['tokens that are not there', ['verify', 'log', '--tokens', 'nowhere']],
    ['one chain for two logs', ['verify', 'log', 'log', '--chain', 'tsa-1']],
    ['an unknown option', ['verify', 'log', '--quick']],
  ])('calls %s wrong usage', async (_what, args) => {
    expect((await run(...args)).code).toBe(2);
  });
});
