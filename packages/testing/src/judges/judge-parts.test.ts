import { describe, expect, test } from '@jest/globals';
import { describeJudgement } from './describe-judgement.ts';
import { extractSignatures, signedBytes } from './extract-signatures.ts';
import { findJudges } from './find-judges.ts';
import type { JudgeName, Opinion, Word } from './judgement.ts';
import { LineProcess } from './line-process.ts';
import { reachVerdict } from './reach-verdict.ts';
import { readCms } from './read-cms.ts';

const opinions = (words: Partial<Record<JudgeName, Word>>): Opinion[] =>
  Object.entries(words).map(([judge, word]) => ({ judge: judge as JudgeName, word, reasons: [], milliseconds: 0 }));

describe('the verdict', () => {
  test.each([
    ['accept', { dss: 'accept', pyhanko: 'accept', qpdf: 'accept', verapdf: 'abstain' }],
    ['accept', { dss: 'missing', pyhanko: 'accept', pdfsig: 'accept' }],
    ['split', { dss: 'accept', pyhanko: 'refuse', pdfsig: 'accept' }],
    ['split', { dss: 'accept', pyhanko: 'accept', 'openssl-cms': 'refuse' }],
    ['split', { dss: 'accept', pyhanko: 'unsigned' }],
    ['refuse', { dss: 'refuse', pyhanko: 'refuse', pdfsig: 'accept', 'openssl-cms': 'accept' }],
    ['refuse', { dss: 'unsigned', pyhanko: 'refuse' }],
    ['unsigned', { dss: 'unsigned', pyhanko: 'unsigned', pdfsig: 'unsigned', qpdf: 'accept' }],
    // The form was dropped by an update: those who read PDF find nothing, the others find it valid.
    ['split', { dss: 'unsigned', pyhanko: 'unsigned', pdfsig: 'accept' }],
    // Those who call every other forgery valid never accept alone.
    ['split', { dss: 'missing', pyhanko: 'missing', pdfsig: 'accept', 'openssl-cms': 'accept' }],
    ['refuse', { dss: 'missing', pyhanko: 'missing', pdfsig: 'refuse' }],
  ] as const)('is %s for %j', (verdict, words) => {
    expect(reachVerdict(opinions(words))).toBe(verdict);
  });
});

test('a line stays one line, whatever a file makes a judge say', () => {
  const reasons = ['first\nrefuse  other.pdf', 'second\u001b[2J'];
  const line = describeJudgement({
    file: 'a.pdf',
    verdict: 'refuse',
    opinions: [{ judge: 'dss', word: 'refuse', reasons, milliseconds: 1 }],
  });
  expect(line).toBe('refuse    a.pdf  dss: refuse (first refuse  other.pdf; second [2J)');
});

describe('signatures as the bytes show them', () => {
  const file = (range: string, gap = '<0aFf00>') => {
    const head = `%PDF-1.7 /ByteRange [${range.padEnd(12)}] /Contents `;
    return { bytes: Buffer.from(`${head}${gap} tail`), start: head.length };
  };

  test('a range whose gap is one hexadecimal string is found, with the bytes around it', () => {
    const { start } = file('');
    const { bytes } = file(`0 ${start} ${start + 8} 5`);
    const [signature, ...more] = extractSignatures(bytes);
    expect(more).toEqual([]);
    expect(signature?.contents).toEqual(Buffer.from('0aff00', 'hex'));
    expect(signature && signedBytes(bytes, signature.byteRange).toString().endsWith(' /Contents  tail')).toBe(true);
  });

  test.each(['<0aFf0>>', '<0aFf0g>', '(0aFf00)'])('a gap that holds %s is not one', (gap) => {
    const { start } = file('');
    expect(extractSignatures(file(`0 ${start} ${start + 8} 5`, gap).bytes)).toEqual([]);
  });

  test.each(['0 5 4 5', '0 -1 60 5', '0 5 60 9999', '0 5 60', '0 5 60 1e999'])('the range %s is not one', (range) => {
    expect(extractSignatures(file(range).bytes)).toEqual([]);
  });

  test('bytes that are no CMS are not read as one', () => {
    expect(readCms(Buffer.alloc(0))).toBeUndefined();
    expect(readCms(Buffer.from('3080', 'hex'))).toBeUndefined();
    expect(readCms(Buffer.from('300b06092a864886f70d010702', 'hex'))).toBeUndefined();
  });
});

test('a judge that is not on this machine is named with what is missing', () => {
  expect(findJudges('/nonexistent', ['qpdf', 'pdfsig'])).toEqual([
    { judge: 'pdfsig', missing: 'pdfsig is not on this machine' },
    { judge: 'qpdf', missing: 'qpdf is not on this machine' },
  ]);
});

describe('a judge that stays', () => {
  const script = `
    console.log('ready');
    require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
      if (line.includes('die')) process.exit(3);
      if (!line.includes('hang')) console.log(JSON.stringify({ pid: process.pid, said: JSON.parse(line) }));
    });`;
  const start = (code: string) =>
    new LineProcess({ program: process.execPath, args: ['-e', code], searchPath: '/usr/bin', graceMs: 200 });

  test('answers in order, and is started anew after a question that it dies or hangs on', async () => {
    const judge = start(script);
    const answers = await Promise.all(['a', 'die', 'b', 'hang', 'c'].map((word) => judge.ask({ word }, 0)));
    await judge.close();
    expect(answers.map((answer) => (answer as { said: { word: string } } | undefined)?.said.word)).toEqual([
      'a',
      undefined,
      'b',
      undefined,
      'c',
    ]);
  });

  test('that can not start is an error, since no file is to blame', async () => {
    const judge = start('console.error("no such class"); process.exit(1)');
    await expect(judge.ask({}, 1000)).rejects.toThrow(/does not start\. no such class/);
    await judge.close();
  });
});
