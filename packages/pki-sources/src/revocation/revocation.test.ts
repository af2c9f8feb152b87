import { type ChildProcess, spawn } from 'node:child_process';
import { sign } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { issueCrl, ocspOids, parseCertificate, parseOcspResponse, type RevokedCertificate } from '@sigillum/pki';
import { type OpensslCertificate, OpensslPki, opensslExtensions } from '@sigillum/testing';
import { RevocationCollector, type RevocationCollectorOptions, type RevocationExchange } from '../index.ts';

type Handler = (query: Uint8Array, response: ServerResponse) => void;

const pki = new OpensslPki();
const made = new Map<string, OpensslCertificate>();
const routes = new Map<string, Handler>();
const hour = 3_600_000;
let asked: string[] = [];
let server: Server;
let responder: ChildProcess;
let port: number;
let ocspPort: number;

const get = (name: string): OpensslCertificate => {
  const found = made.get(name);
  if (!found) throw new Error(name);
  return found;
};
const der = (name: string): Uint8Array => get(name).certificate;
const at = (path: string): string => `http://127.0.0.1:${port}${path}`;
const serve = (path: string, body: Uint8Array): void => {
  routes.set(path, (_query, response) => response.end(body));
};

function issue(name: string, issuer: string | undefined, extensions: readonly string[], days = 30): void {
  const from = issuer === undefined ? {} : { issuer: get(issuer) };
  made.set(name, pki.issue(name, { extensions, days, ...from }));
}

/** Lines for AIA and CDP; the paths lie on the test's own server. */
function urls({ ocsp, crl, issuer }: { ocsp?: string | undefined; crl?: string; issuer?: string }): string[] {
  const access = [ocsp && `OCSP;URI:${ocsp}`, issuer && `caIssuers;URI:${at(issuer)}`].filter(Boolean);
  return [
    ...(access.length > 0 ? [`authorityInfoAccess=${access.join(',')}`] : []),
    ...(crl ? [`crlDistributionPoints=URI:${at(crl)}`] : []),
  ];
}

function makeCrl(
  issuer: string,
  revoked: ReadonlyMap<string, RevokedCertificate> = new Map(),
  times: { thisUpdate?: Date; nextUpdate?: Date } = {},
): Promise<Uint8Array> {
  const { thisUpdate = new Date(), nextUpdate = new Date(Date.now() + 48 * hour) } = times;
  const { certificate, privateKey } = get(issuer);
  return issueCrl(
    { issuer: parseCertificate(certificate), number: 1n, thisUpdate, nextUpdate, revoked },
    {
      algorithm: 'ecdsa-p256-sha256',
      signMessage: async (message) => new Uint8Array(sign('sha256', message, privateKey)),
    },
  );
}

let answers = 0;
/** One answer of `openssl ocsp`, for responders that aren't as they should be. */
function answerOcsp(query: Uint8Array, signer: string, more: readonly string[] = ['-ndays', '1']): Uint8Array {
  const name = `answer-${answers++}`;
  const { certificateFile, keyFile } = get(signer);
  pki.run([
    ...`ocsp -index index.txt -CA ${get('ca').certificateFile} -rsigner ${certificateFile} -rkey ${keyFile}`.split(' '),
    ...more,
    ...`-reqin ${pki.write(`${name}.req`, query)} -respout ${pki.path(`${name}.res`)}`.split(' '),
  ]);
  return new Uint8Array(readFileSync(pki.path(`${name}.res`)));
}

const serials = (...names: string[]): Map<string, RevokedCertificate> =>
  new Map(
    names.map((name) => [
      parseCertificate(der(name)).serialNumber,
      { time: new Date(Date.now() - hour), reason: name === 'held' ? 'certificateHold' : 'superseded' } as const,
    ]),
  );

