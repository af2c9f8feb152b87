import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseTimeStampResponse } from '@sigillum/pki';
import { TsaHome, type TsaPorts } from '../test/tsa-home.ts';

/** A running service, asked with bytes that no library of ours has made. */
const home = new TsaHome();
let ports: TsaPorts;

beforeAll(async () => {
  await home.open();
  ({ ports } = await home.start(home.pki.write('tsa.yaml', home.config())));
});
afterAll(() => home.remove());

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
const digest = 'a1'.repeat(32);
const sha256 = '0609 6086480165030402 01';
/** An element with a length of one octet, or of three beyond 127. */
const wrap = (tag: string, content: string): string => {
  const { length } = bytes(content);
  const said = length < 0x80 ? length.toString(16).padStart(2, '0') : `82${length.toString(16).padStart(4, '0')}`;
  return `${tag} ${said} ${content}`;
};
const version = '020101';
const imprint = (algorithm: string = sha256): string => wrap('30', wrap('30', algorithm) + wrap('04', digest));
const query = (...parts: string[]): Buffer => bytes(wrap('30', parts.join('')));
const plain = query(version, imprint(), '0101ff');

type Answer = { readonly head: string; readonly body: Buffer };

/** Answers of a connection, one after the other, until there are as many as asked for or the server ends it. */
async function read(socket: Socket, count: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  let rest = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const end = rest.indexOf('\r\n\r\n');
      if (end === -1) break;
      const head = rest.subarray(0, end).toString('latin1');
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (rest.length < end + 4 + length) break;
      answers.push({ head, body: rest.subarray(end + 4, end + 4 + length) });
      rest = rest.subarray(end + 4 + length);
    }
    if (answers.length >= count) break;
  }
  return answers;
}

