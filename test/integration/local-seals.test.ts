import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  createReadStream,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AppearanceFonts, locateFontFiles } from '@sigillum/appearances';
import { validateSignatures } from '@sigillum/pades';
import { createArraySource, isPdfArray, listFormFields, openPdf, PdfDict, PdfStream, PdfString } from '@sigillum/pdf';
import { cmsOids, decodeOctetString, decodePem, parseSignedData, parseTstInfo } from '@sigillum/pki';
import { type CredentialResource, SigillumApiError, SigillumClient, type SealDocumentOptions } from '@sigillum/sdk';
import { DevelopmentHome, makeSamplePdf, rewriteWithQpdf } from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CredentialMemory } from '../../packages/sdk/src/local/credential-memory.ts';
import type { DigestApi } from '../../packages/sdk/src/local/digest-api.ts';
import { sealLocally } from '../../packages/sdk/src/local/seal-locally.ts';

/** Seals whose document never leaves the caller: the same files as the service's, and nothing but digests sent. */

const corpus = join(import.meta.dirname, '../corpus/files');
const folder = mkdtempSync(join(tmpdir(), 'sigillum-local-'));
const script = join(import.meta.dirname, '../../packages/cli/bin/sigillum.mjs');
const appearance = { page: 1, rectangle: [36, 40, 260, 120], qr: 'https://seal.example/verify', border: {} };
const run = promisify(execFile);
let home: DevelopmentHome;
let client: SigillumClient;
let roots: readonly Uint8Array[];

