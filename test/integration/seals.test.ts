import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Judgement,
  DevelopmentHome,
  judgeFiles,
  makeSamplePdf,
  rewriteWithQpdf,
  type SampleKind,
} from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { postSeal, readJournal, sealOrThrow, sha256 } from './seal-client.ts';

const repository = join(import.meta.dirname, '../..');
const credentials = ['p256', 'p384', 'rsa-pss-3072', 'rsa-2048'] as const;
const kinds: readonly SampleKind[] = ['classic', 'xref-stream', 'object-streams', 'linearized', 'hybrid'];

const isCi = process.env['CI'] === 'true';

let home: DevelopmentHome;
let folder = '';

beforeAll(async () => {
  home = await DevelopmentHome.start();
  folder = mkdtempSync(join(tmpdir(), 'sigillum-seals-'));
}, 180_000);
afterAll(async () => {
  await home?.remove();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

function save(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Asserts that no judge refuses and that the four of Debian's packages, always there, accept. */
async function expectAccepted(files: readonly string[], lenient = false): Promise<void> {
  const { root_certificate: root, crls } = home.ready;
  const options = { roots: [root], crls, level: 'PAdES-BASELINE-T', lenient };
  const judgements: readonly Judgement[] = await judgeFiles(files, options);
  expect(judgements).toHaveLength(files.length);
  for (const { file, verdict, opinions } of judgements) {
    const words = Object.fromEntries(
      opinions.map(({ judge, word, reasons }) => [judge, `${word} ${reasons.join('; ')}`.trim()]),
    );
    // Without the judges that have to be built (never so in CI) the others' word is all there is.
    const isJudged = opinions.every(({ judge, word }) => !['dss', 'pyhanko'].includes(judge) || word !== 'missing');
    expect({ file, verdict, words }).toMatchObject({ file, verdict: isJudged || isCi ? 'accept' : 'split' });
    expect({ file, words: Object.values(words).filter((word) => /^(refuse|unsigned)/.test(word)) }).toEqual({
      file,
      words: [],
    });
    for (const judge of ['openssl-cms', 'openssl-ts', 'pdfsig', 'qpdf'])
      expect({ file, judge, word: words[judge] }).toMatchObject({ word: expect.stringMatching(/^accept/) });
  }
}

describe('a sealed file', () => {
  test('is accepted by outside judges with each credential', async () => {
    const input = makeSamplePdf('classic', { pages: 2 });
    const files: string[] = [];
    for (const credential of credentials) {
      const sealed = await sealOrThrow(home, input, {
        query: { credential, reason: 'Invoice 2026-118', location: 'Pärnu — Eesti' },
      });
      expect(Buffer.from(sealed.subarray(0, input.length)).equals(Buffer.from(input))).toBe(true);
      files.push(save(`credential-${credential}.pdf`, sealed));
    }
    await expectAccepted(files);
  }, 120_000);

  test('is accepted whatever kind of cross-reference data the input has', async () => {
    const files: string[] = [];
    for (const kind of kinds) {
      const input = makeSamplePdf(kind);
      const sealed = await sealOrThrow(home, input);
      expect(Buffer.from(sealed.subarray(0, input.length)).equals(Buffer.from(input))).toBe(true);
      files.push(save(`kind-${kind}.pdf`, sealed));
    }
    await expectAccepted(files.filter((file) => !file.includes('hybrid')));
    // pyHanko's strict reading judges no signature in a hybrid file.
    await expectAccepted(
      files.filter((file) => file.includes('hybrid')),
      true,
    );
  }, 120_000);

  test('can be sealed again and again, and the earlier seals stay valid', async () => {
    let sealed = await sealOrThrow(home, makeSamplePdf('object-streams'));
    for (const credential of ['p384', 'rsa-2048']) sealed = await sealOrThrow(home, sealed, { query: { credential } });
    await expectAccepted([save('three-times.pdf', sealed)]);
    const [newest] = await readJournal(home);
    expect(newest?.earlier_signatures).toBe(2);
  }, 120_000);

  test('has the attributes of PAdES and no others, and the dictionary entries that were asked for', async () => {
    const sealed = await sealOrThrow(home, makeSamplePdf(), {
      query: { reason: 'Because', location: 'Here', contact_info: 'mailto:seals@example.org', name: 'Sample Ltd' },
    });
    const text = Buffer.from(sealed).toString('latin1');
    for (const entry of [
      '/SubFilter /ETSI.CAdES.detached',
      '/Filter /Adobe.PPKLite',
      '(Because)',
      '(Here)',
      '(mailto:seals@example.org)',
      '(Sample Ltd)',
    ])
      expect(text.replaceAll(/\/(SubFilter|Filter)\//g, '/$1 /')).toContain(entry);
    expect(text).not.toContain('/Cert');
    const hex = /\/Contents\s*<([0-9a-fA-F]+)>/.exec(text)?.[1] ?? '';
    const printed = execFileSync('openssl', ['cms', '-cmsout', '-print', '-inform', 'DER'], {
      input: Buffer.from(hex, 'hex'),
      encoding: 'utf8',
    });
    expect(printed).toContain('signingCertificateV2');
    expect(printed).not.toContain('signingTime');
    expect(printed.match(/smime-aa-timeStampToken/g)).toHaveLength(1);
    expect(printed).toContain('Sigillum Development Issuing CA');
  });

  test('looks the same as the input', async () => {
    const input = makeSamplePdf('classic', { pages: 2 });
    const before = save('before.pdf', input);
    const after = save('after.pdf', await sealOrThrow(home, input));
    for (const file of [before, after]) execFileSync('pdftoppm', ['-r', '72', '-png', file, file]);
    for (const page of [1, 2])
      expect(readFileSync(`${after}-${page}.png`).equals(readFileSync(`${before}-${page}.png`))).toBe(true);
  });

  test('is in the journal with the digests of what came and what went', async () => {
    const input = makeSamplePdf();
    const reply = await postSeal(home, input);
    if (reply.kind !== 'sealed') throw new Error('not sealed');
    expect(reply.headers.get('location')).toBe(`/v1/seals/${reply.sealId}`);
    const [newest] = await readJournal(home);
    expect(newest).toMatchObject({ id: reply.sealId, status: 'completed' });
    expect(newest?.document.sha256).toBe(sha256(input));
    expect(newest?.sealed).toEqual({ size: reply.bytes.length, sha256: sha256(reply.bytes) });
  });
});

describe('what is refused', () => {
  const expectProblem = async (
    pdf: Uint8Array,
    status: number,
    code: string | RegExp,
    query: Record<string, string> = {},
    headers: Record<string, string> = {},
  ) => {
    const reply = await postSeal(home, pdf, { query, headers });
    expect(reply).toMatchObject({ kind: 'problem', status, code: expect.stringMatching(code) });
    if (reply.kind !== 'problem') return;
    expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(reply.body).toMatchObject({ type: `/problems/${reply.code}`, status });
    expect(reply.body['request_id']).toBe(reply.headers.get('sigillum-request-id'));
  };

  test('what is no PDF, a damaged, an encrypted and an empty one', async () => {
    const good = makeSamplePdf();
    await expectProblem(Buffer.from('hello'), 422, /^pdf_/);
    await expectProblem(good.subarray(0, good.length - 200), 422, /^pdf_/);
    await expectProblem(
      Buffer.from(
        Buffer.from(good)
          .toString('latin1')
          .replace(/startxref\n\d+/, 'startxref\n7'),
        'latin1',
      ),
      422,
      'pdf_xref_damaged',
    );
    await expectProblem(rewriteWithQpdf(good, ['--encrypt', 'user', 'owner', '256', '--']), 422, 'pdf_password_needed');
    await expectProblem(new Uint8Array(0), 422, /^(seal_document_empty|pdf_)/);
  });

  test('unknown options, another media type, a wrong key, an answer nobody gives', async () => {
    const good = makeSamplePdf();
    await expectProblem(good, 400, 'request_invalid', { colour: 'blue' });
    await expectProblem(good, 400, 'request_invalid', { reason: 'x'.repeat(100_000 / 16) });
    await expectProblem(good, 400, 'request_invalid', { level: 'b-b' });
    await expectProblem(good, 415, 'request_media_type_unsupported', {}, { 'content-type': 'text/plain' });
    await expectProblem(good, 406, 'request_not_acceptable', {}, { accept: 'image/png' });
    await expectProblem(good, 401, 'request_unauthenticated', {}, { authorization: 'Bearer sk_test_wrong' });
  });

  test('nothing that is refused is charged or left pending', async () => {
    for (const seal of await readJournal(home)) expect(seal.status).not.toBe('pending');
  });
});

describe('an idempotency key', () => {
  test('gives the same bytes for the same request, and 422 for another one', async () => {
    const pdf = makeSamplePdf('classic', { text: 'Once only' });
    const headers = { 'idempotency-key': 'order-4711' };
    const first = await sealOrThrow(home, pdf, { headers });
    const count = (await readJournal(home)).length;
    const second = await sealOrThrow(home, pdf, { headers });
    expect(Buffer.from(second).equals(Buffer.from(first))).toBe(true);
    expect(await readJournal(home)).toHaveLength(count);
    const other = await postSeal(home, makeSamplePdf('classic', { text: 'Another' }), { headers });
    expect(other).toMatchObject({ kind: 'problem', status: 422, code: 'idempotency_key_reused' });
    const options = await postSeal(home, pdf, { headers, query: { reason: 'new' } });
    expect(options).toMatchObject({ kind: 'problem', status: 422, code: 'idempotency_key_reused' });
  });

  test('with ten calls at once makes one seal', async () => {
    const pdf = makeSamplePdf('classic', { text: 'All at once' });
    const before = (await readJournal(home)).length;
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => postSeal(home, pdf, { headers: { 'idempotency-key': 'crowd' } })),
    );
    const sealed = replies.filter((reply) => reply.kind === 'sealed');
    expect(sealed.length).toBeGreaterThanOrEqual(1);
    expect(new Set(sealed.map((reply) => sha256(reply.bytes))).size).toBe(1);
    for (const reply of replies)
      if (reply.kind === 'problem') expect(reply).toMatchObject({ status: 409, code: 'idempotency_key_in_flight' });
    expect(await readJournal(home)).toHaveLength(before + 1);
  });
});

describe('clients that we did not write', () => {
  test('openssl asks the public TSA for a time-stamp and verifies it', () => {
    const query = join(folder, 'query.tsq');
    const answer = join(folder, 'answer.tsr');
    execFileSync('openssl', [
      'ts',
      '-query',
      '-data',
      save('data.txt', Buffer.from('data')),
      '-sha256',
      '-cert',
      '-out',
      query,
    ]);
    execFileSync('curl', [
      '-sS',
      '--fail',
      '-H',
      'Content-Type: application/timestamp-query',
      '--data-binary',
      `@${query}`,
      '-o',
      answer,
      home.ready.tsa_url,
    ]);
    const verified = execFileSync(
      'openssl',
      ['ts', '-verify', '-queryfile', query, '-in', answer, '-CAfile', home.ready.root_certificate],
      { encoding: 'utf8', stdio: 'pipe' },
    );
    expect(verified).toContain('Verification: OK');
  });

  test('openssl verifies the seal chain with the CRLs that the home publishes', () => {
    const bundle = save('crls.pem', Buffer.concat(home.ready.crls.map((path) => readFileSync(path))));
    const chain = join(home.directory, 'pki/issuing-ca.pem');
    for (const name of credentials) {
      const leaf = join(home.directory, `pki/${name}.pem`);
      const verified = execFileSync(
        'openssl',
        [
          'verify',
          '-x509_strict',
          '-crl_check_all',
          '-CAfile',
          home.ready.root_certificate,
          '-CRLfile',
          bundle,
          '-untrusted',
          chain,
          leaf,
        ],
        { encoding: 'utf8' },
      );
      expect(verified).toContain('OK');
    }
  });

  test('the CRL and the issuer behind the URLs in the certificates can be fetched', async () => {
    const text = execFileSync('openssl', ['x509', '-in', join(home.directory, 'pki/p256.pem'), '-noout', '-text'], {
      encoding: 'utf8',
    });
    const urls = [...text.matchAll(/URI:(http:\S+)/g)].map((match) => match[1] ?? '');
    expect(urls).toHaveLength(2);
    for (const url of urls) {
      const response = await fetch(url);
      expect(response.status).toBe(200);
      const bytes = Buffer.from(await response.arrayBuffer());
      execFileSync('openssl', [url.endsWith('.crl') ? 'crl' : 'x509', '-inform', 'DER', '-noout'], { input: bytes });
    }
    expect(text).not.toContain('OCSP');
  });
});

describe('the command line', () => {
  const sigillum = (...args: readonly string[]) =>
    spawnSync('npx', ['--no-install', 'sigillum', ...args, '--home', home.directory], {
      cwd: repository,
      encoding: 'utf8',
    });

  test('seals a file without a key in its arguments, and says the state of the service', async () => {
    const input = save('cli-in.pdf', makeSamplePdf());
    const output = join(folder, 'cli-out.pdf');
    const run = sigillum('seal', input, '-o', output, '--credential', 'p384');
    expect({ status: run.status, stderr: run.stderr }).toMatchObject({ status: 0 });
    await expectAccepted([output]);
    expect(sigillum('status').status).toBe(0);
  }, 60_000);

  test('says what is wrong with a file, and leaves no output', () => {
    const input = save('cli-bad.pdf', Buffer.from('no pdf'));
    const run = sigillum('seal', input, '-o', join(folder, 'cli-bad-out.pdf'));
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/%PDF-|not a PDF/);
    expect(() => readFileSync(join(folder, 'cli-bad-out.pdf'))).toThrow();
  });
});
