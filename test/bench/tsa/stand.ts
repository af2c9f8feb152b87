import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeTimeStampRequest } from '@sigillum/pki';
import { type OpensslCertificate, OpensslPki, opensslExtensions } from '@sigillum/testing';

export const kinds = ['p256', 'rsa-3072'] as const;
export type Kind = (typeof kinds)[number];

type Manifest = { readonly name: string; readonly token_serial: string; readonly spki: string };

/** A token, the real hash-signer over it, and a real TSA for each kind of key: what the bench measures. */
export type Stand = {
  readonly folder: string;
  readonly module: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly hashSignerPid: number;
  readonly tsas: Readonly<Record<Kind, { readonly pid: number; readonly port: number }>>;
  /** A TimeStampReq with a nonce, certificates wanted. */
  readonly queryFile: string;
  readonly pki: OpensslPki;
  readonly ca: OpensslCertificate;
  remove(): Promise<void>;
};

const packages = join(import.meta.dirname, '../../../packages');
/** As an operator would use SoftHSM, and as bench:signer does. */
const profile = join(import.meta.dirname, '../../../hsm/profiles/softhsm.yaml');
const uri = (service: string): string => `URI:spiffe://sigillum.internal/${service}`;

export type StandOptions = {
  /** Flags of Node for the time-stamp authority of that kind: a profiler. */
  readonly getNodeOptions?: (kind: Kind) => readonly string[];
};

