import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TLSSocket } from 'node:tls';
import { hashSignerUri, type SignDigestsRequest } from '@sigillum/signer-rpc';
import { type OpensslCertificate, OpensslPki, opensslExtensions, SoftwareSignerForTests } from '@sigillum/testing';

const main = join(import.meta.dirname, '../src/main.ts');

export type TsaPorts = { readonly public: number; readonly seals: number; readonly internal: number };

/** A TSA's process; `log` is what it has written to stdout so far. */
export type TsaProcess = { readonly child: ChildProcess; readonly ports: TsaPorts; readonly log: readonly string[] };

export type TsaAnswer = { readonly status: number; readonly body: Uint8Array };

/** All that real processes of the TSA need: certificates, a configuration, and a signer behind mTLS with its key in memory. */
export class TsaHome {
  readonly pki = new OpensslPki();
  readonly keyId = '00112233445566778899aabbccddeeff';
  /** What the signer was asked for. */
  readonly calls: SignDigestsRequest[] = [];
  /** Common names of client certificates that the signer doesn't take any more. */
  readonly locked = new Set<string>();
  /** What the signer says of its keys; undefined as a daemon whose policy doesn't let us ask. */
  keys: readonly { readonly key_id: string; readonly spki: string }[] | undefined;
  root!: OpensslCertificate;
  tsu!: OpensslCertificate;
  tlsRoot!: OpensslCertificate;
  #signer!: Server;
  readonly #children: ChildProcess[] = [];

  async open(): Promise<void> {
    const { pki } = this;
    this.root = pki.issue('root', { extensions: opensslExtensions.root });
    const ca = pki.issue('tsa-ca', { issuer: this.root, extensions: opensslExtensions.ca });
    this.tsu = pki.issue('tsu', { issuer: ca, extensions: opensslExtensions.tsu });
    this.tlsRoot = pki.issue('tls-root', { extensions: opensslExtensions.root });
    this.issueClient('tsa');
    this.keys = [{ key_id: this.keyId, spki: this.spki }];
    this.#signer = await this.#startSigner();
    pki.write('tsu.json', JSON.stringify(this.manifest()));
    mkdirSync(pki.path('audit'));
  }

  get spki(): string {
    return createPublicKey(this.tsu.privateKey).export({ format: 'der', type: 'spki' }).toString('base64');
  }

  manifest() {
    return {
      version: 1,
      key_id: this.keyId,
      name: 'tsu',
      token_label: 'tsu-token',
      token_serial: '0001',
      key_spec: 'p256',
      algorithm: 'ecdsa-p256-sha256',
      purpose: 'timestamp',
      spki: this.spki,
      created: new Date().toISOString(),
    };
  }

  /** A certificate with which the TSA may ask the signer. */
  issueClient(name: string): OpensslCertificate {
    const client = this.pki.issue(name, {
      issuer: this.tlsRoot,
      extensions: ['subjectAltName=URI:spiffe://sigillum.internal/tsa', 'extendedKeyUsage=clientAuth'],
    });
    chmodSync(client.keyFile, 0o600);
    return client;
  }

  /** Puts files in the place of others, as whoever renews certificates does. */
  replace(from: OpensslCertificate, place: string): void {
    renameSync(from.keyFile, this.pki.path(`${place}.key`));
    renameSync(from.certificateFile, this.pki.path(`${place}.pem`));
  }

  /** The text of a configuration; with `folder` it has a state and a log of its own. */
  config(change: (text: string) => string = (text) => text, folder?: string): string {
    if (folder !== undefined) mkdirSync(this.pki.path(folder), { recursive: true });
    const { port } = this.#signer.address() as AddressInfo;
    return change(`instance: tsa-1
public: {host: 127.0.0.1, port: 0, open: true}
seals: {host: 127.0.0.1, port: 0}
internal: {host: 127.0.0.1, port: 0}
signer: {url: "https://127.0.0.1:${port}", certificate: tsa.pem, key: tsa.key, roots: tls-root.pem}
development: true
units: [{name: tsu, manifest: tsu.json, certificate: tsu.pem, chain: [tsa-ca.pem]}]
clock: {unsupervised: true}
policy: "2.25.99"
accuracy_ms: 1000
state: ${folder ?? 'audit'}/state
audit: {directory: ${folder === undefined ? 'audit' : `${folder}/log`}}
`);
  }

