import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SignatureAlgorithmName } from '@sigillum/algorithms';
import { SignerClient } from '@sigillum/signer-rpc';
import { FaultShim } from '@sigillum/testing';
import { findFreePort, RunningSigner } from './running-signer.ts';

const root = resolve(import.meta.dirname, '../..');

/** Whoever finds one of these in anything that a process wrote has found a leak. */
export const testPins = { user: 'pin-of-the-user-4711', officer: 'pin-of-the-officer-0815' } as const;

const softhsm = ['/usr/lib/softhsm/libsofthsm2.so', `/usr/lib/${process.arch}-linux-gnu/softhsm/libsofthsm2.so`].find(
  (path) => existsSync(path),
);

/** A key as its manifest names it. */
export type TestKey = {
  readonly key_id: string;
  readonly name: string;
  readonly algorithm: SignatureAlgorithmName;
  readonly purpose: string;
  readonly spki: string;
  readonly token_serial: string;
};

const plan = [
  { name: 'p256', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'seal' },
  { name: 'p384', spec: 'p384', algorithm: 'ecdsa-p384-sha384', purpose: 'seal' },
  { name: 'rsa-pss-3072', spec: 'rsa-3072', algorithm: 'rsassa-pss-sha256', purpose: 'seal' },
  { name: 'rsa-2048', spec: 'rsa-2048', algorithm: 'rsassa-pkcs1-v1_5-sha256', purpose: 'seal' },
  { name: 'tsu', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'timestamp' },
  { name: 'canary', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'canary' },
];

export type ConfigChanges = Readonly<Record<string, unknown>> & {
  readonly token?: Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, unknown>>;
};

/** A token, TLS identities and configurations for real hash-signers, behind a fault shim. */
export class SignerHome {
  readonly directory = mkdtempSync(join(tmpdir(), 'sigillum-signer-'));
  readonly shim: FaultShim;
  readonly keys: ReadonlyMap<string, TestKey>;
  readonly #clients: SignerClient[] = [];
  readonly #running: RunningSigner[] = [];

  constructor() {
    if (softhsm === undefined) throw new Error('SoftHSM is not installed');
    this.shim = new FaultShim(this.directory, softhsm);
    mkdirSync(join(this.directory, 'tokens'));
    mkdirSync(join(this.directory, 'keys'));
    writeFileSync(
      join(this.directory, 'softhsm2.conf'),
      `directories.tokendir = ${join(this.directory, 'tokens')}\nlog.level = ERROR\n`,
    );
    this.writeSecret('user.pin', `${testPins.user}\n`);
    this.keys = this.makeToken('service', plan, 'keys');
    this.#makeTls();
  }