/** Builds and starts all of it in a temporary folder. */
export async function startStand({ getNodeOptions = () => [] }: StandOptions = {}): Promise<Stand> {
  const folder = mkdtempSync(join(tmpdir(), 'sigillum-bench-tsa-'));
  const module = findSoftHsm();
  for (const name of ['tokens', 'keys', 'audit', 'audit/hash-signer']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`);
  writeFileSync(join(folder, 'pin'), `${randomInt(1e8, 1e9)}\n`, { mode: 0o600 });
  const environment = { ...process.env, SOFTHSM2_CONF: join(folder, 'softhsm2.conf') };
  const made = execFileSync(
    process.execPath,
    ['--conditions=source', join(import.meta.dirname, 'make-token.ts'), module, join(folder, 'pin')],
    { env: environment, encoding: 'utf8' },
  );
  const manifests = JSON.parse(made) as readonly Manifest[];
  for (const manifest of manifests)
    writeFileSync(join(folder, 'keys', `${manifest.name}.json`), JSON.stringify(manifest));
  const pki = new OpensslPki();
  const root = pki.issue('root', { extensions: opensslExtensions.root });
  const ca = pki.issue('tsa-ca', { issuer: root, extensions: opensslExtensions.ca });
  const tlsRoot = pki.issue('tls-root', { extensions: opensslExtensions.root });
  const tls = (name: string, purpose: string, names: string) => {
    const issued = pki.issue(name, {
      issuer: tlsRoot,
      extensions: [`subjectAltName=${names}`, `extendedKeyUsage=${purpose}`],
    });
    chmodSync(issued.keyFile, 0o600);
    return { certificate: issued.certificateFile, key: issued.keyFile };
  };
  const children: ChildProcess[] = [];
  const [port, internalPort] = [await findFreePort(), await findFreePort()];
  const signer = {
    instance: 'bench',
    listen: { host: '127.0.0.1', port },
    internal: { host: '127.0.0.1', port: internalPort },
    tls: {
      ...tls('hash-signer', 'serverAuth', `IP:127.0.0.1,${uri('hash-signer')}`),
      client_roots: tlsRoot.certificateFile,
    },
    pkcs11: { module, softhsm_conf: 'softhsm2.conf', profile },
    tokens: [{ label: 'bench', serial: manifests[0]?.token_serial, pin_file: 'pin', signers: 2, lanes: 2 }],
    manifests: 'keys',
    clients: [{ name: uri('tsa').slice(4), methods: ['signDigests', 'keys', 'health'], purposes: ['timestamp'] }],
    audit: { directory: 'audit/hash-signer' },
    // Two batches of RSA-3072 may wait behind a third; the default sheds what waits 15 ms.
    limits: { max_queue_ms: 500 },
  };
  const start = async (
    program: string,
    name: string,
    config: object,
    readyPort: number,
    flags: readonly string[] = [],
  ): Promise<ChildProcess> => {
    const file = join(folder, `${name}.yaml`);
    writeFileSync(file, JSON.stringify(config));
    const main = join(packages, program, 'src/main.ts');
    const child = spawn(process.execPath, [...flags, '--conditions=source', main, '--config', file], {
      env: environment,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    children.push(child);
    await waitUntilReady(readyPort, child);
    return child;
  };
  const hashSigner = await start('hash-signer', 'hash-signer', signer, internalPort);
  const client = tls('tsa', 'clientAuth', uri('tsa'));
  const startTsa = async (kind: Kind) => {
    const [publicPort, sealsPort, internal] = [await findFreePort(), await findFreePort(), await findFreePort()];
    const spki = manifests.find(({ name }) => name === kind)?.spki ?? '';
    const config = {
      instance: `tsa-${kind}`,
      development: true,
      public: { host: '127.0.0.1', port: publicPort, open: true },
      seals: { host: '127.0.0.1', port: sealsPort },
      internal: { host: '127.0.0.1', port: internal },
      signer: { url: `https://127.0.0.1:${port}`, ...client, roots: tlsRoot.certificateFile },
      units: [
        {
          name: kind,
          manifest: `keys/${kind}.json`,
          certificate: certifyPublicKey(pki, kind, ca, spki),
          chain: [ca.certificateFile],
        },
      ],
      policy: '2.25.99',
      accuracy_ms: 1000,
      clock: { unsupervised: true },
      state: `audit/${kind}.state`,
      audit: { directory: `audit/${kind}` },
    };
    const child = await start('tsa', `tsa-${kind}`, config, internal, getNodeOptions(kind));
    return { pid: child.pid ?? 0, port: sealsPort };
  };
  const tsas = { p256: await startTsa('p256'), 'rsa-3072': await startTsa('rsa-3072') };
  const digest = new Uint8Array(32).fill(7);
  const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const queryFile = join(folder, 'query.tsq');
  writeFileSync(queryFile, encodeTimeStampRequest({ imprint: { algorithm: 'sha256', digest }, nonce, certReq: true }));
  return {
    folder,
    module,
    environment,
    hashSignerPid: hashSigner.pid ?? 0,
    tsas,
    queryFile,
    pki,
    ca,
    remove: async () => {
      for (const child of children.toReversed()) {
        if (child.exitCode !== null) continue;
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
      pki.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A TSU certificate for a public key whose private half nobody has but the token. */
function certifyPublicKey(pki: OpensslPki, name: string, ca: OpensslCertificate, spki: string): string {
  const other = pki.issue(`${name}-request`, { issuer: ca, extensions: opensslExtensions.tsu });
  const pem = `-----BEGIN PUBLIC KEY-----\n${spki.replaceAll(/.{64}/g, '$&\n')}\n-----END PUBLIC KEY-----\n`;
  const publicKey = pki.write(`${name}.pub`, pem);
  const extensions = pki.write(`${name}.ext`, `${opensslExtensions.tsu.join('\n')}\n`);
  const out = pki.path(`${name}.pem`);
  const request = ['x509', '-req', '-in', pki.path(`${other.name}.csr`), '-force_pubkey', publicKey];
  const signer = ['-CA', ca.certificateFile, '-CAkey', ca.keyFile, '-CAcreateserial', '-days', '30', '-sha256'];
  pki.run([...request, ...signer, '-extfile', extensions, '-out', out]);
  return out;
}

function findSoftHsm(): string {
  const multiarch = readdirSync('/usr/lib')
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => `/usr/lib/${name}/softhsm`);
  const found = ['/usr/lib/softhsm', '/usr/lib64/softhsm', '/usr/lib64/pkcs11', ...multiarch].find((path) => {
    try {
      return readdirSync(path).includes('libsofthsm2.so');
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error('SoftHSM is not installed');
  return join(found, 'libsofthsm2.so');
}

/** Starting takes seconds; a service that isn't ready in a minute has failed. */
const readyLimitMs = 60_000;

async function waitUntilReady(port: number, child: ChildProcess): Promise<void> {
  const end = Date.now() + readyLimitMs;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return;
    if (child.exitCode !== null || Date.now() > end)
      throw new Error(`a service did not start: ${await answer?.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  return address.port;
}