beforeAll(async () => {
  server = createServer((request: IncomingMessage, response) => {
    asked.push(request.url ?? '');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const route = routes.get(request.url ?? '');
      if (route) route(new Uint8Array(Buffer.concat(chunks)), response);
      else response.writeHead(404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  ocspPort = await findFreePort();
  const ocsp = `http://127.0.0.1:${ocspPort}/`;
  const { root, ca, seal, tsu } = opensslExtensions;
  const ocspSigner = [
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=OCSPSigning',
    'authorityKeyIdentifier=keyid',
  ];
  const subCa = ca.map((line) => line.replace(',pathlen:0', ''));
  issue('root', undefined, root);
  issue('other-root', undefined, root);
  issue('ca', 'root', [...subCa, ...urls({ crl: '/root.crl', issuer: '/root.cer' })]);
  issue('both', 'ca', [...seal, ...urls({ ocsp, crl: '/ca.crl', issuer: '/ca.cer' })]);
  issue('revoked', 'ca', [...seal, ...urls({ ocsp, crl: '/ca.crl' })]);
  issue('unlisted', 'ca', [...seal, ...urls({ ocsp, crl: '/ca.crl' })]);
  issue('by-crl', 'ca', [...seal, ...urls({ crl: '/ca.crl', issuer: '/ca.cer' })]);
  issue('revoked-by-crl', 'ca', [...seal, ...urls({ crl: '/ca.crl' })]);
  issue('held', 'ca', [...seal, ...urls({ crl: '/ca.crl' })]);
  issue('tsu', 'ca', [...tsu, ...urls({ crl: '/ca.crl' })]);
  issue('via', 'ca', [...seal, ...urls({ ocsp: at('/ocsp'), crl: '/via.crl' })]);
  issue('silent', 'ca', seal);
  issue('no-status', 'ca', [...seal, '2.5.29.56=DER:0500']);
  issue('inside', 'ca', [...seal, ...urls({ ocsp: 'http://10.1.2.3/' }), 'crlDistributionPoints=URI:ldap://x/y']);
  issue('stranger', 'other-root', [...seal, ...urls({ crl: '/ca.crl', issuer: '/ca.cer' })]);
  issue('responder', 'ca', [...ocspSigner, `${ocspOids.noCheck}=DER:0500`]);
  issue('checked-responder', 'ca', [...ocspSigner, ...urls({ crl: '/ca.crl' })]);
  issue('circular-responder', 'ca', [...ocspSigner, ...urls({ ocsp: at('/ocsp') })]);
  issue('foreign-responder', 'other-root', ocspSigner);
  const row = (name: string, status: string, revoked = '') =>
    `${status}\t351231235959Z\t${revoked}\t${parseCertificate(der(name)).serialNumber.toUpperCase()}\tunknown\t/CN=${name}\n`;
  const good = ['both', 'via', 'silent', 'circular-responder'].map((name) => row(name, 'V')).join('');
  pki.write('index.txt', `${good}${row('revoked', 'R', '260102030405Z,keyCompromise')}`);
  responder = spawn(
    'openssl',
    `ocsp -port ${ocspPort} -index index.txt -CA ca.pem -rsigner responder.pem -rkey responder.key -ndays 1`.split(' '),
    { cwd: pki.directory, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  responder.stderr?.resume();
  if (responder.stdout) await once(responder.stdout, 'data'); // ACCEPT …
});
afterAll(async () => {
  responder.kill();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  pki.remove();
});

afterEach(() => {
  asked = [];
  routes.clear();
});

async function serveUsual(): Promise<void> {
  serve('/root.crl', await makeCrl('root'));
  serve('/ca.crl', await makeCrl('ca', serials('revoked-by-crl', 'held')));
  serve('/via.crl', await makeCrl('ca'));
  serve('/ca.cer', der('ca'));
  serve('/root.cer', der('root'));
}

type Made = { readonly collector: RevocationCollector; readonly exchanges: RevocationExchange[] };

function makeCollector(more: Partial<RevocationCollectorOptions> = {}): Made {
  const exchanges: RevocationExchange[] = [];
  const collector = new RevocationCollector({
    roots: [der('root')],
    allowAddresses: [`127.0.0.1/32:${port}`, `127.0.0.1/32:${ocspPort}`],
    timeoutMs: 5000,
    onExchange: (exchange) => exchanges.push(exchange),
    ...more,
  });
  return { collector, exchanges };
}

const collect = (collector: RevocationCollector, ...names: string[]) =>
  collector.collect([{ certificates: names.map(der), at: new Date() }]);
const refused = (code: string, text = '') => expect.objectContaining({ code, message: expect.stringContaining(text) });

describe('a revocation collector', () => {
  test('takes OCSP from a real responder first, and a CRL for the CA that names no responder', async () => {
    await serveUsual();
    const { collector, exchanges } = makeCollector();
    const data = await collect(collector, 'both', 'ca');
    expect(data.certificates).toEqual([der('root')]);
    expect(data.ocsps).toHaveLength(1);
    expect(parseOcspResponse(data.ocsps[0] ?? new Uint8Array()).nonce).toHaveLength(32);
    expect(data.crls).toHaveLength(1);
    expect(asked).toEqual(['/root.crl']);
    expect(exchanges.map(({ kind, error }) => [kind, error]).toSorted()).toEqual([
      ['crl', undefined],
      ['ocsp', undefined],
    ]);
  });

  test('gives the same for several chains in their order, each piece once, and asks once', async () => {
    await serveUsual();
    const { collector } = makeCollector();
    const now = new Date();
    const requests = ['by-crl', 'tsu', 'both'].map((name) => ({ certificates: [der(name), der('ca')], at: now }));
    const first = await collector.collect(requests);
    expect([first.crls.length, first.ocsps.length]).toEqual([2, 1]);
    expect(asked.toSorted()).toEqual(['/ca.crl', '/root.crl']);
    expect(await collector.collect(requests)).toEqual(first);
    expect(asked).toHaveLength(2);
  });

  test('fetches missing issuers, in DER, PEM and certs-only CMS, and gives them along', async () => {
    const cms = pki.run(['crl2pkcs7', '-nocrl', '-certfile', get('ca').certificateFile, '-outform', 'DER']);
    for (const file of [der('ca'), readFileSync(get('ca').certificateFile), cms]) {
      await serveUsual();
      serve('/ca.cer', new Uint8Array(file));
      const { collector } = makeCollector();
      expect((await collect(collector, 'both')).certificates).toEqual([der('ca'), der('root')]);
    }
    asked = [];
    const { collector } = makeCollector({ fetchIssuers: false });
    await expect(collect(collector, 'both')).rejects.toEqual(refused('revocation_untrusted'));
    expect(asked).toEqual([]);
  });

  test('asks nothing about a chain that ends elsewhere, and uses no certificate that did not sign', async () => {
    await serveUsual();
    const { collector } = makeCollector();
    await expect(collect(collector, 'stranger', 'other-root')).rejects.toEqual(
      refused('revocation_untrusted', 'no configured root'),
    );
    expect(asked).toEqual([]);
    // Its issuer is said to lie there, but another one does.
    await expect(collect(collector, 'stranger')).rejects.toEqual(refused('revocation_untrusted'));
    expect(asked).toEqual(['/ca.cer']);
    serve('/ca.cer', Buffer.from('<html>no</html>'));
    await expect(collect(makeCollector().collector, 'both')).rejects.toEqual(
      refused('revocation_unavailable', 'issuer'),
    );
  });

  test.each([
    ['revoked', 'is revoked since 2026-01-02T03:04:05.000Z (keyCompromise)'],
    ['revoked-by-crl', 'is revoked since'],
    ['held', 'is suspended since'],
  ])('refuses %s by name', async (name, text) => {
    await serveUsual();
    await expect(collect(makeCollector().collector, name, 'ca')).rejects.toEqual(refused('revocation_revoked', text));
  });

  test('refuses a leaf whose CA is revoked', async () => {
    await serveUsual();
    serve('/root.crl', await makeCrl('root', serials('ca')));
    await expect(collect(makeCollector().collector, 'both', 'ca')).rejects.toEqual(
      refused('revocation_revoked', 'CN=ca'),
    );
  });

  test('takes what was revoked later as good at its time, unless a time-stamp key was stolen', async () => {
    await serveUsual();
    const before = new Date();
    const later = (reason: 'superseded' | 'keyCompromise') =>
      new Map(
        ['by-crl', 'tsu'].map((name) => [
          parseCertificate(der(name)).serialNumber,
          { time: new Date(before.getTime() + 60_000), reason },
        ]),
      );
    const ask = (name: string) =>
      makeCollector().collector.collect([{ certificates: [der(name), der('ca')], at: before }]);
    serve('/ca.crl', await makeCrl('ca', later('superseded')));
    expect((await ask('tsu')).crls).toHaveLength(2);
    serve('/ca.crl', await makeCrl('ca', later('keyCompromise')));
    expect((await ask('by-crl')).crls).toHaveLength(2);
    await expect(ask('tsu')).rejects.toEqual(refused('revocation_revoked', 'keyCompromise'));
  });

  test('turns to the CRL when the responder does not know the certificate, refuses, or gives rubbish', async () => {
    await serveUsual();
    expect((await collect(makeCollector().collector, 'unlisted', 'ca')).crls).toHaveLength(2);
    const bad: [string, Handler][] = [
      ['HTTP 500', (_query, response) => response.writeHead(500).end()],
      ['unauthorized', (_query, response) => response.end(Buffer.from('30030a0106', 'hex'))],
      ['tryLater', (_query, response) => response.end(Buffer.from('30030a0103', 'hex'))],
      ["can't be read", (_query, response) => response.end('<html>')],
      [
        'signature',
        (query, response) => {
          const answer = answerOcsp(query, 'responder');
          response.end(flip(answer, parseOcspResponse(answer).signature));
        },
      ],
      ['may not sign', (query, response) => response.end(answerOcsp(query, 'both'))],
      ['not authorised', (query, response) => response.end(answerOcsp(query, 'foreign-responder'))],
      [
        'another nonce',
        (() => {
          let stored: Uint8Array | undefined;
          return (query: Uint8Array, response: ServerResponse) => {
            stored ??= answerOcsp(
              Uint8Array.from(query, (byte, index) => (index === query.length - 1 ? byte ^ 1 : byte)),
              'responder',
            );
            response.end(stored);
          };
        })(),
      ],
    ];
    for (const [text, handler] of bad) {
      routes.set('/ocsp', handler);
      const { collector, exchanges } = makeCollector();
      const data = await collect(collector, 'via', 'ca');
      expect([data.ocsps.length, data.crls.length]).toEqual([0, 2]);
      expect(exchanges.map(({ error }) => error?.message).join()).toContain(text);
    }
  });

  test('takes an OCSP answer without an end for an hour, however seldom it fetches', async () => {
    await serveUsual();
    routes.set('/ocsp', (query, response) => response.end(answerOcsp(query, 'responder', [])));
    let later = 0;
    const { collector } = makeCollector({ maxAgeMs: 0, now: () => new Date(Date.now() + later) });
    expect((await collect(collector, 'via', 'ca')).ocsps).toHaveLength(1);
    later = hour + 60_000;
    expect((await collect(collector, 'via', 'ca')).ocsps).toHaveLength(0);
  });

  test('asks once more by SHA-256 where a responder has no answer by SHA-1', async () => {
    await serveUsual();
    const refusals: number[] = [];
    routes.set('/ocsp', (query, response) => {
      // 2.16.840.1.101.3.4.2.1
      if (Buffer.from(query).includes(Buffer.from('608648016503040201', 'hex'))) {
        response.end(answerOcsp(query, 'responder'));
      } else {
        refusals.push(query.length);
        response.end(Buffer.from('30030a0106', 'hex'));
      }
    });
    expect((await collect(makeCollector().collector, 'via', 'ca')).ocsps).toHaveLength(1);
    expect(refusals).toHaveLength(1);
  });

  test('proves a responder that is not exempt, and refuses one that is revoked or vouches for itself', async () => {
    await serveUsual();
    routes.set('/ocsp', (query, response) => response.end(answerOcsp(query, 'checked-responder')));
    const data = await collect(makeCollector().collector, 'via', 'ca');
    expect([data.ocsps.length, data.crls.length]).toEqual([1, 2]);
    serve('/ca.crl', await makeCrl('ca', serials('checked-responder')));
    const { collector } = makeCollector();
    const fallen = await collect(collector, 'via', 'ca');
    expect([fallen.ocsps.length, fallen.crls.length]).toEqual([0, 2]);
    routes.set('/ocsp', (query, response) => response.end(answerOcsp(query, 'circular-responder')));
    routes.delete('/via.crl');
    await expect(collect(makeCollector().collector, 'via', 'ca')).rejects.toEqual(
      refused('revocation_unavailable', 'vouches for itself'),
    );
  });

  test('refuses CRLs that are expired, of another issuer, partial, garbage, endless or huge', async () => {
    const past = { thisUpdate: new Date(Date.now() - 3 * hour), nextUpdate: new Date(Date.now() - hour) };
    const good = await makeCrl('ca');
    const bodies: [string, string, Handler | Uint8Array][] = [
      ['revocation_stale', 'passed its next update', await makeCrl('ca', new Map(), past)],
      [
        'revocation_stale',
        'older than the certificate',
        await makeCrl('ca', new Map(), { thisUpdate: past.thisUpdate }),
      ],
      ['revocation_stale', 'future', await makeCrl('ca', new Map(), { thisUpdate: new Date(Date.now() + hour) })],
      ['revocation_unavailable', 'another issuer', await makeCrl('root')],
      ['revocation_unavailable', 'did not make', flip(good)],
      ['revocation_unavailable', "can't be read", Buffer.from('-----BEGIN X509 CRL-----')],
      ['revocation_unavailable', 'HTTP 404', (_query, response) => response.writeHead(404).end()],
      ['revocation_unavailable', 'more than 10000 bytes', new Uint8Array(10_001)],
      ['revocation_unavailable', 'more than 10000 bytes', endless],
      ['revocation_unavailable', 'in time', drip],
      [
        'revocation_unavailable',
        'more than once',
        (_query, response) => response.writeHead(302, { location: '/ca.crl' }).end(),
      ],
    ];
    await serveUsual();
    for (const [code, text, body] of bodies) {
      if (typeof body === 'function') routes.set('/ca.crl', body);
      else serve('/ca.crl', body);
      const { collector } = makeCollector({ maxCrlBytes: 10_000, timeoutMs: text === 'in time' ? 300 : 5000 });
      await expect(collect(collector, 'by-crl', 'ca')).rejects.toEqual(refused(code, text));
    }
  });

  test('tells a certificate that names no source from one that needs none, and fetches from no private address', async () => {
    await serveUsual();
    const { collector } = makeCollector();
    await expect(collect(collector, 'silent', 'ca')).rejects.toEqual(
      refused('revocation_unavailable', 'neither OCSP nor'),
    );
    expect((await collect(collector, 'no-status', 'ca')).crls).toHaveLength(1);
    await expect(collect(collector, 'inside', 'ca')).rejects.toEqual(refused('revocation_unavailable', 'not public'));
  });

  test('takes nothing for a leaf that is older than asked for, not even from its memory', async () => {
    await serveUsual();
    let now = new Date();
    const { collector } = makeCollector({ now: () => now });
    const ask = (notBefore: Date) =>
      collector.collect([{ certificates: [der('by-crl'), der('ca')], at: new Date(), notBefore }]);
    await ask(new Date());
    await expect(ask(new Date(now.getTime() + 60_000))).rejects.toEqual(
      refused('revocation_stale', 'older than asked'),
    );
    serve('/ca.crl', await makeCrl('ca', new Map(), { thisUpdate: new Date(Date.now() + 90_000) }));
    now = new Date(now.getTime() + 120_000);
    expect((await ask(new Date(now.getTime() - 60_000))).crls).toHaveLength(2);
    const strict = makeCollector({ now: () => new Date(Date.now() + 2 * hour), maxIssueAgeMs: hour }).collector;
    await expect(collect(strict, 'by-crl', 'ca')).rejects.toEqual(refused('revocation_stale', 'older than asked'));
  });

  test('fetches again what it has kept for its time, and not beyond nextUpdate', async () => {
    await serveUsual();
    let later = 0;
    const { collector, exchanges } = makeCollector({ now: () => new Date(Date.now() + later), maxAgeMs: hour });
    const count = async (): Promise<number> => {
      exchanges.length = 0;
      await collect(collector, 'by-crl', 'ca');
      return exchanges.length;
    };
    expect([await count(), await count()]).toEqual([2, 0]);
    later = hour + 1000;
    expect([await count(), await count()]).toEqual([2, 0]);
    later = 49 * hour;
    await expect(collect(collector, 'by-crl', 'ca')).rejects.toEqual(refused('revocation_stale'));
  });

  test('remembers a failure for a moment, and asks again then', async () => {
    await serveUsual();
    routes.delete('/ca.crl');
    let later = 0;
    const { collector, exchanges } = makeCollector({ now: () => new Date(Date.now() + later), negativeMs: 60_000 });
    const unavailable = refused('revocation_unavailable');
    await expect(collect(collector, 'by-crl', 'ca')).rejects.toEqual(unavailable);
    await expect(collect(collector, 'by-crl', 'ca')).rejects.toMatchObject({ retryAfterSeconds: 30 });
    expect(exchanges.filter(({ url }) => url === at('/ca.crl'))).toHaveLength(1);
    await serveUsual();
    later = 61_000;
    expect((await collect(collector, 'by-crl', 'ca')).crls).toHaveLength(2);
  });

  test('fetches once for all who ask at the same time, and one who leaves does not end it for the others', async () => {
    await serveUsual();
    const held: ServerResponse[] = [];
    routes.set('/ca.crl', (_query, response) => held.push(response));
    const { collector } = makeCollector();
    const abort = new AbortController();
    const gone = new Error('gone');
    const request = { certificates: [der('by-crl'), der('ca')], at: new Date() };
    const leaving = collector.collect([request], abort.signal);
    const staying = [collector.collect([request]), collector.collect([request])];
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort(gone);
    await expect(leaving).rejects.toBe(gone);
    await expect(collector.collect([request], abort.signal)).rejects.toBe(gone);
    held[0]?.end(await makeCrl('ca'));
    for (const data of await Promise.all(staying)) expect(data.crls).toHaveLength(2);
    expect(held).toHaveLength(1);
  });

  test('stops at the number of exchanges, and at the time, that one document may cost', async () => {
    await serveUsual();
    await expect(collect(makeCollector({ maxExchanges: 1 }).collector, 'by-crl')).rejects.toEqual(
      refused('revocation_unavailable', 'more revocation data'),
    );
    routes.set('/ca.crl', () => undefined);
    const { collector } = makeCollector({ totalTimeoutMs: 300 });
    await expect(collect(collector, 'by-crl', 'ca')).rejects.toEqual(refused('revocation_unavailable', 'in time'));
    const many = Array.from({ length: 33 }, () => ({ certificates: [der('both')], at: new Date() }));
    await expect(collector.collect(many)).rejects.toEqual(
      refused('revocation_too_many_chains', '33 certificate chains'),
    );
  });

  test('lets nobody else suffer from one document that costs too much', async () => {
    await serveUsual();
    const { collector } = makeCollector({ maxExchanges: 1 });
    const request = (name: string) => ({ certificates: [der(name), der('ca')], at: new Date() });
    // One exchange each for the two CRLs: the first call gets one of them, the second the other.
    await expect(collector.collect([request('by-crl')])).rejects.toEqual(
      refused('revocation_unavailable', 'more revocation data'),
    );
    expect((await collector.collect([request('by-crl')])).crls).toHaveLength(2);
  });

  test('forgets the longest unused when its memory is full', async () => {
    await serveUsual();
    const { collector, exchanges } = makeCollector({ maxCacheBytes: 10 });
    await collect(collector, 'by-crl', 'ca');
    await collect(collector, 'by-crl', 'ca');
    expect(exchanges).toHaveLength(4);
  });
});

const endless: Handler = (_query, response) => {
  const push = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(16_384)));
  };
  response.on('drain', push);
  push();
};

const drip: Handler = (_query, response) => {
  const timer = setInterval(() => response.write('0'), 20);
  response.on('close', () => clearInterval(timer));
};

/** Another signature: one bit within it is changed. */
function flip(bytes: Uint8Array, signature: Uint8Array = bytes.subarray(-1)): Uint8Array {
  const copy = Buffer.from(bytes);
  const index = copy.lastIndexOf(signature) + signature.length - 1;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return new Uint8Array(copy);
}

async function findFreePort(): Promise<number> {
  const probe = createTcpServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port: free } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return free;
}
