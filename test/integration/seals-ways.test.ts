import { execFileSync } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addValidationData,
  appendToInput,
  embedContents,
  type PrepareInput,
  prepareDocumentTimeStamp,
  prepareSignature,
} from '@sigillum/pades';
import { DevelopmentHome, judgeFiles, makeSamplePdf } from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { postSeal, sealOrThrow, sha256 } from './seal-client.ts';

const isCi = process.env['CI'] === 'true';
const flatBytes = 300 * 1024 ** 2;

let home: DevelopmentHome;
let folder = '';
beforeAll(async () => {
  home = await DevelopmentHome.start();
  folder = mkdtempSync(join(tmpdir(), 'sigillum-ways-'));
}, 180_000);
afterAll(async () => {
  await home?.remove();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** What is looked at of the JSON answers; each has some of it. */
type Body = {
  readonly code: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  readonly id: string;
  readonly links: { readonly self: string; readonly document: string; readonly document_time_stamp: string };
  readonly sealed: { readonly size: number; readonly sha256: string };
  readonly extended: { readonly sha256: string };
  readonly expires: string;
  readonly failure: { readonly code: string } | null;
  readonly earlier_signature_states: readonly unknown[];
  readonly data: readonly { readonly id: string; readonly from_level: string }[];
  readonly digest_algorithm: 'sha256' | 'sha384';
  readonly contents_size: number;
  readonly server_time: string;
  readonly cms: string;
  readonly certificates: readonly string[];
  readonly crls: readonly string[];
  readonly ocsps: readonly string[];
  readonly document_time_stamp: { readonly digest_algorithm: string; readonly contents_size: number };
  readonly token: string;
  readonly time_stamp: { readonly time: string; readonly serial: string };
};
type Reply = { status: number; headers: Headers; bytes: Buffer; body: Body };

async function call(path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(new URL(path, home.ready.url), {
    ...init,
    headers: { authorization: `Bearer ${home.ready.api_key}`, ...init.headers },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    body: isJson ? JSON.parse(bytes.toString()) : {},
  };
}

const postJson = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  call(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

const post = (path: string, pdf: Uint8Array, headers: Record<string, string> = {}): Promise<Reply> =>
  call(path, { method: 'POST', body: Buffer.from(pdf), headers: { 'content-type': 'application/pdf', ...headers } });

function save(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Runs curl, the client that isn't ours. @returns the status, the answer stands in `output` */
function curl(args: readonly string[], output = join(folder, 'curl.out')): { status: number; bytes: Buffer } {
  const key = `Authorization: Bearer ${home.ready.api_key}`;
  const status = execFileSync('curl', ['-sS', '-o', output, '-w', '%{http_code}', '-H', key, ...args], {
    encoding: 'utf8',
  });
  return { status: Number(status), bytes: readFileSync(output) };
}

async function expectLevel(files: readonly string[], level: string): Promise<void> {
  const { root_certificate: root, crls } = home.ready;
  for (const { file, verdict, opinions } of await judgeFiles(files, { roots: [root], crls, level })) {
    const words = opinions.map(({ judge, word, reasons }) => `${judge} ${word} ${reasons.join('; ')}`);
    const isJudged = opinions.every(({ judge, word }) => !['dss', 'pyhanko'].includes(judge) || word !== 'missing');
    expect({ file, words, verdict }).toMatchObject({ file, verdict: isJudged || isCi ? 'accept' : 'split' });
  }
}

describe('the ways in', () => {
  test('a form, JSON and the plain PDF are the same call: one idempotency key, one seal', async () => {
    const pdf = makeSamplePdf();
    const path = save('in.pdf', pdf);
    const key = randomUUID();
    const url = new URL('/v1/seals', home.ready.url).href;
    const options = { reason: 'Once — für alle', certify: 2, appearance: { rectangle: [300, 40, 560, 120] } };
    const form = curl([
      '-H',
      `Idempotency-Key: ${key}`,
      '-F',
      `options=${JSON.stringify(options)};type=application/json`,
      '-F',
      `file=@${path}`,
      url,
    ]);
    expect(form.status).toBe(201);
    expect(form.bytes.subarray(0, pdf.length).equals(Buffer.from(pdf))).toBe(true);
    const json = await postJson(
      '/v1/seals',
      { options: { ...options, certify: '2' }, document: Buffer.from(pdf).toString('base64') },
      { 'idempotency-key': key },
    );
    expect([json.status, json.headers.get('sigillum-replayed')]).toEqual([201, 'true']);
    const query = new URLSearchParams({
      appearance: JSON.stringify({ ...options.appearance, template: 'text' }),
      certify: '2',
      level: 'b-t',
      reason: options.reason,
    });
    const plain = await post(`/v1/seals?${query}`, pdf, { 'idempotency-key': key });
    expect(plain.headers.get('sigillum-replayed')).toBe('true');
    for (const { bytes } of [json, plain]) expect(bytes.equals(form.bytes)).toBe(true);
    const other = await postJson(
      '/v1/seals',
      { options, document: Buffer.from(pdf).toString('base64') },
      { 'idempotency-key': key, accept: 'application/json' },
    );
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    await expectLevel([save('form.pdf', form.bytes)], 'PAdES-BASELINE-T');
  }, 60_000);

  test('what is wrong in a form or in JSON is said with its place', async () => {
    const path = save('in.pdf', makeSamplePdf());
    const url = new URL('/v1/seals', home.ready.url).href;
    const file = ['-F', `file=@${path}`];
    const problems: unknown[] = [];
    for (const args of [
      [...file, '-F', 'options={}'],
      ['-F', 'options={}', '-F', 'options={}', ...file],
      [...file, ...file],
      ['-F', 'other=1', ...file],
      ['-F', 'options={}'],
      ['-F', 'options=[1]', ...file],
      ['-F', 'options={"retain":"1y","level":"x"}', ...file],
      ['-F', 'options={"appearance":{"rectangle":[1]}}', ...file],
      ['-H', 'Content-Type: multipart/form-data', '--data-binary', 'x'],
      ['-F', `file=@${path};type=image/png`],
      ['-F', 'options={"appearance":{"text":"x"}}', ...file],
      ['-F', 'options={"field":"a.b"}', ...file],
    ]) {
      const { status, bytes } = curl([...args, url]);
      const problem = JSON.parse(bytes.toString());
      problems.push([status, problem.code, (problem.errors ?? []).map(({ pointer }: { pointer: string }) => pointer)]);
    }
    const invalid = (pointers: readonly string[], code = 'request_invalid') => [400, code, pointers];
    expect(problems).toEqual([
      invalid(['/body/options']),
      invalid(['/body/options']),
      invalid(['/body/file']),
      invalid(['/body/other']),
      invalid(['/body/file']),
      invalid(['/body/options']),
      invalid(['/body/options/level', '/body/options/retain']),
      invalid([expect.stringMatching(/^\/body\/options\/appearance\/rectangle/)] as never, 'appearance_invalid'),
      invalid(['/body']),
      [415, 'request_media_type_unsupported', ['/body/file']],
      [422, 'appearance_place_missing', ['/body/options/appearance/rectangle']],
      [422, 'pades_option_invalid', ['/body/options/field']],
    ]);
    const both = await postJson('/v1/seals?level=b-t', { document: 'JVBERi0=', options: { level: 'b-t' } });
    expect([both.status, both.body.errors[0]?.pointer]).toEqual([400, '/query/level']);
    const wrong = await postJson('/v1/seals', { document: 'no base64', x: 1 });
    expect(wrong.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/body/x', '/body/document']);
    const large = await postJson('/v1/seals', { document: 'A'.repeat(5 * 1024 ** 2) });
    expect([large.status, large.body.code]).toEqual([413, 'request_too_large']);
  });
});

describe('an answer in JSON', () => {
  test('has the seal with links, and the document can be fetched until its time is over', async () => {
    const pdf = makeSamplePdf();
    const made = await post('/v1/seals?retain=3s', pdf, { accept: 'application/json' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ status: 'completed', content_seen: true, earlier_signature_states: [] });
    const { links, sealed, id } = made.body;
    expect([made.headers.get('location'), links.self]).toEqual([`/v1/seals/${id}`, `/v1/seals/${id}`]);
    const got = await call(links.document);
    expect([got.status, sha256(got.bytes), got.bytes.length]).toEqual([200, sealed.sha256, sealed.size]);
    expect(got.bytes.subarray(0, pdf.length).equals(Buffer.from(pdf))).toBe(true);
    const end = Date.parse(made.body.expires);
    while (Date.now() <= end) await new Promise((resolve) => setTimeout(resolve, 100));
    const gone = await call(links.document);
    expect([gone.status, gone.body.code]).toEqual([410, 'seal_document_expired']);
    const plain = await post('/v1/seals', got.bytes);
    const never = await call(`/v1/seals/${plain.headers.get('sigillum-seal-id')}/document`);
    expect([never.status, never.body.code]).toEqual([404, 'seal_document_not_kept']);
    const again = await call(`/v1/seals/${plain.headers.get('sigillum-seal-id')}`);
    expect(again.body.earlier_signature_states).toEqual([{ field_name: 'Signature1', state: 'intact' }]);
  }, 30_000);
});

describe('levels', () => {
  test('b-lt and b-lta with each credential are what outside judges find, offline', async () => {
    for (const level of ['b-lt', 'b-lta'] as const) {
      const files: string[] = [];
      for (const credential of ['p256', 'p384', 'rsa-pss-3072', 'rsa-2048']) {
        const sealed = await sealOrThrow(home, makeSamplePdf(), { query: { level, credential } });
        files.push(save(`${level}-${credential}.pdf`, sealed));
      }
      await expectLevel(files, `PAdES-BASELINE-${level.slice(2).toUpperCase()}`);
    }
  }, 120_000);

  test('an extension brings a b-t file to b-lta, is replayed, renewed, and in the journal', async () => {
    const sealed = await sealOrThrow(home, makeSamplePdf());
    const key = { 'idempotency-key': randomUUID() };
    const extended = await post('/v1/extensions?level=b-lta', sealed, key);
    expect(extended.status).toBe(201);
    expect(extended.bytes.subarray(0, sealed.length).equals(Buffer.from(sealed))).toBe(true);
    const again = await post('/v1/extensions?level=b-lta', sealed, key);
    expect([again.headers.get('sigillum-replayed'), again.bytes.equals(extended.bytes)]).toEqual(['true', true]);
    const renewed = await post('/v1/extensions?level=b-lta', extended.bytes, { accept: 'application/json' });
    expect(renewed.body).toMatchObject({ status: 'completed', from_level: 'b-lta', level: 'b-lta' });
    const file = await call(renewed.body.links.document);
    expect(sha256(file.bytes)).toBe(renewed.body.extended.sha256);
    await expectLevel([save('ext.pdf', extended.bytes), save('renewed.pdf', file.bytes)], 'PAdES-BASELINE-LTA');
    const nothing = await post('/v1/extensions?level=b-lt', file.bytes);
    expect([nothing.status, nothing.body?.code, nothing.bytes.length]).toEqual([201, undefined, file.bytes.length]);
    expect(nothing.bytes.equals(file.bytes)).toBe(true);
    const foreign = readFileSync(join(import.meta.dirname, '../corpus/files/openpdf/signed.pdf'));
    const beside = (await post('/v1/seals?level=b-lt', foreign)).bytes;
    const ours = await post('/v1/extensions?level=b-lta', beside);
    expect([ours.status, ours.headers.get('sigillum-left-alone')]).toEqual([201, '1']);
    const told = await call(ours.headers.get('location') ?? '');
    expect(told.body).toMatchObject({ from_level: 'b-lt', left_alone: [{ code: 'extension_signature_invalid' }] });
    const unsigned = await post('/v1/extensions?level=b-lt', makeSamplePdf());
    expect([unsigned.status, unsigned.body.code]).toEqual([422, 'extension_unsigned']);
    const missing = await post('/v1/extensions', sealed);
    expect(missing.body.errors).toEqual([{ pointer: '/query/level', detail: 'Must be b-lt or b-lta.' }]);
    const list = await call('/v1/extensions?status=completed');
    expect(list.body.data.map(({ from_level }: { from_level: string }) => from_level)).toEqual([
      'b-lt',
      'b-lta',
      'b-lta',
      'b-t',
    ]);
    const one = await call(`/v1/extensions/${list.body.data[3]?.id}`);
    expect(one.body).toEqual(list.body.data[3]);
    const asSeal = await call(`/v1/seals/${list.body.data[3]?.id}`);
    expect(asSeal.body.code).toBe('seal_not_found');
  }, 60_000);

  test('a crash before the steps of the higher levels leaves nothing pending', async () => {
    const pause = join(home.directory, 'run/pause');
    mkdirSync(pause, { recursive: true });
    for (const step of ['revocation', 'document-time-stamp'] as const) {
      writeFileSync(join(pause, `pause-${step}`), '');
      const reply = postSeal(home, makeSamplePdf(), { query: { level: 'b-lta' } });
      const marker = await until(() =>
        execFileSync('ls', [pause], { encoding: 'utf8' }).match(`paused-${step}-(\\S+)`),
      );
      process.kill(home.findService('document-service').pid, 'SIGKILL');
      rmSync(join(pause, `pause-${step}`));
      rmSync(join(pause, marker[0]), { force: true });
      expect((await reply).kind).toBe('broken');
      await until(async () => {
        const seal = await call(`/v1/seals/${marker[1]}`).catch(() => undefined);
        return seal?.body.failure?.code === 'seal_swept' ? true : undefined;
      });
    }
  }, 120_000);
});

async function until<T>(look: () => T | undefined | null | Promise<T | undefined | null>): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined && found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('waited in vain');
}

describe('a digest alone', () => {
  const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const fromBase64 = (texts: readonly string[]): Uint8Array[] => texts.map((text) => Buffer.from(text, 'base64'));
  const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

  function toInput(pdf: Uint8Array, algorithm: 'sha256' | 'sha384'): PrepareInput {
    return {
      source: { size: pdf.length, read: (offset, length) => pdf.subarray(offset, offset + length) },
      prefixHash: {
        algorithm,
        finish: (parts) => parts.reduce((hash, part) => hash.update(part), createHash(algorithm).update(pdf)).digest(),
      },
    };
  }

  test('is enough for a b-lta file that judges accept; the journal says that the content was not seen', async () => {
    const files: string[] = [];
    for (const name of ['default', 'p384']) {
      const credential = (await call(`/v1/credentials/${name}`)).body;
      const pdf = makeSamplePdf();
      const input = toInput(pdf, credential.digest_algorithm);
      const signingTime = new Date(credential.server_time.replace(/\.\d+/, ''));
      const prepared = prepareSignature(input, { signingTime, contentsSize: credential.contents_size }, random);
      const request = {
        credential: credential.id,
        level: 'b-lta',
        digest: toBase64(prepared.digest),
        digest_algorithm: prepared.digestAlgorithm,
        signing_time: signingTime.toISOString(),
        contents_size: credential.contents_size,
      };
      const key = { 'idempotency-key': randomUUID() };
      const answer = await postJson('/v1/seals/digest', request, key);
      expect(answer.status).toBe(201);
      const again = await postJson('/v1/seals/digest', request, key);
      expect([again.headers.get('sigillum-replayed'), again.body]).toEqual(['true', answer.body]);

      const signed = embedContents(prepared, Buffer.from(answer.body.cms, 'base64'));
      let file = appendToInput(input, signed);
      const data = addValidationData(
        file.source,
        {
          certificates: fromBase64(answer.body.certificates),
          crls: fromBase64(answer.body.crls),
          ocsps: fromBase64(answer.body.ocsps),
        },
        random,
      );
      file = appendToInput(file, data);
      const { contents_size: contentsSize, digest_algorithm } = answer.body.document_time_stamp;
      const stamp = prepareDocumentTimeStamp(file, { contentsSize }, random);
      expect(stamp.digestAlgorithm).toBe(digest_algorithm);
      const ask = { digest: toBase64(stamp.digest), digest_algorithm, contents_size: contentsSize };
      const path = answer.body.links.document_time_stamp;
      const tooSmall = await postJson(path, { ...ask, contents_size: 1_000 });
      expect([tooSmall.status, tooSmall.body.code]).toEqual([409, 'seal_contents_too_small']);
      const stampKey = { 'idempotency-key': randomUUID() };
      const token = await postJson(path, ask, stampKey);
      expect(token.status).toBe(201);
      for (const headers of [{}, stampKey]) {
        const repeated = await postJson(path, ask, headers);
        expect([repeated.status, repeated.body]).toEqual([201, token.body]);
      }
      const other = { ...ask, digest: toBase64(randomBytes(stamp.digest.length)) };
      expect((await postJson(path, other)).body.code).toBe('seal_time_stamp_given');
      expect((await postJson(path, other, stampKey)).body.code).toBe('idempotency_key_reused');
      const stamped = embedContents(stamp, Buffer.from(token.body.token, 'base64'));
      files.push(save(`digest-${name}.pdf`, Buffer.concat([pdf, signed, data, stamped])));

      const record = (await call(answer.body.links.self)).body;
      expect(record).toMatchObject({
        content_seen: false,
        document: null,
        sealed: null,
        digest: { algorithm: prepared.digestAlgorithm, value: Buffer.from(prepared.digest).toString('hex') },
        document_time_stamp: token.body.time_stamp,
      });
      expect((await call(`${answer.body.links.self}/document`)).body.code).toBe('seal_document_not_kept');
    }
    await expectLevel(files, 'PAdES-BASELINE-LTA');
  }, 60_000);

  test('is refused before anything is signed when room, time or algorithm do not fit', async () => {
    const credential = (await call('/v1/credentials/p256')).body;
    const good = {
      digest: toBase64(randomBytes(32)),
      digest_algorithm: 'sha256',
      signing_time: credential.server_time.replace(/\.\d+/, ''),
      contents_size: credential.contents_size,
    };
    const answers: unknown[] = [];
    for (const change of [
      { contents_size: 2_048 },
      { signing_time: '2026-01-01T00:00:00Z' },
      { signing_time: '2026-01-01T00:00:00.5Z' },
      { digest: toBase64(randomBytes(48)), digest_algorithm: 'sha384' },
      { digest: toBase64(randomBytes(20)) },
      { digest: 'no base64!' },
      { credential: 'none' },
      { level: 'b-b' },
      { signed_attributes: 'MQ==' },
    ]) {
      const { status, body } = await postJson('/v1/seals/digest', { ...good, ...change });
      answers.push([status, body.code, body.errors?.[0]?.pointer]);
    }
    expect(answers).toEqual([
      [409, 'seal_contents_too_small', '/body/contents_size'],
      [409, 'seal_signing_time_outside', '/body/signing_time'],
      [400, 'request_invalid', '/body/signing_time'],
      [400, 'request_invalid', '/body/digest_algorithm'],
      [400, 'request_invalid', '/body/digest'],
      [400, 'request_invalid', '/body/digest'],
      [404, 'credential_not_found', '/body/credential'],
      [400, 'request_invalid', '/body/level'],
      [400, 'request_invalid', '/body/signed_attributes'],
    ]);
    const plain = await postJson('/v1/seals/digest', good);
    const path = `/v1/seals/${plain.body.id}/document-time-stamp`;
    const ask = { digest: good.digest, digest_algorithm: 'sha256', contents_size: 65_536 };
    expect((await postJson(path, ask)).body.code).toBe('seal_time_stamp_not_due');
  });

  test('gets one document time-stamp, however many ask for one at once', async () => {
    const credential = (await call('/v1/credentials/p256')).body;
    const made = await postJson('/v1/seals/digest', {
      digest: toBase64(randomBytes(32)),
      digest_algorithm: 'sha256',
      signing_time: credential.server_time.replace(/\.\d+/, ''),
      contents_size: credential.contents_size,
      level: 'b-lta',
    });
    const { contents_size, digest_algorithm } = made.body.document_time_stamp;
    const digests = [0, 1, 2, 0, 1, 2].map((byte) => toBase64(Buffer.alloc(32, byte)));
    const answers = await Promise.all(
      digests.map((digest) =>
        postJson(made.body.links.document_time_stamp, { digest, digest_algorithm, contents_size }),
      ),
    );
    const given = answers.filter(({ status }) => status === 201);
    expect(given).toHaveLength(2);
    expect(given[0]?.body.token).toBe(given[1]?.body.token);
    const others = answers.filter(({ status }) => status !== 201).map(({ body }) => body.code);
    expect(new Set(others)).toEqual(new Set(['seal_time_stamp_given']));
  });
});

describe('a large document', () => {
  test('streams through in flat memory, plain and as a form, also when it is read slowly', () => {
    const path = join(folder, 'large.pdf');
    writeLargePdf(path);
    const url = new URL('/v1/seals', home.ready.url).href;
    const pid = home.findService('document-service').pid;
    const plain = curl(
      ['-H', 'Content-Type: application/pdf', '-T', path, '-X', 'POST', url, '--limit-rate', '100M'],
      '/dev/null',
    );
    const form = curl(['-F', 'options={"retain":"1m"}', '-F', `file=@${path}`, url], '/dev/null');
    expect([plain.status, form.status]).toEqual([201, 201]);
    const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
    expect(peak).toBeLessThan(150e6);
  }, 120_000);

  /** One page and one large stream object that nothing shows. */
  function writeLargePdf(path: string): void {
    const file = openSync(path, 'w');
    const offsets: number[] = [];
    let size = 0;
    const write = (part: string | Uint8Array): void => {
      size += writeSync(file, Buffer.from(part));
    };
    const begin = (number: number): void => {
      offsets.push(size);
      write(`${number} 0 obj\n`);
    };
    write('%PDF-1.7\n');
    begin(1);
    write('<< /Type /Catalog /Pages 2 0 R >>\nendobj\n');
    begin(2);
    write('<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n');
    begin(3);
    write('<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>\nendobj\n');
    begin(4);
    write(`<< /Length ${flatBytes} >>\nstream\n`);
    const block = randomBytes(1024 ** 2);
    for (let done = 0; done < flatBytes; done += block.length) write(block);
    write('\nendstream\nendobj\n');
    const start = size;
    const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
    write(`xref\n0 5\n0000000000 65535 f \n${rows}trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`);
    closeSync(file);
  }
});
