import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevelopmentHome, makeSamplePdf, readMappedFiles, readOpenFiles } from '@sigillum/testing';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { postSeal, readAuditEvents, sealOrThrow } from './seal-client.ts';

const repository = join(import.meta.dirname, '../..');
let home: DevelopmentHome;

beforeAll(async () => {
  home = await DevelopmentHome.start();
  await sealOrThrow(home, makeSamplePdf());
}, 180_000);
afterAll(async () => {
  await home?.remove();
}, 60_000);

const isNative = (path: string): boolean => /softhsm|pkcs11/i.test(path);
const inHome = (path: string): string => join(home.directory, path);
const readHome = (path: string): string => readFileSync(inHome(path), 'utf8');

describe('from outside', () => {
  test('only the signer processes have the PKCS#11 module and its addon loaded', () => {
    const signers = home.findSigners().map((entry) => entry.pid);
    expect(signers.length).toBeGreaterThanOrEqual(2);
    for (const { pid, command } of home.processes()) {
      const native = readMappedFiles(pid).filter(isNative);
      if (signers.includes(pid)) expect(native.some((path) => path.includes('libsofthsm2.so'))).toBe(true);
      else expect({ command, native }).toEqual({ command, native: [] });
    }
  });

  test('no process but the signers has a token, a PIN or a TLS key of another service open', () => {
    for (const name of ['document-service', 'tsa', 'hash-signer'] as const) {
      const open = readOpenFiles(home.findService(name).pid);
      expect(open.filter((path) => /\/tokens\/|\/secrets\/|\.key$/.test(path))).toEqual([]);
    }
  });

  test('no PIN, password or pepper stands in a log, an argument, an environment or a configuration', () => {
    const secrets = readdirSync(inHome('secrets')).map((name) => readHome(`secrets/${name}`).trim());
    expect(secrets.length).toBeGreaterThanOrEqual(6);
    const texts = home
      .processes()
      .map(({ pid, command }) => `${command}\n${readFileSync(`/proc/${pid}/environ`, 'utf8')}`);
    // ready.json holds the sandbox key on purpose
    for (const folder of ['logs', 'config', 'run', 'transcripts'])
      for (const entry of readdirSync(inHome(folder), { withFileTypes: true, recursive: true }))
        if (entry.isFile() && entry.name !== 'ready.json')
          texts.push(readFileSync(join(entry.parentPath, entry.name), 'utf8'));
    for (const secret of secrets) for (const text of texts) expect(text.includes(secret)).toBe(false);
  });

  test('signer processes leave no core dumps', () => {
    for (const { pid } of home.findSigners()) {
      expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max core file size\s+0\s+0\s/m);
    }
  });

  test('hash-signer never had a document in its hands', async () => {
    const mark = `Unmistakable ${randomBytes(12).toString('hex')}`;
    await sealOrThrow(home, makeSamplePdf('classic', { text: mark }));
    for (const folder of ['audit/hash-signer', 'logs'])
      for (const name of readdirSync(inHome(folder)))
        if (name.includes('.')) expect(readFileSync(join(inHome(folder), name), 'utf8')).not.toContain(mark);
  });
});

type RpcAnswer = {
  readonly status: number;
  readonly body: {
    code?: string;
    results?: { signature?: string; code?: string }[];
    keys?: { key_id: string; purpose: string; name: string }[];
  };
};

/** One call of the RPC with node:https alone, so that no client of ours is in between. */
function callRpc(path: string, identity: { cert?: string; key?: string }, body?: unknown): Promise<RpcAnswer> {
  const { listen } = parse(readHome('config/hash-signer.yaml')) as { listen: { port: number } };
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port: listen.port,
        path,
        method: body === undefined ? 'GET' : 'POST',
        ca: readHome('tls/root.pem'),
        agent: false,
        headers: { 'content-type': 'application/json' },
        ...identity,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: JSON.parse(Buffer.concat(parts).toString()) as RpcAnswer['body'],
          }),
        );
      },
    );
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const identityOf = (service: string) => ({ cert: readHome(`tls/${service}.pem`), key: readHome(`tls/${service}.key`) });