async function exchange(message: Uint8Array, count = 1): Promise<Answer[]> {
  const socket = connect(ports.public, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(message);
  const answers = await read(socket, count);
  socket.destroy();
  return answers;
}

const type = 'Content-Type: application/timestamp-query\r\n';
const post = (body: Uint8Array, head = `${type}Content-Length: ${body.length}\r\n`): Buffer =>
  Buffer.concat([Buffer.from(`POST / HTTP/1.1\r\nHost: tsa\r\n${head}\r\n`), body]);

async function ask(body: Uint8Array): Promise<string> {
  const [answer] = await exchange(post(body));
  expect(answer?.head).toMatch(/^HTTP\/1\.1 200 .*content-type: application\/timestamp-reply/is);
  const response = parseTimeStampResponse(answer?.body ?? new Uint8Array(0));
  return response.granted ? 'granted' : (response.failure ?? 'no failure');
}

describe('a query in bytes made by hand', () => {
  const extension = wrap('30', '06022a03 0402 0500');
  test.each<[string, Buffer, string]>([
    ['as the standard has it', plain, 'granted'],
    ['with NULL parameters', query(version, imprint(`${sha256} 0500`), '0101ff'), 'granted'],
    ['without certReq', query(version, imprint()), 'granted'],
    ['with a nonce of one octet, and with one of 64', query(version, imprint(), '020100'), 'granted'],
    ['with the largest nonce', query(version, imprint(), wrap('02', `7f${'ff'.repeat(63)}`)), 'granted'],
    ['with version 2', query('020102', imprint()), 'badRequest'],
    ['with version 257, whose last octet is 1', query('02020101', imprint()), 'badRequest'],
    ['with version -255, whose last octet is 1', query('0202ff01', imprint()), 'badRequest'],
    ['with a version in two octets', query('02020001', imprint()), 'badDataFormat'],
    ['without a version', query(imprint()), 'badDataFormat'],
    ['with nothing else', query(version), 'badDataFormat'],
    ['with something hidden in NULL parameters', query(version, imprint(`${sha256} 0501 41`)), 'badDataFormat'],
    ['with a third part in the algorithm', query(version, imprint(`${sha256} 0500 0500`)), 'badDataFormat'],
    ['with parameters that are no NULL', query(version, imprint(`${sha256} 3000`)), 'badAlg'],
    [
      'with an imprint in pieces',
      query(version, wrap('30', wrap('30', sha256) + wrap('24', wrap('04', digest)))),
      'badDataFormat',
    ],
    [
      'with an imprint that is no OCTET STRING',
      query(version, wrap('30', wrap('30', sha256) + wrap('0c', digest))),
      'badDataFormat',
    ],
    [
      'with a part too many in the imprint',
      query(version, wrap('30', wrap('30', sha256) + wrap('04', digest) + '0500')),
      'badDataFormat',
    ],
    ['with two imprints', query(version, imprint(), imprint()), 'badDataFormat'],
    ['with a nonce that is empty', query(version, imprint(), '0200'), 'badDataFormat'],
    ['with a nonce with a zero too many', query(version, imprint(), '02020001'), 'badDataFormat'],
    ['with a nonce of 65 octets', query(version, imprint(), wrap('02', `01${'00'.repeat(64)}`)), 'badRequest'],
    ['with two nonces', query(version, imprint(), '020105', '020105'), 'badDataFormat'],
    ['with the nonce before the policy', query(version, imprint(), '020105', '06022a03'), 'badDataFormat'],
    ['with certReq before the nonce', query(version, imprint(), '0101ff', '020105'), 'badDataFormat'],
    ['with a true that is 01', query(version, imprint(), '010101'), 'badDataFormat'],
    ['with certReq FALSE in full', query(version, imprint(), '010100'), 'badDataFormat'],
    ['with a policy of which a part has a leading 80', query(version, imprint(), '06038080 01'), 'badDataFormat'],
    ['with another policy', query(version, imprint(), '06022a03'), 'unacceptedPolicy'],
    ['with our policy and one more arc', query(version, imprint(), '0603 696301'), 'unacceptedPolicy'],
    ['with an extension', query(version, imprint(), wrap('a0', extension)), 'unacceptedExtension'],
    ['with no extension in the field for them', query(version, imprint(), 'a000'), 'unacceptedExtension'],
    ['with extensions under another tag', query(version, imprint(), wrap('a1', extension)), 'badDataFormat'],
    ['with SHA-1', query(version, wrap('30', wrap('30', '06052b0e03021a') + wrap('04', 'a1'.repeat(20)))), 'badAlg'],
    [
      'with MD5',
      query(version, wrap('30', wrap('30', '06082a864886f70d0205') + wrap('04', 'a1'.repeat(16)))),
      'badAlg',
    ],
    [
      'with an imprint of 31 octets',
      query(version, wrap('30', wrap('30', sha256) + wrap('04', 'a1'.repeat(31)))),
      'badDataFormat',
    ],
    ['in BER, of a length without an end', bytes(`3080 ${version} ${imprint()} 0000`), 'badDataFormat'],
    ['in BER, with a length in one octet too many', bytes(`3081${plain.subarray(1).toString('hex')}`), 'badDataFormat'],
    ['cut', plain.subarray(0, -1), 'badDataFormat'],
    ['followed by an octet', Buffer.concat([plain, Buffer.of(0)]), 'badDataFormat'],
    ['twice', Buffer.concat([plain, plain]), 'badDataFormat'],
    ['as a SET', Buffer.concat([Buffer.of(0x31), plain.subarray(1)]), 'badDataFormat'],
    ['of 0 octets', Buffer.alloc(0), 'badDataFormat'],
    ['that says it is 4 GB', bytes('3084ffffffff 020101'), 'badDataFormat'],
    ['of 16 KiB of nested SEQUENCEs', Buffer.alloc(16_384, bytes('3080')), 'badDataFormat'],
  ])('%s is %j', async (_what, body, expected) => {
    expect(await ask(body)).toBe(expected);
  });

  test('cut anywhere, or with any bit turned, is never a token over something else', async () => {
    const calls = home.calls.length;
    // Rates allow fifty a second on the public listener: that of seals has none.
    const socket = connect(ports.seals, '127.0.0.1');
    await once(socket, 'connect');
    const messages = [
      ...Array.from(plain, (_, cut) => plain.subarray(0, cut)),
      ...Array.from({ length: plain.length * 8 }, (_, bit) => {
        const turned = Buffer.from(plain);
        turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return turned;
      }),
    ];
    const answers: Answer[] = [];
    for (const message of messages) {
      socket.write(post(message));
      answers.push(...(await read(socket, 1)));
    }
    socket.destroy();
    expect(answers).toHaveLength(messages.length);
    let granted = 0;
    for (const [index, { head, body }] of answers.entries()) {
      expect(head).toMatch(/^HTTP\/1\.1 200 /);
      const response = parseTimeStampResponse(body);
      if (!response.granted) continue;
      granted++;
      // The imprint of the token is that of the query, octet for octet: only a turned digest is still a query.
      const asked = messages[index]?.subarray(5, -3) ?? Buffer.alloc(0);
      expect(Buffer.from(response.token).includes(asked)).toBe(true);
    }
    expect(granted).toBe(32 * 8);
    expect(home.calls.slice(calls).reduce((sum, { digests }) => sum + digests.length, 0)).toBe(granted);
  });
});

describe('HTTP made by hand', () => {
  const status = async (message: Uint8Array): Promise<string | undefined> =>
    /^HTTP\/1\.1 (\d{3})/.exec((await exchange(message))[0]?.head ?? '')?.[1];
  const chunked = (body: Uint8Array): Buffer =>
    post(
      Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]),
      `${type}Transfer-Encoding: chunked\r\n`,
    );

  test.each<[string, () => Buffer, string]>([
    ['a query in chunks', () => chunked(plain), '200'],
    [
      'a media type in capitals with a parameter',
      () => post(plain, `content-type: Application/Timestamp-Query; a=b\r\ncontent-length: ${plain.length}\r\n`),
      '200',
    ],
    ['too much in chunks', () => chunked(Buffer.alloc(16 * 1024 + 1)), '413'],
    ['too much with its length', () => post(Buffer.alloc(16 * 1024 + 1)), '413'],
    ['a length that is no number', () => post(plain, `${type}Content-Length: 4x\r\n`), '400'],
    ['two lengths', () => post(plain, `${type}Content-Length: ${plain.length}\r\nContent-Length: 1\r\n`), '400'],
    [
      'a length and chunks, as smugglers send',
      () => post(plain, `${type}Content-Length: ${plain.length}\r\nTransfer-Encoding: chunked\r\n`),
      '400',
    ],
    [
      'another media type',
      () => post(plain, `Content-Type: application/timestamp-reply\r\nContent-Length: ${plain.length}\r\n`),
      '415',
    ],
    [
      'a media type that only begins alike',
      () => post(plain, `Content-Type: application/timestamp-query2\r\nContent-Length: ${plain.length}\r\n`),
      '415',
    ],
    ['none', () => post(plain, `Content-Length: ${plain.length}\r\n`), '415'],
    [
      'a compressed body',
      () => post(plain, `${type}Content-Encoding: gzip\r\nContent-Length: ${plain.length}\r\n`),
      '415',
    ],
    ['GET', () => Buffer.from('GET / HTTP/1.1\r\nHost: tsa\r\n\r\n'), '405'],
    ['PUT', () => Buffer.from(`PUT / HTTP/1.1\r\nHost: tsa\r\n${type}Content-Length: 0\r\n\r\n`), '405'],
    ['another path', () => Buffer.from(`POST /tsa HTTP/1.1\r\nHost: tsa\r\n${type}Content-Length: 0\r\n\r\n`), '404'],
  ])('%s', async (_what, make, expected) => {
    expect(await status(make())).toBe(expected);
  });
});