beforeAll(async () => {
  home = await DevelopmentHome.start();
  client = new SigillumClient({ url: home.ready.url, apiKey: home.ready.api_key });
  roots = decodePem(readFileSync(home.ready.root_certificate, 'utf8'));
}, 200_000);
afterAll(async () => {
  await home?.remove();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** All that was not the document's in a file that the service sealed: clock, random bytes, signature, tokens, data. */
type Ingredients = {
  readonly credential: CredentialResource;
  readonly now: Date;
  readonly random: readonly Uint8Array[];
  readonly cms: Uint8Array;
  readonly documentToken: Uint8Array | undefined;
  readonly certificates: readonly string[];
  readonly crls: readonly string[];
  readonly ocsps: readonly string[];
};

/** Reads them out of the file. */
function takeApart(sealed: Uint8Array, inputSize: number, credential: CredentialResource): Ingredients {
  const document = openPdf(createArraySource(sealed));
  const text = Buffer.from(sealed.subarray(inputSize)).toString('latin1');
  const contents = [...text.matchAll(/\/Contents <([0-9a-f]+)>/g)].map(([, hex = '']) => Buffer.from(hex, 'hex'));
  const [cms, documentToken] = contents.map(cutPadding);
  // through the document: in an encrypted one it is no plain text
  const [dict] = listFormFields(document)
    .flatMap(({ value }) => {
      const signature = value === undefined ? undefined : document.resolve(value);
      return signature instanceof PdfDict && document.find(signature, 'M') !== undefined ? [signature] : [];
    })
    .slice(-1);
  const madeAt = dict && document.find(dict, 'M');
  const time = madeAt instanceof PdfString ? Buffer.from(madeAt.bytes).toString('latin1') : '';
  const [, year, month, day, hour, minute, second] = /D:(....)(..)(..)(..)(..)(..)/.exec(time) ?? [];
  const now = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const random = [...text.matchAll(/\/ID \[<[0-9a-f]*> ?<([0-9a-f]{32})>\]/g)].map(([, hex = '']) =>
    Buffer.from(hex, 'hex'),
  );
  const store = document.find(document.catalog, 'DSS');
  const list = (key: string): readonly string[] => {
    const values = store instanceof PdfDict ? document.find(store, key) : undefined;
    return (isPdfArray(values) ? values : []).map((value) => {
      const stream = document.resolve(value);
      return stream instanceof PdfStream ? toBase64(document.readStream(stream)) : '';
    });
  };
  if (cms === undefined) throw new Error('there is no signature');
  return {
    credential: { ...credential, contents_size: contents[0]?.length ?? 0, server_time: now },
    now: new Date(now),
    random,
    cms,
    documentToken,
    certificates: list('Certs'),
    crls: list('CRLs'),
    ocsps: list('OCSPs'),
  };
}

/** DER says its own length (X.690 §8.1.3.5). */
function cutPadding(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes.subarray(0, 4 + bytes.readUInt16BE(2)));
}

/** A service that answers with the ingredients, to their own digests only. */
function replay(made: Ingredients, change: Partial<Awaited<ReturnType<DigestApi['sealDigest']>>> = {}) {
  const asked: unknown[] = [];
  const random = [...made.random];
  const parsed = parseSignedData(made.cms);
  const digestInCms = parsed.signer.attributes.get(cmsOids.messageDigest);
  const stamp = { time: made.now.toISOString(), serial: '01' };
  const data = { certificates: made.certificates, crls: made.crls, ocsps: made.ocsps };
  return {
    asked,
    ports: {
      credentials: new CredentialMemory({ load: async () => made.credential, now: () => made.now }),
      sealDigest: async (body: Parameters<DigestApi['sealDigest']>[0]) => {
        asked.push(body);
        expect(body.digest).toBe(digestInCms && toBase64(decodeOctetString(digestInCms)));
        const answer = { id: 'seal_X', level: body.level, signing_time: body.signing_time, time_stamp: stamp };
        return { ...answer, cms: toBase64(made.cms), ...data, document_time_stamp: null, ...change };
      },
      timeStampDocument: async (id: string, body: Parameters<DigestApi['timeStampDocument']>[1]) => {
        asked.push(body);
        const token = made.documentToken ?? new Uint8Array();
        const { imprint } = parseTstInfo(parseSignedData(token).content ?? token);
        expect(body).toMatchObject({ digest: toBase64(imprint.digest), digest_algorithm: imprint.algorithm });
        return { id, token: toBase64(token), time_stamp: stamp, certificates: [], crls: [], ocsps: [] };
      },
      loadFonts: async () => {
        const files = locateFontFiles();
        return new AppearanceFonts({ regular: readFileSync(files.regular), bold: readFileSync(files.bold) });
      },
      now: () => made.now,
      random: (length: number) => {
        const next = random.shift();
        if (next?.length !== length) throw new Error('other random bytes were asked for');
        return new Uint8Array(next);
      },
    },
  };
}

async function sealByService(
  input: Uint8Array,
  options: SealDocumentOptions,
): Promise<Ingredients & { bytes: Uint8Array }> {
  const bytes = await (await client.seal(input, options)).bytes();
  const credential = await client.getCredential(options.credential ?? 'default');
  return { ...takeApart(bytes, input.length, credential), bytes };
}

describe('with the same clock, random bytes, signature, tokens and data', () => {
  const read = (name: string) => new Uint8Array(readFileSync(join(corpus, name)));
  const hasQpdf = process.env['CI'] === 'true' || spawnSync('qpdf', ['--version']).error === undefined;
  const encrypt = () =>
    rewriteWithQpdf(makeSamplePdf(), ['--allow-weak-crypto', '--encrypt', '', 'owner', '128', '--']);
  const visible = { appearance, reason: 'Perché è così', location: 'Trento', contactInfo: 'a@example.org' };
  const cases: readonly (readonly [string, () => Uint8Array, SealDocumentOptions])[] = [
    ['b-t', () => makeSamplePdf(), { level: 'b-t' }],
    ['b-lt by p384', () => makeSamplePdf('xref-stream'), { level: 'b-lt', credential: 'p384', name: 'Ä B' }],
    ['b-lta by rsa-pss-3072', () => makeSamplePdf('object-streams'), { level: 'b-lta', credential: 'rsa-pss-3072' }],
    ['b-lta by rsa-2048', () => makeSamplePdf('linearized'), { level: 'b-lta', credential: 'rsa-2048' }],
    ['b-t, visible, in an xref stream', () => makeSamplePdf('xref-stream'), { level: 'b-t', ...visible }],
    ...(hasQpdf ? [['b-lta in a file encrypted by RC4', encrypt, { level: 'b-lta', ...visible }] as const] : []),
    ['b-lta, visible', () => makeSamplePdf('hybrid'), { level: 'b-lta', ...visible }],
    ['b-lt, visible and certified', () => read('pdf-lib/form-filled.pdf'), { level: 'b-lt', certify: 2, ...visible }],
    ['b-lta in a field of that name', () => makeSamplePdf(), { level: 'b-lta', field: 'Approval' }],
    ['b-lta after signatures of others', () => read('pyhanko/signed-twice.pdf'), { level: 'b-lta' }],
    ['b-lt in PDF/A', () => read('ghostscript/text-pdfa-1b.pdf'), { level: 'b-lt' }],
  ];

  test.each(cases)(
    "%s: the file is the service's, byte for byte",
    async (_name, load, options) => {
      const input = load();
      const made = await sealByService(input, options);
      const { ports, asked } = replay(made);
      const local = await sealLocally(input, { ...options, roots }, ports);
      const bytes = await local.bytes();
      expect(Buffer.from(bytes).equals(made.bytes)).toBe(true);
      expect(asked).toHaveLength(options.level === 'b-lta' ? 2 : 1);
      expect([local.size, local.level]).toEqual([bytes.length, options.level]);
    },
    60_000,
  );

  test('an answer that does not fit is refused, and nothing comes out', async () => {
    const input = makeSamplePdf();
    const [made, other] = [
      await sealByService(input, { level: 'b-lt' }),
      await sealByService(input, { level: 'b-lt' }),
    ];
    const attempt = async (change: Parameters<typeof replay>[1]) =>
      sealLocally(input, { level: 'b-lt' }, replay(made, change).ports).then(
        () => 'sealed',
        (error: unknown) => error,
      );
    const unsure = { name: 'SigillumError', code: 'client_answer_wrong' };
    const damaged = Uint8Array.from(made.cms);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    expect(await attempt({})).toBe('sealed');
    expect(await attempt({ level: 'b-t' })).toMatchObject(unsure);
    expect(await attempt({ cms: toBase64(other.cms) })).toMatchObject(unsure);
    expect(await attempt({ cms: toBase64(damaged) })).toMatchObject(unsure);
    expect(await attempt({ cms: 'AAAA' })).toMatchObject(unsure);
    // the right signature and token, but another certificate beside them
    const [stranger = new Uint8Array()] = decodePem((await client.getCredential('p384')).certificate, 'CERTIFICATE');
    expect(await attempt({ cms: toBase64(insertCertificate(made.cms, stranger)) })).toMatchObject(unsure);
    const strange = sealLocally(input, { level: 'b-lt', roots: [stranger] }, replay(made).ports);
    await expect(strange).rejects.toMatchObject(unsure);
  }, 60_000);

  test('what was known of the credential is asked for again when it is out of date', async () => {
    const input = makeSamplePdf();
    const made = await sealByService(input, { level: 'b-t' });
    const { ports } = replay({ ...made, random: [new Uint8Array(16), ...made.random] });
    let [loads, calls] = [0, 0];
    const problem = {
      type: '',
      title: '',
      status: 409,
      detail: 'more',
      code: 'seal_contents_too_small',
      request_id: 'r',
    };
    const credentials = new CredentialMemory({
      load: async () => ({ ...made.credential, contents_size: loads++ === 0 ? 4096 : made.credential.contents_size }),
      now: () => made.now,
    });
    const sealDigest: DigestApi['sealDigest'] = (body) => {
      if (calls++ === 0) throw new SigillumApiError(problem);
      return ports.sealDigest(body);
    };
    const sealed = await sealLocally(input, {}, { ...ports, credentials, sealDigest });
    expect(Buffer.from(await sealed.bytes()).equals(made.bytes)).toBe(true);
    expect([loads, calls]).toEqual([2, 2]);
    const never = sealLocally(
      input,
      {},
      {
        ...ports,
        random: (length) => new Uint8Array(length),
        sealDigest: () => Promise.reject(new SigillumApiError(problem)),
      },
    );
    await expect(never).rejects.toMatchObject({ code: 'seal_contents_too_small' });
  });

  test("a clock that is wrong here doesn't matter: the service's counts", async () => {
    const input = makeSamplePdf();
    const made = await sealByService(input, { level: 'b-lt' });
    const { ports } = replay(made);
    const early = () => new Date(made.now.getTime() - 3 * 3_600_000);
    const credentials = new CredentialMemory({ load: async () => made.credential, now: early });
    const sealed = await sealLocally(input, { level: 'b-lt' }, { ...ports, credentials, now: early });
    expect(Buffer.from(await sealed.bytes()).equals(made.bytes)).toBe(true);
  });
});

/** The CMS with one more certificate in its bag, which nothing signs: all lengths around it are two bytes long here. */
function insertCertificate(cms: Uint8Array, certificate: Uint8Array): Uint8Array {
  const bytes = Buffer.from(cms);
  const [first] = parseSignedData(cms).certificates;
  const bag = bytes.indexOf(Buffer.from(first ?? [])) - 4;
  expect([bytes[bag], bytes[bag + 1]]).toEqual([0xa0, 0x82]);
  const longer = Buffer.concat([bytes.subarray(0, bag + 4), certificate, bytes.subarray(bag + 4)]);
  // ContentInfo, [0], SignedData, and the bag itself
  for (const at of [2, 4 + 11 + 2, 4 + 11 + 4 + 2, bag + 2]) {
    longer.writeUInt16BE(longer.readUInt16BE(at) + certificate.length, at);
  }
  parseSignedData(longer);
  return new Uint8Array(longer);
}

describe('against a running home', () => {
  test.each(['b-t', 'b-lt', 'b-lta'] as const)(
    'every credential seals a file at %s; a bit changed is found',
    async (level) => {
      const path = join(folder, `${level}.pdf`);
      writeFileSync(path, makeSamplePdf('object-streams'));
      for (const credential of ['p256', 'p384', 'rsa-pss-3072', 'rsa-2048']) {
        const sealed = await client.sealLocally(path, { level, credential, roots });
        const bytes = await sealed.bytes();
        const options = { roots, now: new Date(), requiresRevocation: level !== 'b-t' };
        expect(validateSignatures(createArraySource(bytes), options)).toMatchObject({ accepted: true, findings: [] });
        bytes[40] = (bytes[40] ?? 0) ^ 1;
        expect(validateSignatures(createArraySource(bytes), options).accepted).toBe(false);
        expect(await client.getSeal(sealed.sealId)).toMatchObject({
          level,
          content_seen: false,
          document: null,
          status: 'completed',
        });
      }
    },
    60_000,
  );

  test('bytes, a path, a handle, a source and a stream give the same', async () => {
    const document = makeSamplePdf('classic', { padding: 9_000_000 });
    const path = join(folder, 'large.pdf');
    writeFileSync(path, document);
    const ways = { bytes: document, path, source: createArraySource(document), stream: createReadStream(path) };
    for (const [name, way] of Object.entries(ways)) {
      const bytes = await (await client.sealLocally(way)).bytes();
      expect([name, Buffer.from(bytes.subarray(0, document.length)).equals(document)]).toEqual([name, true]);
      const report = validateSignatures(createArraySource(bytes), { roots, now: new Date() });
      expect([name, report.accepted]).toEqual([name, true]);
    }
  }, 60_000);

  test('nothing of the document goes over the wire', async () => {
    const seen: Buffer[] = [];
    const proxy = createServer((incoming, outgoing) => {
      const target = request(new URL(incoming.url ?? '/', home.ready.url), {
        method: incoming.method,
        headers: incoming.headers,
      });
      target.on('response', (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      seen.push(Buffer.from(`\n${incoming.method} ${incoming.url}\n`));
      incoming.on('data', (chunk: Buffer) => seen.push(chunk));
      incoming.pipe(target);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const address = proxy.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    try {
      const spied = new SigillumClient({ url, apiKey: home.ready.api_key });
      const document = makeSamplePdf('classic', { text: 'Most secret', padding: 300_000 });
      const options = { level: 'b-lta', reason: 'Confidential', name: 'Nobody', appearance } as const;
      const bytes = await (await spied.sealLocally(document, options)).bytes();
      expect(bytes.length).toBeGreaterThan(document.length);
      const sent = Buffer.concat(seen).toString('latin1');
      expect(sent.match(/^(GET|POST) \S+$/gm)?.map((line) => line.replace(/seal_\w+/, 'ID'))).toEqual([
        'GET /v1/credentials/default',
        'POST /v1/seals/digest',
        'POST /v1/seals/ID/document-time-stamp',
      ]);
      expect(sent.length).toBeLessThan(1_500);
      expect(sent).not.toMatch(/secret|Confidential|Nobody/);
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  }, 60_000);

  test('what can not be sealed is refused here, with the codes of the service', async () => {
    const refused = join(corpus, '../refused');
    const count = async () => (await client.listSeals({ limit: 1 })).data[0]?.id;
    const before = await count();
    for (const [file, code] of [
      ['certified-p1.pdf', 'docmdp_forbids_changes'],
      ['encrypted-user-password.pdf', 'pdf_password_needed'],
      ['truncated.pdf', 'pdf_startxref_missing'],
    ] as const) {
      await expect(client.sealLocally(join(refused, file))).rejects.toMatchObject({ name: 'SigillumError', code });
    }
    await expect(client.sealLocally(new Uint8Array())).rejects.toMatchObject({ code: 'seal_document_empty' });
    await expect(client.sealLocally(folder)).rejects.toMatchObject({ code: 'client_document_unreadable' });
    await expect(client.sealLocally(join(folder, 'none'))).rejects.toMatchObject({
      code: 'client_document_unreadable',
    });
    const wide = { appearance: { ...appearance, rectangle: [0, 0, 9_000, 10] } };
    await expect(client.sealLocally(makeSamplePdf(), wide)).rejects.toMatchObject({
      code: 'appearance_rectangle_outside',
    });
    await expect(client.sealLocally(makeSamplePdf(), { credential: 'nobody' })).rejects.toMatchObject({
      code: 'credential_not_found',
    });
    // nothing of it reached the journal
    expect(await count()).toBe(before);
  });

  test('a file that changes meanwhile gives no sealed file', async () => {
    const path = join(folder, 'changing.pdf');
    writeFileSync(path, makeSamplePdf());
    const sealed = await client.sealLocally(path);
    utimesSync(path, new Date(0), new Date(0));
    await expect(sealed.bytes()).rejects.toMatchObject({ code: 'client_document_changed' });
  });

  test('sigillum extend raises a local seal in its place, and renews it', async () => {
    const path = join(folder, 'extended.pdf');
    writeFileSync(path, makeSamplePdf());
    const cli = (...args: readonly string[]) => run('node', [script, ...args, '--home', home.directory]);
    await cli('seal', path, '-o', path, '--local', '--force');
    const formats: unknown[] = [];
    let before = readFileSync(path);
    for (const level of ['b-lt', 'b-lta', 'b-lta']) {
      expect((await cli('extend', path, '--level', level)).stderr).toMatch(/^Extended as ext_/);
      const bytes = readFileSync(path);
      expect(bytes.subarray(0, before.length).equals(before)).toBe(true);
      const report = validateSignatures(createArraySource(bytes), { roots, now: new Date(), requiresRevocation: true });
      formats.push([report.accepted, ...report.signatures.map(({ format }) => format)]);
      before = bytes;
    }
    expect(formats).toEqual([
      [true, 'PAdES-BASELINE-LT'],
      [true, 'PAdES-BASELINE-LTA', 'RFC 3161'],
      [true, 'PAdES-BASELINE-LTA', 'RFC 3161', 'RFC 3161'],
    ]);
    const unsigned = join(folder, 'unsigned.pdf');
    writeFileSync(unsigned, makeSamplePdf());
    await expect(cli('extend', unsigned, '--level', 'b-lt')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('extension_unsigned'),
    });
    expect(readFileSync(unsigned).equals(makeSamplePdf())).toBe(true);
  }, 60_000);

  test('a sealed document that is kept is fetched, and a form brings an appearance', async () => {
    const document = makeSamplePdf('classic', { padding: 200_000 });
    const kept = await client.sealAndKeep(document, {
      level: 'b-lt',
      retain: '15m',
      appearance,
      field: 'Approval',
      certify: 3,
    });
    expect(kept).toMatchObject({ status: 'completed', level: 'b-lt', field_name: 'Approval', content_seen: true });
    const bytes = await (await client.getDocument(kept.id)).bytes();
    expect([bytes.length, kept.links.document]).toEqual([kept.sealed?.size, `/v1/seals/${kept.id}/document`]);
    expect(validateSignatures(createArraySource(bytes), { roots, now: new Date() }).accepted).toBe(true);
    const { sealId } = await client.sealLocally(document);
    await expect(client.getDocument(sealId)).rejects.toMatchObject({ code: 'seal_document_not_kept' });
  }, 60_000);

  test('sigillum seal --local keeps a large file out of memory', async () => {
    const path = join(folder, 'huge.pdf');
    makeHugePdf(path, 400 * 1024 * 1024);
    const source = join(import.meta.dirname, '../../packages/cli/src/main.ts');
    const watched = `
      import { readFileSync } from 'node:fs';
      process.on('exit', () => process.stderr.write(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[0]));
      process.argv.splice(1, 0, ${JSON.stringify(source)});
      await import(${JSON.stringify(source)});`;
    const args = [
      'seal',
      path,
      '-o',
      join(folder, 'huge-sealed.pdf'),
      '--local',
      '--level',
      'b-lt',
      '--home',
      home.directory,
    ];
    const { stderr } = await run(process.execPath, [
      '--conditions=source',
      '--input-type=module',
      '-e',
      watched,
      '--',
      ...args,
    ]);
    expect(stderr).toMatch(/Sealed as seal_/);
    expect(Number(/VmHWM:\s+(\d+)/.exec(stderr)?.[1]) / 1024).toBeLessThan(150);
    expect(
      (await run('node', [script, 'verify', join(folder, 'huge-sealed.pdf'), '--home', home.directory])).stdout,
    ).toContain('TOTAL-PASSED');
    rmSync(path);
    rmSync(join(folder, 'huge-sealed.pdf'));
  }, 120_000);
});

/** Fonts of Debian's fonts-dejavu-core and fonts-droid-fallback. */
const addedFonts = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  '/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf',
  '/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf',
];
const missingFonts = addedFonts.filter((path) => !existsSync(path));
const withFonts = missingFonts.length === 0 || process.env['CI'] === 'true' ? describe : describe.skip;

withFonts(
  `fonts in the configuration of the service${missingFonts.length > 0 ? ` (missing: ${missingFonts})` : ''}`,
  () => {
    const strange = { ...appearance, title: '株式会社', text: 'Հայաստան → ✓ 日本語の印章' };
    const options = { level: 'b-lta', appearance: strange } as const;
    const listFonts = (bytes: Uint8Array) =>
      Array.from(
        Buffer.from(bytes)
          .toString('latin1')
          .matchAll(/\/FontName \/([A-Z]{6}\+[\w-]+)/g),
        ([, name]) => name,
      );

    beforeAll(async () => {
      appendFileSync(join(home.directory, 'config/document-service.yaml'), `fonts: ${JSON.stringify(addedFonts)}\n`);
      process.kill(home.findService('document-service').pid, 'SIGKILL');
      for (const end = Date.now() + 60_000; ; await sleep(100)) {
        const made = await client.seal(makeSamplePdf(), { level: 'b-t', appearance: strange }).catch((error) => error);
        if (!Error.isError(made)) return void (await made.bytes());
        if (Date.now() > end) throw made;
      }
    }, 90_000);

    test('make the same seal as the same files given to the SDK', async () => {
      const input = makeSamplePdf();
      const made = await sealByService(input, options);
      const { ports } = replay(made);
      const files = locateFontFiles();
      const added = addedFonts.map((path) => ({ name: path, bytes: readFileSync(path) }));
      const loadFonts = async () =>
        new AppearanceFonts({ regular: readFileSync(files.regular), bold: readFileSync(files.bold), added });
      const local = await sealLocally(input, { ...options, roots }, { ...ports, loadFonts });
      expect(Buffer.from(await local.bytes()).equals(made.bytes)).toBe(true);
      expect(listFonts(made.bytes).length).toBeGreaterThan(2);
    }, 60_000);

    test('and as --font of the CLI, which without them makes none', async () => {
      const [path, out] = [join(folder, 'fonts.pdf'), join(folder, 'fonts-sealed.pdf')];
      writeFileSync(path, makeSamplePdf());
      const made = await sealByService(makeSamplePdf(), options);
      const file = join(folder, 'appearance.json');
      writeFileSync(file, JSON.stringify(strange));
      const command = ['seal', path, '-o', out, '--local', '--level', 'b-lta', '--appearance', file];
      const cli = (...args: readonly string[]) => run('node', [script, ...command, '--home', home.directory, ...args]);
      await expect(cli()).rejects.toMatchObject({ stderr: expect.stringContaining('appearance_text_unsupported') });
      expect(existsSync(out)).toBe(false);
      await cli(...addedFonts.flatMap((font) => ['--font', font]));
      const bytes = readFileSync(out);
      expect(listFonts(bytes)).toEqual(listFonts(made.bytes));
      expect(validateSignatures(createArraySource(bytes), { roots, now: new Date() }).accepted).toBe(true);
    }, 60_000);
  },
);

/** A page, and a stream that nothing shows. */
function makeHugePdf(path: string, padding: number): void {
  const small = Buffer.from(makeSamplePdf());
  const xref = small.lastIndexOf('xref\n0 ');
  const count = Number(/xref\n0 (\d+)/.exec(small.subarray(xref).toString('latin1'))?.[1]);
  const file = openSync(path, 'w');
  const head = Buffer.concat([
    small.subarray(0, xref),
    Buffer.from(`${count} 0 obj\n<< /Length ${padding} >>\nstream\n`),
  ]);
  writeSync(file, head);
  const piece = Buffer.alloc(1024 * 1024, 0x20);
  for (let done = 0; done < padding; done += piece.length) writeSync(file, piece);
  const tail = `\nendstream\nendobj\nxref\n${count} 1\n${String(xref).padStart(10, '0')} 00000 n \n`;
  const at = head.length + padding + '\nendstream\nendobj\n'.length;
  const table = small.subarray(xref).toString('latin1');
  const entries = table.slice(table.indexOf('\n', 5) + 1, table.indexOf('trailer'));
  const trailer = table
    .slice(table.indexOf('trailer'), table.indexOf('startxref'))
    .replace(/\/Size \d+/, `/Size ${count + 1}`);
  writeSync(
    file,
    Buffer.from(
      `${tail.slice(0, '\nendstream\nendobj\n'.length)}xref\n0 ${count + 1}\n${entries}${String(xref).padStart(10, '0')} 00000 n \n${trailer}startxref\n${at}\n%%EOF\n`,
    ),
  );
  closeSync(file);
}
