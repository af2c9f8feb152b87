import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { codeRegistry } from '@sigillum/errors';
import { parseConfig } from '@sigillum/service-kit';
import { createUuid } from '@sigillum/store';
import fc from 'fast-check';
import { TestService } from '../../test/test-service.ts';
import { configSchema } from '../config.ts';
import { routes } from '../routes/routes.ts';
import { fingerprintRequest } from '../sealing/fingerprint.ts';
import { sealOptionsSchema } from '../sealing/seal-options.ts';
import { buildOpenApi } from './build-openapi.ts';
import { encodeCursor, parseCursor } from './cursor.ts';
import { parseQuery } from './parse-query.ts';

const folder = mkdtempSync(join(tmpdir(), 'sigillum-http-'));
const service = new TestService();
const main = join(import.meta.dirname, '../main.ts');
beforeAll(() => service.start());
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
});

const get = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(service.url + path, init);
  return { status: response.status, headers: response.headers, body: await response.text() };
};

describe('the OpenAPI document', () => {
  const document = buildOpenApi(routes, 'https://seals.example');

  test('is valid OpenAPI 3.1 in the eyes of another tool', () => {
    const path = join(folder, 'openapi.json');
    writeFileSync(path, JSON.stringify(document));
    const redocly = createRequire(import.meta.url).resolve('@redocly/cli/bin/cli.js');
    const result = spawnSync(process.execPath, [redocly, 'lint', path], {
      encoding: 'utf8',
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' },
    });
    expect(result.stderr + result.stdout).toContain('Your API description is valid');
    expect(result.stderr + result.stdout).not.toContain('warning');
    expect(result.status).toBe(0);
  });

  test('says what is served: every route, its parameters, its scope, its codes', async () => {
    const served = JSON.parse((await get('/openapi.json')).body);
    expect(Object.keys(served.paths)).toEqual([...new Set(routes.map((route) => route.path))]);
    const create = served.paths['/v1/seals'].post;
    const names = create.parameters.map((parameter: { name: string }) => parameter.name);
    expect(names).toEqual([
      'credential',
      'level',
      'certify',
      'field',
      'reason',
      'location',
      'contact_info',
      'name',
      'appearance',
      'retain',
      'Idempotency-Key',
    ]);
    expect(create.requestBody.content).toHaveProperty(['application/pdf']);
    expect(create.responses[503].description).toContain('`tsa_unavailable`');
    expect(served.paths['/v1/status'].get.security).toEqual([]);
    // A client that puts a large appearance into the query meets this one before any route does.
    const { status, body } = await get(`/v1/seals?cursor=${'x'.repeat(20_000)}`);
    expect({ status, code: JSON.parse(body).code }).toEqual({ status: 431, code: 'request_head_too_large' });
    for (const operation of Object.values<Record<string, { responses: object }>>(served.paths).flatMap(Object.values))
      expect(operation.responses).toHaveProperty(['431']);
    const list = served.paths['/v1/seals'].get.parameters;
    expect(list[0]).toMatchObject({ name: 'limit', schema: { type: 'integer', maximum: 100 } });
  });
});

describe('queries', () => {
  test('percent signs, plus signs and text of any language arrive as they were meant', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 100, unit: 'grapheme' }), (reason) => {
        fc.pre(!/\p{Cc}/u.test(reason));
        const url = `/v1/seals?${new URLSearchParams({ reason })}`;
        expect(parseQuery(url, sealOptionsSchema)).toEqual({ level: 'b-t', reason });
      }),
    );
  });

  test('every wrong parameter is named at once, names that every object has among them', () => {
    try {
      parseQuery('/v1/seals?__proto__=1&level=x&a%2Fb=2&reason=', sealOptionsSchema);
      throw new RangeError('was accepted');
    } catch (error) {
      const fields = (error as { fields?: readonly { pointer: string }[] }).fields ?? [];
      expect(fields.map(({ pointer }) => pointer).sort()).toEqual([
        '/query/__proto__',
        '/query/a~1b',
        '/query/level',
        '/query/reason',
      ]);
    }
  });
});