  /** Starts a process and waits until it listens. @param through a command that runs it, such as `env` or `prlimit` */
  async start(file: string, through: readonly string[] = []): Promise<TsaProcess> {
    const command = [...through, process.execPath, '--conditions=source', main, '--config', file, '--lifeline'];
    const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.push(child);
    if (!child.stdout) throw new Error('no stdout');
    const log: string[] = [];
    const { promise, resolve, reject } = Promise.withResolvers<TsaPorts>();
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      log.push(line);
      const entry = JSON.parse(line) as TsaPorts & { message: string };
      if (entry.message === 'listening') resolve(entry);
    });
    lines.once('close', () => reject(new Error('it ended before it listened')));
    return { child, log, ports: await promise };
  }

  /** Ends what a test left. */
  async killAll(): Promise<void> {
    for (const child of this.#children.splice(0)) await kill(child);
  }

  async remove(): Promise<void> {
    await this.killAll();
    this.#signer.closeAllConnections();
    await new Promise((resolve) => this.#signer.close(resolve));
    this.pki.remove();
  }

  /** The daemon's contract (api.md §3) over a key in memory. */
  async #startSigner(): Promise<Server> {
    const server = this.pki.issue('hash-signer', {
      issuer: this.tlsRoot,
      extensions: [`subjectAltName=IP:127.0.0.1,URI:${hashSignerUri}`, 'extendedKeyUsage=serverAuth'],
    });
    const key = new SoftwareSignerForTests(this.tsu.privateKey, 'ecdsa');
    const options = {
      cert: readFileSync(server.certificateFile),
      key: readFileSync(server.keyFile),
      ca: readFileSync(this.tlsRoot.certificateFile),
      requestCert: true,
      minVersion: 'TLSv1.3',
    } as const;
    const started = createServer(options, (request, response) => {
      const { CN: client } = (request.socket as TLSSocket).getPeerCertificate().subject;
      if (this.locked.has(String(client))) return void request.socket.destroy();
      const answer = (body: object, status = 200): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      if (request.url === '/v1/health')
        return answer({ status: 'ok', purposes: { timestamp: 'ok' }, min_timeout_ms: 2500 });
      if (request.url === '/v1/keys') {
        if (this.keys === undefined) return answer({ code: 'signer_method_forbidden' }, 403);
        const more = { name: 'tsu', purpose: 'timestamp', algorithm: 'ecdsa-p256-sha256' };
        return answer({ keys: this.keys.map((one) => ({ ...more, ...one })) });
      }
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const call = JSON.parse(body) as SignDigestsRequest;
        this.calls.push(call);
        const signatures = call.digests.map(({ digest }) => key.signSync(Buffer.from(digest, 'base64')));
        answer({ results: signatures.map((one) => ({ signature: Buffer.from(one).toString('base64') })) });
      });
    });
    await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
    return started;
  }
}

/** Kill -9, and its end. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** GET, or POST of a time-stamp query. */
export function send(port: number, path: string, body?: Uint8Array): Promise<TsaAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<TsaAnswer>();
  const query = { method: 'POST', headers: { 'content-type': 'application/timestamp-query' } };
  const options = { host: '127.0.0.1', port, path, agent: false, ...(body && query) };
  const request = httpRequest(options, (response) => {
    const chunks: Buffer[] = [];
    response.on('error', reject);
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, body: new Uint8Array(Buffer.concat(chunks)) }),
    );
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

/** Builds `faulty-libc.c`: a process that loads it has the clock and the disk that a test gives it. */
export function buildFaultyLibc(directory: string): string {
  const library = join(directory, 'faulty-libc.so');
  const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror'];
  execFileSync('gcc', [...flags, '-o', library, join(import.meta.dirname, 'faulty-libc.c'), '-ldl'], { stdio: 'pipe' });
  return library;
}
