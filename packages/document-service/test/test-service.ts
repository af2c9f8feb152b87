import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { getSignatureAlgorithm, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { issueCrl, parseCertificate } from '@sigillum/pki';
import { createLogger, createMetrics, parseConfig, serve } from '@sigillum/service-kit';
import type { SignerClient } from '@sigillum/signer-rpc';
import { migrate } from '@sigillum/store';
import {
  type OpensslCertificate,
  type OpensslKeyKind,
  OpensslPki,
  opensslExtensions,
  SoftwareSignerForTests,
} from '@sigillum/testing';
import { startTestPostgres, type TestPostgres } from '../../store/test/start-test-postgres.ts';
import { configSchema } from '../src/config.ts';
import { createApp } from '../src/create-app.ts';
import { openServices } from '../src/open-services.ts';
import { provision } from '../src/provisioning/provision.ts';
import { provisionSchema } from '../src/provisioning/provision-file.ts';
import type { Services } from '../src/services.ts';
import { type OpensslTsa, startOpensslTsa } from './openssl-tsa.ts';

type SignDigests = SignerClient['signDigests'];

/** Credential name → kind of key and algorithm, as in a development home. */
const kinds = {
  p256: ['p256', 'ecdsa-p256-sha256'],
  p384: ['p384', 'ecdsa-p384-sha384'],
  'rsa-pss-3072': ['rsa-3072', 'rsassa-pss-sha256'],
  'rsa-2048': ['rsa-2048', 'rsassa-pkcs1-v1_5-sha256'],
} as const satisfies Record<string, readonly [OpensslKeyKind, SignatureAlgorithmName]>;

/**
 * Everything behind the public API but the signing daemon: a real PostgreSQL, a PKI made by OpenSSL, OpenSSL as the
 * time-stamp authority. Keys are in memory.
 */
export class TestService {
  readonly pki = new OpensslPki();
  readonly certificates = new Map<string, OpensslCertificate>();
  /** What the daemon was asked for. */
  readonly signRequests: Parameters<SignDigests>[0][] = [];
  /** Replaces the daemon's answer while set. */
  signInstead: SignDigests | undefined;
  /** What was logged. */
  log = '';
  postgres!: TestPostgres;
  access!: Awaited<ReturnType<TestPostgres['createDatabase']>>;
  tsa!: OpensslTsa;
  services!: Services;
  url = '';
  readonly #stops: (() => Promise<void>)[] = [];

  async start(): Promise<void> {
    const { pki } = this;
    const root = this.#issue('root', 'p384', opensslExtensions.root);
    const issuing = this.#issue('issuing-ca', 'p256', opensslExtensions.ca, root);
    const tsaCa = this.#issue('tsa-ca', 'p256', opensslExtensions.ca, root);
    this.tsa = await startOpensslTsa(this.#issue('tsu', 'p256', opensslExtensions.tsu, tsaCa), tsaCa);
    this.#stops.push(() => this.tsa.stop());
    for (const [name, [kind, algorithm]] of Object.entries(kinds)) {
      const { privateKey } = this.#issue(name, kind, opensslExtensions.seal, issuing);
      const { spki, keySpec } = parseCertificate(this.get(name).certificate);
      pki.write(
        `${name}.json`,
        JSON.stringify({
          version: 1,
          key_id: keyIdOf(name),
          name,
          token_label: 'service',
          token_serial: '0001',
          key_spec: keySpec,
          algorithm,
          purpose: 'seal',
          spki: toBase64(spki),
          created: new Date().toISOString(),
        }),
      );
      this.#keys.set(keyIdOf(name), new SoftwareSignerForTests(privateKey, getSignatureAlgorithm(algorithm).scheme));
    }
    await this.writeCrl();
    this.postgres = await startTestPostgres();
    this.#stops.push(() => this.postgres.stop());
    this.access = await this.postgres.createDatabase();
    await migrate(this.access.owner);
    pki.write('pepper', randomBytes(32).toString('hex'));
    mkdirSync(pki.path('public'));
    writeFileSync(pki.path('public/root.cer'), root.certificate);
    chmod600(pki.path('pepper'));
    await this.open();
  }

  /** A fresh set of services over the same database and folders: what a restart gives. */
  async open(overrides: Partial<Services> = {}): Promise<void> {
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.log += chunk.toString();
        done();
      },
    });
    const logger = createLogger({ service: 'document-service', instance: 'document-service-1', stream });
    const metrics = createMetrics({ service: 'document-service' });
    const opened = await openServices(this.config(), logger, metrics);
    this.services = { ...opened.services, signer: this.#signer, ...overrides };
    const server = await serve(createApp(this.services, metrics), { host: '127.0.0.1', port: 0 });
    this.url = `http://127.0.0.1:${server.port}`;
    this.#stops.push(async () => {
      await server.close(1_000);
      await this.services.places.whenFree();
      await opened.close();
    });
  }

  config() {
    const yaml = `
instance: document-service-1
development: true
listen: {host: 127.0.0.1, port: 0}
public_url: http://127.0.0.1:8480
internal: {host: 127.0.0.1, port: 0}
database: {url: "${this.access.app.url}", password_file: "${this.access.app.passwordFile}"}
blobs: blobs
spool: spool
pki_directory: public
crls: [issuing-ca.crl]
api_key_pepper_file: pepper
signer: {url: "https://127.0.0.1:9", certificate: root.pem, key: root.key, roots: root.pem}
tsas: [{name: openssl, url: "${this.tsa.url}", roots: [root.pem]}]
limits: {document_bytes: 6000000, in_memory_bytes: 100000, concurrent_seals: 8, upload_idle_ms: 1500}
`;
    chmod600(this.pki.path('root.key'));
    return parseConfig(yaml, { name: 'test.yaml', directory: this.pki.directory }, configSchema);
  }

  /** Another organisation with its own key and the same credentials. @returns the API key */
  async provision(organisation: string, mode: 'test' | 'live' = 'test', names = Object.keys(kinds)): Promise<string> {
    const key = `sk_${mode}_${randomBytes(24).toString('base64url')}`;
    const file = this.pki.write(`${organisation}.key-file`, key);
    chmod600(file);
    const credentials = names.map(
      (name) =>
        `  - {name: ${name}, manifest: ${name}.json, certificate: ${name}.pem, chain: [issuing-ca.pem, root.pem]}`,
    );
    const yaml = [
      `organisation: {name: ${organisation}, mode: ${mode}}`,
      `api_key_file: ${organisation}.key-file`,
      'credentials:',
      ...credentials,
      `default_credential: ${names[0]}`,
    ];
    const origin = { name: 'provision.yaml', directory: this.pki.directory };
    const parsed = parseConfig(yaml.join('\n'), origin, provisionSchema);
    await provision(this.services.db, parsed, this.services.pepper, new Date());
    return key;
  }

  /** Writes the CRL of the issuing CA anew. */
  async writeCrl(options: { revoked?: readonly string[]; thisUpdate?: Date; days?: number } = {}): Promise<void> {
    const issuer = this.get('issuing-ca');
    const thisUpdate = options.thisUpdate ?? new Date(Date.now() - 60_000);
    const signer = new SoftwareSignerForTests(issuer.privateKey, 'ecdsa');
    const revoked = (options.revoked ?? []).map((name) => {
      const { serialNumber } = parseCertificate(this.get(name).certificate);
      return [serialNumber, { time: thisUpdate, reason: undefined }] as const;
    });
    const crl = await issueCrl(
      {
        issuer: parseCertificate(issuer.certificate),
        number: BigInt(Date.now()),
        thisUpdate,
        nextUpdate: new Date(thisUpdate.getTime() + (options.days ?? 30) * 86_400_000),
        revoked: new Map(revoked),
      },
      { algorithm: 'ecdsa-p256-sha256', sign: (digest) => signer.sign(digest) },
    );
    this.pki.write('issuing-ca.crl', crl);
  }

  get(name: string): OpensslCertificate {
    const found = this.certificates.get(name);
    if (found === undefined) throw new RangeError(`no certificate ${name}`);
    return found;
  }

  run(command: readonly string[]): string {
    return Buffer.from(this.pki.run(command)).toString();
  }

  read(name: string): Buffer {
    return readFileSync(join(this.pki.directory, name));
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
    this.pki.remove();
  }

  readonly #keys = new Map<string, SoftwareSignerForTests>();

  readonly #signer: Services['signer'] = {
    signDigests: async (request) => {
      this.signRequests.push(request);
      if (this.signInstead !== undefined) return this.signInstead(request);
      const key = this.#keys.get(request.keyId);
      if (key === undefined) throw new RangeError('no such key');
      return request.digests.map(({ digest }) => ({ signature: key.signSync(digest) }));
    },
    health: async () => ({ status: 'ok', purposes: { seal: 'ok' } }),
  };

  #issue(name: string, key: OpensslKeyKind, extensions: readonly string[], issuer?: OpensslCertificate) {
    const subject = `/C=IT/O=Sigillum Development (no legal value)/CN=${name}`;
    const made = this.pki.issue(name, { key, extensions, subject, ...(issuer === undefined ? {} : { issuer }) });
    this.certificates.set(name, made);
    return made;
  }
}

function keyIdOf(name: string): string {
  return Buffer.from(name.padEnd(16, '.')).toString('hex');
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function chmod600(path: string): void {
  chmodSync(path, 0o600);
}