describe('fingerprints', () => {
  const document = '01'.repeat(32);
  const of = (query: string, credential?: string) =>
    Buffer.from(fingerprintRequest(document, parseQuery(`/?${query}`, sealOptionsSchema), credential)).toString('hex');

  test('do not depend on the order of the query or on defaults that are spelled out', () => {
    expect(of('reason=a&location=b')).toBe(of('location=b&reason=a&level=b-t'));
    expect(of('credential=p256', 'id-1')).toBe(of('credential=cred_X', 'id-1'));
  });

  test('differ with the document, any option, and the credential', () => {
    const all = [
      of(''),
      of('reason=a'),
      of('location=a'),
      of('contact_info=a'),
      of('name=a'),
      of('', 'id-1'),
      of('', 'id-2'),
    ];
    expect(new Set(all).size).toBe(all.length);
    const other = fingerprintRequest('02'.repeat(32), sealOptionsSchema.parse({}), undefined);
    expect(Buffer.from(other).toString('hex')).not.toBe(of(''));
  });
});

describe('cursors', () => {
  test('lead back to the row they were made of, and to no other list', () => {
    const uuid = createUuid();
    const cursor = encodeCursor('seal', uuid);
    expect(parseCursor('seal', cursor)).toBe(uuid);
    for (const wrong of [`${cursor}=`, `${cursor}A`, cursor.slice(1), '', 'é', encodeCursor('cred', uuid)]) {
      expect(() => parseCursor('seal', wrong)).toThrow(expect.objectContaining({ code: 'request_invalid' }));
    }
  });
});