function readManifest(name: string): { key_id: string; algorithm: string } {
  return JSON.parse(readHome(`keys/${name}.json`)) as { key_id: string; algorithm: string };
}

function signRequest(name: string, digestLength = 32) {
  const { key_id, algorithm } = readManifest(name);
  const digests = [{ digest: randomBytes(digestLength).toString('base64'), context: { seal_id: 'seal_from_a_test' } }];
  return { request_id: `req-${randomBytes(6).toString('hex')}`, timeout_ms: 5000, key_id, algorithm, digests };
}

describe('the signing RPC', () => {
  test('document-service gets a signature with a seal key, and its audit line is there when the answer is', async () => {
    const body = signRequest('p256');
    const answer = await callRpc('/v1/signDigests', identityOf('document-service'), body);
    expect(answer.status).toBe(200);
    expect(answer.body.results?.[0]?.signature).toBeTruthy();
    const folder = inHome('audit/hash-signer');
    const files = readdirSync(folder)
      .filter((file) => file.endsWith('.jsonl'))
      .map((file) => join(folder, file));
    const line = readAuditEvents(files).find((event) => event['request_id'] === body.request_id);
    expect(line).toMatchObject({
      outcome: 'signed',
      key_id: body.key_id,
      client: 'spiffe://sigillum.internal/document-service',
    });
  });

  test('a caller without a certificate gets no connection', async () => {
    await expect(callRpc('/v1/keys', {})).rejects.toThrow();
  });

  test('a certificate that the seal CA issued, in the very name of document-service, gets no connection', async () => {
    const intruder = issueBySealCa();
    expect(intruder.cert).toContain('BEGIN CERTIFICATE');
    await expect(callRpc('/v1/signDigests', intruder, signRequest('p256'))).rejects.toThrow();
  });

  test('the certificate of the server, which is no client, is refused', async () => {
    const outcome = await callRpc('/v1/keys', identityOf('hash-signer')).then(
      (answer) => answer.status,
      () => 'no connection',
    );
    expect([403, 'no connection']).toContain(outcome);
  });

  test('tsa may not use a seal key, document-service not the time-stamp key, and nobody the canary or a CA key', async () => {
    for (const [service, key] of [
      ['tsa', 'p256'],
      ['document-service', 'tsu'],
      ['document-service', 'canary'],
    ] as const) {
      const answer = await callRpc('/v1/signDigests', identityOf(service), signRequest(key));
      expect(answer.status).toBe(403);
      expect(answer.body.code).toBe('signer_key_forbidden');
    }
    for (const key of ['root', 'issuing-ca', 'tsa-ca'])
      expect((await callRpc('/v1/signDigests', identityOf('document-service'), signRequest(key, 48))).body.code).toBe(
        'signer_key_unknown',
      );
  });

  test('each service sees the keys of its purpose alone', async () => {
    const purposes = async (service: string) =>
      new Set((await callRpc('/v1/keys', identityOf(service))).body.keys?.map((key) => key.purpose));
    expect(await purposes('document-service')).toEqual(new Set(['seal']));
    expect(await purposes('tsa')).toEqual(new Set(['timestamp']));
  });

  test.each([20, 31, 33, 48, 64])('a digest of %i bytes is not signed with P-256', async (length) => {
    const answer = await callRpc('/v1/signDigests', identityOf('document-service'), signRequest('p256', length));
    const code = answer.body.code ?? answer.body.results?.[0]?.code;
    expect(code).toBe('signer_digest_length_wrong');
  });
});