test('what openssl asks for it verifies, and the records hold every token that was given, and nothing else', async () => {
  const { pki } = home;
  const data = pki.write('data', 'some data');
  for (const args of [
    ['-sha256', '-cert'],
    ['-sha384', '-no_nonce', '-cert'],
    ['-sha512', '-cert', '-tspolicy', '2.25.99'],
  ]) {
    const asked = pki.run(['ts', '-query', '-data', data, ...args]);
    const [answer] = await exchange(post(asked));
    const files = [pki.write('a.tsr', answer?.body ?? ''), pki.write('a.tsq', asked)] as const;
    const said = pki.run([
      'ts',
      '-verify',
      '-in',
      files[0],
      '-queryfile',
      files[1],
      '-CAfile',
      home.root.certificateFile,
    ]);
    expect(Buffer.from(said).toString()).toContain('Verification: OK');
  }
  const text = readFileSync(pki.path('audit/000000000001.jsonl'), 'utf8');
  const lines = text.match(/"type":"tsa\.time_stamped"/g)?.length ?? 0;
  expect(lines).toBe(home.calls.reduce((sum, { digests }) => sum + digests.length, 0));
  const [answer] = await exchange(post(plain));
  const response = parseTimeStampResponse(answer?.body ?? new Uint8Array(0));
  if (!response.granted) throw new Error(response.text);
  const sum = createHash('sha256').update(response.token).digest('hex');
  expect(readFileSync(pki.path('audit/000000000001.jsonl'), 'utf8')).toContain(`"token_sha256":"${sum}"`);
});