describe('pages', () => {
  test('the documentation loads nothing from elsewhere and nothing inline', async () => {
    const page = await get('/docs');
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
    expect(links).toHaveLength(4);
    for (const link of links) {
      expect(link).toMatch(/^\/docs\//);
      const asset = await get(link);
      expect(asset.status).toBe(200);
      expect(asset.headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect(page.body).not.toMatch(/<script>|<style|style=|onload/);
  });

  test('every code of the product has a page, and nothing else has', async () => {
    for (const code of Object.keys(codeRegistry)) expect((await get(`/problems/${code}`)).status).toBe(200);
    for (const code of ['constructor', '__proto__', 'x', '%3Cscript%3E']) {
      expect((await get(`/problems/${code}`)).status).toBe(404);
    }
  });

  test('the landing page shows how to seal', async () => {
    const page = await get('/');
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.body).toContain('http://127.0.0.1:8480/v1/seals');
    expect((await get('/assets/site.css')).headers.get('content-type')).toMatch(/^text\/css/);
  });

  test('certificates and lists are served by their plain names, and nothing around them', async () => {
    const root = await fetch(`${service.url}/pki/root.cer`);
    expect(root.headers.get('content-type')).toBe('application/pkix-cert');
    expect(Buffer.from(await root.arrayBuffer()).equals(Buffer.from(service.get('root').certificate))).toBe(true);
    writeFileSync(service.pki.path('public/new.crl'), 'list');
    expect((await get('/pki/new.crl')).headers.get('content-type')).toBe('application/pkix-crl');
    for (const path of [
      'missing.cer',
      '..%2Froot.key',
      '..%2fpepper',
      '%2e%2e%2froot.pem',
      'root.key',
      '.crl',
      'root.cer%00',
      '',
    ]) {
      expect((await get(`/pki/${path}`)).status).toBe(404);
    }
  });
});

describe('conventions', () => {
  test('an unknown path is 404, a known one with another method 405 that names the right ones', async () => {
    const missing = await get('/v1/nothing');
    expect([missing.status, JSON.parse(missing.body).code]).toEqual([404, 'request_not_found']);
    const wrong = await get('/v1/seals', { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  });

  test('an unknown query parameter is refused on every route', async () => {
    const answer = await get('/v1/status?x=1');
    expect([answer.status, JSON.parse(answer.body).errors]).toEqual([
      400,
      [{ pointer: '/query/x', detail: 'Is not a parameter of this call.' }],
    ]);
  });

  test('the status is open to everybody and knows what is away', async () => {
    // Behind the client that asks for its health there is no daemon here.
    const status = JSON.parse((await get('/v1/status')).body);
    expect(status).toMatchObject({
      status: 'degraded',
      components: [
        { name: 'database', status: 'operational' },
        { name: 'signer', status: 'unavailable' },
        { name: 'time_stamps', status: 'operational' },
      ],
    });
  });
});

describe('configuration', () => {
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, ['--conditions=source', main, ...args], { encoding: 'utf8', timeout: 30_000 });
  const valid = `
instance: document-service-1
listen: {host: 127.0.0.1, port: 8480}
public_url: http://127.0.0.1:8480
internal: {host: 127.0.0.1, port: 9006}
database: {url: "postgresql://sigillum_app@/sigillum?host=/tmp/x", password_file: p}
blobs: blobs
spool: spool
pki_directory: public
crls: [issuing-ca.crl]
api_key_pepper_file: pepper
signer: {url: "https://127.0.0.1:9001", certificate: a.pem, key: a.key, roots: root.pem}
tsas: [{name: development, url: "http://127.0.0.1:9003/", roots: [root.pem], policy: 2.25.1}]
`;

  test('--check-config looks into the files that are named, says every problem, and starts nothing', () => {
    const path = join(folder, 'valid.yaml');
    writeFileSync(path, valid);
    const check = () => run('--config', path, '--check-config');
    const file = (name: string): string => join(folder, name);
    const problems = (): string[] => check().stderr.trim().split('\n');
    expect(problems().toSorted()).toEqual(
      ['a.key', 'a.pem', 'p', 'pepper', 'root.pem'].map((name) => `The file ${file(name)} can't be read.`),
    );
    for (const name of ['root.key', 'root.pem']) cpSync(service.pki.path(name), file(name.replace('root', 'a')));
    cpSync(service.pki.path('root.pem'), file('root.pem'));
    for (const name of ['p', 'pepper']) writeFileSync(file(name), 'secret');
    const modes = (mode: number): void => ['a.key', 'p', 'pepper'].forEach((name) => chmodSync(file(name), mode));
    modes(0o644);
    const open = problems();
    expect(open).toHaveLength(3);
    for (const line of open)
      expect(line).toMatch(/^\S+ holds a secret and must be readable by its owner only: chmod 600$/);
    modes(0o600);
    writeFileSync(file('root.pem'), 'no PEM');
    expect(problems()).toEqual([`There is no certificate (PEM) in ${file('root.pem')}.`]);
    cpSync(service.pki.path('root.pem'), file('root.pem'));
    expect([check().status, check().stderr]).toEqual([0, '']);
  });

  test('all problems are said at once, with 78', () => {
    const path = join(folder, 'wrong.yaml');
    writeFileSync(path, `${valid.replace('9006', '99999').replace('postgresql:', 'mysql:')}colour: red\n`);
    const result = run('--config', path);
    expect(result.status).toBe(78);
    for (const word of ['/internal/port', '/database/url', 'colour']) expect(result.stderr).toContain(word);
    expect(run('--config', path, 'sing').status).toBe(78);
  });

  test('the pause for tests is refused outside development', () => {
    const parse = (yaml: string) => parseConfig(yaml, { name: 'x', directory: folder }, configSchema);
    const pause = 'test_pause: {directory: pause}\n';
    expect(() => parse(valid + pause)).toThrow(/development/);
    expect(parse(`${valid}${pause}development: true\n`).test_pause?.directory).toBe(join(folder, 'pause'));
  });

  test.each(['SIGTERM', 'lifeline'])('serve listens, says what it needs, and ends with %s', async (end) => {
    const { app } = service.access;
    execFileSync('chmod', ['600', service.pki.path('root.key'), service.pki.path('pepper')]);
    const yaml = valid
      .replaceAll(/port: \d+/g, 'port: 0')
      .replace(/database: .*\n/, `database: {url: "${app.url}", password_file: "${app.passwordFile}"}\n`)
      .replace('a.pem', 'root.pem')
      .replace('a.key', 'root.key')
      .replace('blobs: blobs', 'blobs: blobs-of-process')
      .replace('spool: spool', 'spool: spool-of-process');
    const config = service.pki.write('serve.yaml', yaml);
    const args = ['--conditions=source', main, '--config', config, ...(end === 'lifeline' ? ['--lifeline'] : [])];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    const lines: Record<string, unknown>[] = [];
    let listening: Record<string, unknown> | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(JSON.parse(line));
      listening = lines.find((entry) => entry['message'] === 'listening');
      if (listening !== undefined) break;
    }
    const internal = `http://127.0.0.1:${String(listening?.['internal_port'])}`;
    expect((await fetch(`${internal}/healthz`)).status).toBe(200);
    const ready = await fetch(`${internal}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { ready: false, checks: { database: 'ok', signer: 'unavailable', time_stamps: 'unavailable' } },
    ]);
    expect(await (await fetch(`${internal}/metrics`)).text()).toContain(
      'seals_in_progress{service="document-service"} 0',
    );
    if (end === 'lifeline') child.stdin.end();
    else child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  test('migrate and provision run as the supervisor runs them, twice', () => {
    const { owner, app } = service.access;
    const yaml = `${valid.replace(/database: .*\n/, '')}
database: {url: "${app.url}", password_file: "${app.passwordFile}"}
migrations: {url: "${owner.url}", password_file: "${owner.passwordFile}"}
`;
    const config = service.pki.write('main.yaml', yaml);
    service.pki.write('sandbox.key', `sk_test_${'k'.repeat(32)}\n`);
    const provision = service.pki.write(
      'main-provision.yaml',
      `organisation: {name: Main, mode: test}
api_key_file: sandbox.key
credentials:
  - {name: p256, manifest: p256.json, certificate: p256.pem, chain: [issuing-ca.pem, root.pem]}
default_credential: p256
`,
    );
    execFileSync('chmod', ['600', service.pki.path('sandbox.key')]);
    for (const change of ['created', 'none']) {
      const migrated = run('migrate', '--config', config);
      expect([migrated.status, migrated.stderr]).toEqual([0, '']);
      const provisioned = run('provision', '--config', config, '--file', provision);
      expect([provisioned.status, provisioned.stderr]).toEqual([0, '']);
      expect(JSON.parse(provisioned.stdout.trim())).toMatchObject({
        message: 'provisioned',
        credentials: { p256: change },
      });
      expect(provisioned.stdout).not.toContain('kkkk');
    }
  });

  test.each([
    ['a certificate of another key', 'p256.json', 'p384.pem', 'issuing-ca.pem', 'not of the key'],
    ['a chain that is not the one', 'p256.json', 'p256.pem', 'tsa-ca.pem', 'names another issuer'],
    ['a manifest that is missing', 'none.json', 'p256.pem', 'issuing-ca.pem', 'ENOENT'],
  ])('provisioning refuses %s', (_what, manifest, certificate, ca, why) => {
    const config = service.pki.write('main.yaml', valid);
    service.pki.write('sandbox.key', `sk_test_${'k'.repeat(32)}\n`);
    execFileSync('chmod', ['600', service.pki.path('sandbox.key'), service.pki.path('pepper')]);
    const provision = service.pki.write(
      'wrong-provision.yaml',
      `organisation: {name: Main, mode: test}
api_key_file: sandbox.key
credentials: [{name: p256, manifest: ${manifest}, certificate: ${certificate}, chain: [${ca}]}]
default_credential: p256
`,
    );
    const result = run('provision', '--config', config, '--file', provision);
    expect([result.status, result.stderr]).toEqual([78, expect.stringContaining(why)]);
  });
});