describe('credentials', () => {
  test("another organisation's credential is as unknown as one that never was", async () => {
    const other = provisionOtherOrganisation();
    const mine = (await listCredentials(home.ready.api_key)).map((entry) => entry.id);
    const theirs = await listCredentials(other.apiKey);
    expect(theirs.map((entry) => entry.name)).toEqual(['theirs']);
    const pdf = makeSamplePdf();
    for (const credential of ['theirs', theirs[0]?.id ?? '', 'cred_00000000000000000000000000']) {
      const reply = await postSeal(home, pdf, { query: { credential } });
      expect(reply).toMatchObject({ kind: 'problem', status: 404, code: 'credential_not_found' });
    }
    const reply = await postSeal(home, pdf, {
      query: { credential: mine[0] ?? '' },
      headers: { authorization: `Bearer ${other.apiKey}` },
    });
    expect(reply).toMatchObject({ kind: 'problem', status: 404 });
  });

  test("another organisation doesn't see our seals", async () => {
    const { apiKey } = provisionOtherOrganisation();
    const sealed = await postSeal(home, makeSamplePdf());
    if (sealed.kind !== 'sealed') throw new Error('not sealed');
    const response = await fetch(`${home.ready.url}/v1/seals/${sealed.sealId}`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    expect(response.status).toBe(404);
    const page = await fetch(`${home.ready.url}/v1/seals`, { headers: { authorization: `Bearer ${apiKey}` } });
    expect(((await page.json()) as { data: unknown[] }).data).toEqual([]);
  });
});

async function listCredentials(apiKey: string): Promise<readonly { id: string; name: string }[]> {
  const response = await fetch(`${home.ready.url}/v1/credentials`, { headers: { authorization: `Bearer ${apiKey}` } });
  return ((await response.json()) as { data: { id: string; name: string }[] }).data;
}

/** A second organisation on the same database, through the service's own command. */
function provisionOtherOrganisation(): { apiKey: string } {
  const keyFile = inHome('secrets/other-api-key');
  if (!existsSync(keyFile)) {
    writeFileSync(keyFile, `sk_test_${randomBytes(24).toString('hex')}`, { mode: 0o600 });
    writeFileSync(
      inHome('config/other.yaml'),
      [
        'organisation: {name: Other, mode: test}',
        'api_key_file: ../secrets/other-api-key',
        'credentials:',
        '  - {name: theirs, manifest: ../keys/p256.json, certificate: ../pki/p256.pem, chain: [../pki/issuing-ca.pem, ../pki/root.pem]}',
        'default_credential: theirs',
      ].join('\n'),
    );
    runNode(
      'packages/document-service/src/main.ts',
      'provision',
      '--config',
      inHome('config/document-service.yaml'),
      '--file',
      inHome('config/other.yaml'),
    );
  }
  return { apiKey: readFileSync(keyFile, 'utf8').trim() };
}

/** A TLS client certificate issued by the CA of the seals, made by ceremonies on the token `ca`. */
function issueBySealCa(): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'sigillum-plans-'));
  const run = (name: string, plan: string) => {
    writeFileSync(join(folder, name), plan);
    const pin = openSync(inHome('secrets/ca-user.pin'), 'r');
    execFileSync(
      process.execPath,
      [
        '--conditions=source',
        'hsm/src/main.ts',
        'run',
        join(folder, name),
        '--home',
        home.directory,
        '--base-url',
        home.ready.url,
        '--pin-fd',
        '3',
      ],
      {
        cwd: repository,
        stdio: ['ignore', 'pipe', 'pipe', pin],
      },
    );
  };
  run(
    'key.yaml',
    'ceremony-type: generate-key\ndevelopment: true\ndescription: key of an intruder\nin: file\nspec: p256\npurpose: tls\noutputs: {private_key: tls/intruder.key}\n',
  );
  run(
    'certificate.yaml',
    `ceremony-type: issue-certificate
development: true
description: certificate of an intruder
profile: tls-client
issuer:
  certificate: pki/issuing-ca.pem
  key: { manifest: keys/issuing-ca.json }
subject_key: { file: tls/intruder.key }
subject: { organization: Sigillum Development — no legal value, common_name: document-service }
validity: { days: 7, backdate_minutes: 60 }
names: { uris: ["spiffe://sigillum.internal/document-service"] }
outputs: { certificate: tls/intruder.pem }
`,
  );
  return { cert: readHome('tls/intruder.pem') + readHome('pki/issuing-ca.pem'), key: readHome('tls/intruder.key') };
}

function runNode(...args: readonly string[]): void {
  execFileSync(process.execPath, ['--conditions=source', ...args], { cwd: repository, stdio: 'pipe' });
}
