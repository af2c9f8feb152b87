import { fontLimits } from '@sigillum/appearances';
import { configPath } from '@sigillum/service-kit';
import { z } from 'zod';

const port = z.int().min(0).max(65_535);
const listen = z.strictObject({ host: z.string().min(1), port });
const milliseconds = z
  .int()
  .min(1)
  .max(24 * 3_600_000);

const gibibyte = 1024 ** 3;

/** Bounds of the service, each with its default. */
const limits = z.strictObject({
  /** Largest document, in bytes; the format itself ends near 10 GB (ten-digit offsets of ISO 32000-2 §7.5.4). */
  document_bytes: z
    .int()
    .min(1)
    .max(4 * gibibyte)
    .default(2 * gibibyte),
  /** Documents up to this size stay in memory instead of the spool: `concurrent_seals` times this is the memory used. */
  in_memory_bytes: z
    .int()
    .min(0)
    .max(64 * 1024 ** 2)
    .default(1024 ** 2),
  /** A whole JSON body with its document in base64: it stands in memory, some three times over while it is read. */
  json_bytes: z
    .int()
    .min(1_024)
    .max(64 * 1024 ** 2)
    .default(4 * 1024 ** 2),
  /** The longest that a sealed file is kept on request, in seconds. */
  retain_s: z
    .int()
    .min(0)
    .max(366 * 86_400)
    .default(30 * 86_400),
  /** Seals at once; more are answered 503 at once. Each holds a spool file and at most one signature in the HSM. */
  concurrent_seals: z.int().min(1).max(10_000).default(64),
  /** Of those above for one API key; more are answered 429. */
  concurrent_seals_per_key: z.int().min(1).max(10_000).default(48),
  /**
   * An upload that brings less than `upload_bytes_per_s`, as a mean over so long, is given up: it holds one of the places
   * above. The same goes for who reads the answer.
   */
  upload_idle_ms: milliseconds.default(30_000),
  /** The slowest line that is waited for: 8 kbit/s. */
  upload_bytes_per_s: z
    .int()
    .min(1)
    .max(1024 ** 3)
    .default(1_024),
  /** A whole request has to be there in this time: 2 GiB at 5 Mbit/s. */
  upload_ms: milliseconds.default(3_600_000),
  /** From the intent to the outcome: an HSM, a time-stamp and two transactions take well below a second. */
  seal_ms: z.int().min(1_000).max(600_000).default(60_000),
  /** For each time-stamp authority that has no time of its own. */
  time_stamp_ms: milliseconds.default(5_000),
  database_connections: z.int().min(2).max(1_000).default(10),
  /** Connections of callers. */
  connections: z.int().min(1).max(100_000).default(1_000),
  sweep_every_ms: milliseconds.default(10_000),
  /** A pending seal older than this is nobody's; far above `seal_ms`. */
  sweep_pending_after_ms: milliseconds.default(900_000),
  /** Time for requests in flight at a shutdown. */
  drain_ms: milliseconds.default(10_000),
});

/** How often one API key may call; beyond it is 429. Counted over windows of `per_s` seconds. */
const rateLimit = z.strictObject({
  /** A thousand a second: what protects a service from one runaway client, and no plan's quota. */
  requests: z.int().min(1).max(100_000_000).default(60_000),
  per_s: z.int().min(1).max(86_400).default(60),
  /** `memory`: each instance counts for itself. `database`: all instances together, one statement per request. */
  store: z.enum(['memory', 'database']).default('memory'),
});

/** Where validation data of b-lt, b-lta and extensions comes from. Without this part they are 422. */
const revocation = z.strictObject({
  /** Trust anchors of the chains that are asked about, of signers and time-stamp authorities. PEM. */
  roots: z.array(configPath()).min(1),
  /** What was fetched is used again for so long. */
  max_age_s: z.int().min(0).max(86_400).default(3_600),
  /** The status of a signer may not have been made longer ago: only for authorities that renew their lists that often. */
  max_issue_age_s: z
    .int()
    .min(1)
    .max(366 * 86_400)
    .optional(),
  /**
   * Only what was issued after the time-stamp counts about our own signers, so that no revocation from before it is missed.
   * For authorities that answer OCSP at once; with lists, b-lt is `revocation_stale` until the next one.
   */
  after_time_stamp: z.boolean().default(false),
  /** Networks that aren't public and may be fetched from: `10.0.0.0/8`, `127.0.0.1/32:8480`. */
  allow_addresses: z.array(z.string().min(1).max(100)).max(100).default([]),
  /** Ports beside 80 and 443. */
  ports: z.array(z.int().min(1).max(65_535)).max(20).default([]),
  /** `http://host:port` of an egress proxy. */
  proxy: z.url({ protocol: /^https?$/ }).optional(),
  /** For one exchange, and for all that one document needs. */
  timeout_ms: milliseconds.default(5_000),
  total_timeout_ms: milliseconds.default(20_000),
});

const database = z.strictObject({
  url: z.string().regex(/^postgres(ql)?:\/\//, 'A PostgreSQL URL begins with postgresql://'),
  password_file: configPath().optional(),
});

/** `document-service.yaml`. Relative paths start at the file's folder. */
export const configSchema = z
  .strictObject({
    instance: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'Lower-case letters, digits and hyphens.'),
    /** Marks a development home: allows `test_pause`. */
    development: z.boolean().default(false),
    listen,
    public_url: z.url({ protocol: /^https?$/ }),
    internal: listen,
    database,
    /** The owner's role; read by the command `migrate` only. */
    migrations: database.optional(),
    blobs: configPath(),
    spool: configPath(),
    pki_directory: configPath(),
    crls: z.array(configPath()).min(1),
    api_key_pepper_file: configPath(),
    signer: z.strictObject({
      url: z.url({ protocol: /^https$/ }),
      certificate: configPath(),
      key: configPath(),
      roots: configPath(),
    }),
    tsas: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
          url: z.url({ protocol: /^https?$/ }),
          roots: z.array(configPath()).min(1),
          policy: z
            .string()
            .regex(/^[0-2](\.\d+)+$/, 'An object identifier in dotted form.')
            .optional(),
          /** For this one instead of `limits.time_stamp_ms`. */
          timeout_ms: milliseconds.optional(),
          /** What it asks for before it works. The secrets are in files of their own. */
          authorization: z
            .discriminatedUnion('kind', [
              z.strictObject({ kind: z.literal('basic'), user: z.string().min(1), password_file: configPath() }),
              z.strictObject({ kind: z.literal('header'), header: z.string().min(1), value_file: configPath() }),
            ])
            .optional(),
          /** PEM of trust anchors for https, when they aren't those that Node.js comes with. */
          tls_roots: z.array(configPath()).min(1).optional(),
        }),
      )
      .min(1),
    revocation: revocation.optional(),
    /** TrueType files for the text of visible seals, tried in this order for what Noto Sans lacks. */
    fonts: z.array(configPath()).max(fontLimits.files).default([]),
    rate_limit: rateLimit.prefault({}),
    limits: limits.prefault({}),
    /** For tests from outside; see the README. */
    test_pause: z.strictObject({ directory: configPath(), step: z.string().optional() }).optional(),
  })
  .refine((config) => config.development || config.test_pause === undefined, {
    path: ['test_pause'],
    error: 'Is a facility of tests: only with development: true.',
  });

export type Config = z.output<typeof configSchema>;
export type Limits = Config['limits'];
