import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { OpensslCertificate } from '@sigillum/testing';

/** A time-stamp authority that is not ours: OpenSSL behind a few lines of HTTP. */
export type OpensslTsa = {
  readonly url: string;
  /** While set, every request is answered with this HTTP status. */
  failWith: number | undefined;
  requests: number;
  stop(): Promise<void>;
};

export async function startOpensslTsa(tsu: OpensslCertificate, ca: OpensslCertificate): Promise<OpensslTsa> {
  const folder = mkdtempSync(join(tmpdir(), 'sigillum-openssl-tsa-'));
  const config = join(folder, 'tsa.cnf');
  writeFileSync(
    config,
    `[tsa]
default_tsa = it
[it]
serial = ${join(folder, 'serial')}
signer_cert = ${tsu.certificateFile}
signer_key = ${tsu.keyFile}
certs = ${ca.certificateFile}
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha384
accuracy = secs:1
ess_cert_id_alg = sha256
`,
  );
  const tsa: OpensslTsa = { url: '', failWith: undefined, requests: 0, stop: async () => {} };
  const answer = async (query: Buffer): Promise<Buffer> => {
    const name = join(folder, `query-${(tsa.requests += 1)}`);
    writeFileSync(name, query);
    const openssl = spawn('openssl', ['ts', '-reply', '-config', config, '-section', 'it', '-queryfile', name], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return buffer(openssl.stdout);
  };
  // One at a time: the serial file of OpenSSL knows no locks.
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    if (tsa.failWith !== undefined) {
      request.resume();
      response.writeHead(tsa.failWith).end();
      return;
    }
    last = last
      .then(async () => answer(await buffer(request)))
      .then(
        (body) => response.writeHead(200, { 'Content-Type': 'application/timestamp-reply' }).end(body),
        () => response.destroy(),
      );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return Object.assign(tsa, {
    url: `http://127.0.0.1:${port}/`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await last.catch(() => undefined);
      rmSync(folder, { recursive: true, force: true });
    },
  });
}
