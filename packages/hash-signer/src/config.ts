import { configPath } from '@sigillum/service-kit';
import { keyIdSchema, methodNames, purposeNames } from '@sigillum/signer-rpc';
import { z } from 'zod';

const listenSchema = z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) });

const tokenSchema = z.strictObject({
  label: z.string().min(1).max(32),
  /** CK_TOKEN_INFO.serialNumber has 16 characters (PKCS#11 v3.1 §3.2). */
  serial: z.string().min(1).max(16),
  pin_file: configPath(),
  /** Signer processes; two, so that one can die without anybody noticing. */
  signers: z.int().min(1).max(16).default(2),
  /** Sessions that work at the same time in each process. */
  lanes: z.int().min(1).max(64).default(2),
});

const clientSchema = z.strictObject({
  /** The single URI SAN of the client's certificate. */
  name: z.string().regex(/^[a-z][a-z0-9+.-]*:[\x21-\x2b\x2d-\x7e]+$/, 'A client is named by a URI without a comma.'),
  methods: z.array(z.enum(methodNames)).min(1),
  purposes: z.array(z.enum(purposeNames)),
  /** Only these keys, when given. */
  keys: z.array(keyIdSchema).min(1).optional(),
});

const limitsSchema = z.strictObject({
  /** Digests that may wait per purpose; beyond it 503 at once. At 1000/s this is one second of work. */
  queue_per_purpose: z.int().min(1).max(100_000).default(1_000),
  /** Digests handed to one signer process per purpose before answers come back; hides the pipe's round trip. */
  in_flight_per_purpose: z.int().min(1).max(1_000).default(16),
  /** A request with less time left is refused: it could only time out. */
  min_timeout_ms: z.int().min(1).max(60_000).default(50),
  /** A signer process that isn't ready by then is killed; a network HSM may take seconds to log in. */
  start_timeout_ms: z.int().min(100).max(300_000).default(15_000),
  /** Time for what is in flight when the daemon stops. */
  drain_ms: z.int().min(0).max(60_000).default(10_000),
  max_connections: z.int().min(1).max(10_000).default(256),
});

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** hash-signer.yaml */
export const configSchema = z.strictObject({
  instance: z.string().regex(/^[a-z0-9-]{1,64}$/),
  listen: listenSchema,
  internal: listenSchema,
  tls: z.strictObject({ certificate: configPath(), key: configPath(), client_roots: configPath() }),
  /** `softhsm_conf` becomes SOFTHSM2_CONF in the signer processes' environment: a path, not a secret. */
  pkcs11: z.strictObject({ module: configPath(), softhsm_conf: configPath().optional() }),
  tokens: z
    .array(tokenSchema)
    .min(1)
    .refine((tokens) => unique(tokens.map(({ serial }) => serial)), 'Two tokens have the same serial.'),
  manifests: configPath(),
  clients: z
    .array(clientSchema)
    .min(1)
    .refine((clients) => unique(clients.map(({ name }) => name)), 'Two clients have the same name.'),
  audit: z.strictObject({ directory: configPath() }),
  /** Where a rejected PIN is remembered; default `state` in the audit directory. */
  state: configPath().optional(),
  limits: limitsSchema.prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type TokenConfig = Config['tokens'][number];
export type ClientPolicy = Config['clients'][number];
export type Limits = Config['limits'];