  /** Makes a token with keys, and their manifests in a folder. In a process of its own: no addon in the test's. */
  makeToken(
    label: string,
    keys: readonly { name: string; spec: string; algorithm: string; purpose: string }[],
    folder: string,
  ): ReadonlyMap<string, TestKey> {
    const script = `
      import { loadModule } from '@sigillum/pkcs11';
      const module = loadModule(${JSON.stringify(softhsm)});
      const info = module.initToken({ label: ${JSON.stringify(label)}, soPin: Buffer.from('${testPins.officer}'), userPin: Buffer.from('${testPins.user}') });
      const token = module.openToken(info, Buffer.from('${testPins.user}'));
      const made = ${JSON.stringify(keys)}.map(({ name, spec, algorithm, purpose }) => {
        const pair = token.generateKeyPair({ spec, algorithm, label: name });
        return { version: 1, key_id: Buffer.from(pair.keyId).toString('hex'), name, token_label: info.label,
          token_serial: info.serial, key_spec: spec, algorithm, purpose,
          spki: Buffer.from(pair.spki).toString('base64'), created: new Date().toISOString() };
      });
      token.close();
      module.finalize();
      process.stdout.write(JSON.stringify(made));`;
    const manifests = JSON.parse(
      execFileSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
        cwd: root,
        env: { ...process.env, SOFTHSM2_CONF: join(this.directory, 'softhsm2.conf') },
      }).toString(),
    ) as TestKey[];
    mkdirSync(join(this.directory, folder), { recursive: true });
    for (const one of manifests) {
      writeFileSync(join(this.directory, folder, `${label}-${one.name}.json`), JSON.stringify(one));
    }
    return new Map(manifests.map((one) => [one.name, one]));
  }

  key(name: string): TestKey {
    const found = this.keys.get(name);
    if (!found) throw new Error(`no key ${name}`);
    return found;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  writeSecret(name: string, text: string): string {
    const path = this.path(name);
    writeFileSync(path, text, { mode: 0o600 });
    chmodSync(path, 0o600);
    return path;
  }

  /** Writes `<name>.yaml`; ports stay the same when it is written again. */
  async writeConfig(name: string, { token, limits, ...changes }: ConfigChanges = {}): Promise<void> {
    const path = this.path(`${name}.yaml`);
    const before = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>) : undefined;
    const listen = async (): Promise<unknown> => ({ host: '127.0.0.1', port: await findFreePort() });
    const config = {
      instance: name,
      listen: before?.['listen'] ?? (await listen()),
      internal: before?.['internal'] ?? (await listen()),
      tls: { certificate: 'tls/hash-signer.pem', key: 'tls/hash-signer.key', client_roots: 'tls/root.pem' },
      pkcs11: { module: this.shim.module, softhsm_conf: 'softhsm2.conf', environment: this.shim.environment },
      tokens: [
        {
          label: 'service',
          serial: this.key('p256').token_serial,
          pin_file: 'user.pin',
          signers: 2,
          lanes: 2,
          ...token,
        },
      ],
      manifests: 'keys',
      clients: [
        this.client('document-service', ['seal']),
        this.client('other', ['seal']),
        this.client('tsa', ['timestamp']),
      ],
      audit: { directory: `audit/${name}` },
      limits: { ...limits },
      ...changes,
    };
    // JSON is YAML.
    writeFileSync(path, JSON.stringify(config));
  }

  client(name: string, purposes: readonly string[]): Record<string, unknown> {
    return { name: `spiffe://sigillum.internal/${name}`, methods: ['signDigests', 'keys', 'health'], purposes };
  }

  /** Starts a daemon and waits until it is ready. */
  async start(name: string, changes: ConfigChanges = {}): Promise<RunningSigner> {
    await this.writeConfig(name, changes);
    const signer = this.launch(name);
    await signer.waitUntilReady();
    return signer;
  }

  /** Starts a daemon whose configuration is written, ready or not; `prefix` is a program around it. */
  launch(name: string, prefix: readonly string[] = []): RunningSigner {
    const signer = new RunningSigner(this.path(`${name}.yaml`), prefix);
    this.#running.push(signer);
    return signer;
  }

  tls(name: string): string {
    return readFileSync(join(this.directory, 'tls', name), 'utf8');
  }

  connect(signer: RunningSigner, name = 'document-service', maxSockets = 16): SignerClient {
    const client = new SignerClient({
      url: `https://127.0.0.1:${signer.port}`,
      certificate: this.tls(`${name}.pem`),
      key: this.tls(`${name}.key`),
      roots: this.tls('root.pem'),
      maxSockets,
    });
    this.#clients.push(client);
    return client;
  }

  /** Ends everything that was started, and deletes the folder. */
  async remove(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.#running.map((signer) => signer.kill()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** As if a ceremony had destroyed the key: SoftHSM has a file for each object, with its CKA_ID in the public ones. */
  destroyPublicKey(keyId: string): void {
    const files = readdirSync(this.path('tokens'), { recursive: true, encoding: 'utf8' });
    const own = files.filter((name) => name.endsWith('.object'));
    const found = own.filter((name) => readFileSync(this.path(`tokens/${name}`)).includes(Buffer.from(keyId, 'hex')));
    if (found.length === 0) throw new Error('no object has that key identifier');
    for (const name of found) rmSync(this.path(`tokens/${name}`));
  }

  #makeTls(): void {
    mkdirSync(this.path('tls'));
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const root = ['req', '-x509', ...key, '-days', '2', '-subj', '/CN=root', '-keyout', 'root.key', '-out', 'root.pem'];
    this.#openssl(root);
    this.issue('hash-signer', 'serverAuth', 'DNS:localhost,IP:127.0.0.1,');
    for (const name of ['document-service', 'other', 'tsa']) this.issue(name, 'clientAuth');
  }

  /** Issues a service certificate below the root of the home, in `tls/`. */
  issue(name: string, usage: 'serverAuth' | 'clientAuth', otherNames = '', file = name): void {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${file}.key`];
    const extensions = `extendedKeyUsage=${usage}\nsubjectAltName=${otherNames}URI:spiffe://sigillum.internal/${name}\n`;
    writeFileSync(this.path(`tls/${file}.ext`), extensions);
    this.#openssl(['req', '-new', ...key, '-subj', `/CN=${name}`, '-out', `${file}.csr`]);
    const by = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-days', '2', '-extfile', `${file}.ext`];
    this.#openssl(['x509', '-req', '-in', `${file}.csr`, ...by, '-out', `${file}.pem`]);
    chmodSync(this.path(`tls/${file}.key`), 0o600);
  }

  #openssl(args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.path('tls'), stdio: 'pipe' });
  }
}
