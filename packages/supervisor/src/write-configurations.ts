import { readFileSync } from 'node:fs';
import { writeFileDurably } from '@sigillum/service-kit';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { HomePaths } from './home-paths.ts';
import type { InternalPorts } from './ports.ts';

/** The time-stamp policy of development homes: a UUID of ours under 2.25 (Rec. ITU-T X.667 §6.3). */
const developmentPolicy = '2.25.147856440033782603286556073385289828768';

/** The credentials of a development home; the first is the default. */
export const credentialNames = ['p256', 'p384', 'rsa-pss-3072', 'rsa-2048'] as const;

const host = '127.0.0.1';

export type ConfigurationInput = {
  readonly basePort: number;
  readonly ports: InternalPorts;
  readonly softhsmModule: string;
  /** How this module is best used: `hsm/profiles/softhsm.yaml`. */
  readonly softhsmProfile: string;
  /** URLs of the database without passwords, and the files in which those stand. */
  readonly database: { readonly url: string; readonly passwordFile: string };
  readonly migrations: { readonly url: string; readonly passwordFile: string };
};

/** Writes `config/*.yaml` for the services of this start. Paths in them are relative to `config/`. */
export function writeConfigurations(paths: HomePaths, input: ConfigurationInput): void {
  const { basePort, ports } = input;
  const signer = (service: string) => ({
    url: `https://${host}:${ports.hash_signer}`,
    certificate: `../tls/${service}.pem`,
    key: `../tls/${service}.key`,
    roots: '../tls/root.pem',
  });
  write(paths, 'hash-signer', {
    instance: 'hash-signer-1',
    listen: { host, port: ports.hash_signer },
    internal: { host, port: ports.hash_signer_internal },
    tls: {
      certificate: '../tls/hash-signer.pem',
      key: '../tls/hash-signer.key',
      client_roots: '../tls/root.pem',
    },
    pkcs11: {
      module: input.softhsmModule,
      softhsm_conf: '../tokens/softhsm2.conf',
      profile: input.softhsmProfile,
    },
    tokens: [
      {
        label: 'sigillum-service',
        serial: readTokenSerial(paths),
        pin_file: '../secrets/service-user.pin',
        signers: 2,
        lanes: 2,
      },
    ],
    manifests: '../keys',
    clients: [
      {
        name: 'spiffe://sigillum.internal/document-service',
        methods: ['signDigests', 'keys', 'health'],
        purposes: ['seal'],
      },
      { name: 'spiffe://sigillum.internal/tsa', methods: ['signDigests', 'keys', 'health'], purposes: ['timestamp'] },
    ],
    audit: { directory: '../audit/hash-signer' },
  });
  write(paths, 'tsa', {
    instance: 'tsa-1',
    public: { host, port: basePort + 1, open: true },
    seals: { host, port: ports.tsa_seals },
    internal: { host, port: ports.tsa_internal },
    signer: signer('tsa'),
    development: true,
    units: [{ name: 'tsu', manifest: '../keys/tsu.json', certificate: '../pki/tsu.pem', chain: ['../pki/tsa-ca.pem'] }],
    // A home has to work without a network, so nobody measures the clock; live configurations can't say this.
    clock: { unsupervised: true },
    policy: developmentPolicy,
    accuracy_ms: 1000,
    state: '../audit/tsa/state',
    audit: { directory: '../audit/tsa' },
  });
  write(paths, 'document-service', {
    instance: 'document-service-1',
    development: true,
    // Where the tests of a crash at each step ask for a pause; honoured in development only.
    test_pause: { directory: '../run/pause' },
    listen: { host, port: basePort },
    public_url: `http://${host}:${basePort}`,
    internal: { host, port: ports.document_service_internal },
    database: { url: input.database.url, password_file: input.database.passwordFile },
    migrations: { url: input.migrations.url, password_file: input.migrations.passwordFile },
    blobs: '../blobs',
    spool: '../spool',
    pki_directory: '../pki/public',
    crls: ['../pki/issuing-ca.crl'],
    api_key_pepper_file: '../secrets/api-key.pepper',
    signer: signer('document-service'),
    tsas: [
      {
        name: 'development',
        url: `http://${host}:${ports.tsa_seals}/`,
        roots: ['../pki/root.pem'],
        policy: developmentPolicy,
      },
    ],
    revocation: {
      roots: ['../pki/root.pem'],
      // The home's own lists, which document-service itself serves; the ceremony renews them at half their life.
      allow_addresses: [`${host}/32:${basePort}`],
      max_age_s: 600,
    },
  });
  write(paths, 'provision', {
    organisation: { name: 'Sandbox', mode: 'test' },
    api_key_file: '../secrets/sandbox-api-key',
    credentials: credentialNames.map((name) => ({
      name,
      manifest: `../keys/${name}.json`,
      certificate: `../pki/${name}.pem`,
      chain: ['../pki/issuing-ca.pem', '../pki/root.pem'],
    })),
    default_credential: credentialNames[0],
  });
}

function write(paths: HomePaths, name: string, value: object): void {
  writeFileDurably(paths.config(name), `# Written at every start by the supervisor.\n${stringify(value)}`);
}

/** Which token the ceremony made. */
function readTokenSerial(paths: HomePaths): string {
  const record: unknown = JSON.parse(readFileSync(paths.at('tokens/sigillum-service.json'), 'utf8'));
  return z.object({ serial: z.string() }).parse(record).serial;
}
