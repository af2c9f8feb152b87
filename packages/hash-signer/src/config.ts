import { configPath } from '@sigillum/service-kit';
import { keyIdSchema, MAX_DIGESTS, methodNames, purposeNames } from '@sigillum/signer-rpc';
import { z } from 'zod';

const listenSchema = z.strictObject({ host: z.string().min(1), port: z.int().min(0).max(65_535) });

/**
 * How long one operation inside the HSM may take before its process is killed. A hang costs a request this much
 * before its digest goes to the sibling, so two of them must fit into the shortest deadline, with room for the rest.
 */
export const MAX_WATCHDOG_SHARE = 0.4;

const watchdogSchema = z.int().min(20).max(60_000).optional();

const tokenSchema = z.strictObject({
  label: z.string().min(1).max(32),
  /** CK_TOKEN_INFO.serialNumber has 16 characters (PKCS#11 v3.1 §3.2). */
  serial: z.string().min(1).max(16),
  pin_file: configPath(),
  /** Signer processes; default of the vendor profile, else two, so that one can die without anybody noticing. */
  signers: z.int().min(1).max(16).optional(),
  /** Sessions that work at the same time in each process; default of the vendor profile, else two. */
  lanes: z.int().min(1).max(64).optional(),
  /** Lanes of each process that work for one purpose alone; one at least must stay for everybody. */
  reserved_lanes: z.partialRecord(z.enum(purposeNames), z.int().min(1).max(63)).default({}),
  /** Default: 40 % of the shortest deadline. */
  watchdog_ms: z.strictObject({ ec: watchdogSchema, rsa: watchdogSchema }).default({}),
});

const clientSchema = z.strictObject({
  /** The single URI SAN of the client's certificate. */
  name: z.string().regex(/^[a-z][a-z0-9+.-]*:[\x21-\x2b\x2d-\x7e]+$/, 'A client is named by a URI without a comma.'),
  methods: z.array(z.enum(methodNames)).min(1),
  purposes: z.array(z.enum(purposeNames)),
  /** Only these keys, when given. */
  keys: z.array(keyIdSchema).min(1).optional(),
  /** Only certificates with one of these keys, when given: SHA-256 of the SubjectPublicKeyInfo (RFC 7469 §2.4) in hex. */
  spki_sha256: z
    .array(z.string().regex(/^[0-9a-f]{64}$/))
    .min(1)
    .optional(),
  /** Digests that may be waiting or in work for this client; one that floods leaves room for the others. */
  max_pending: z.int().min(1).max(100_000).optional(),
});

/** For one key, or for each key of a purpose that has no entry of its own. */
const rateSchema = z
  .strictObject({
    key_id: keyIdSchema.optional(),
    purpose: z.enum(purposeNames).optional(),
    /** Digests a second in the long run. */
    per_second: z.number().positive().max(1_000_000).optional(),
    /** Digests at once after a pause; default: a second's worth, and a full batch at least. */
    burst: z.int().min(1).max(1_000_000).optional(),
    /** Signatures in a UTC day, over restarts. */
    per_day: z.int().min(1).max(1_000_000_000).optional(),
  })
  .refine(({ key_id, purpose }) => (key_id === undefined) !== (purpose === undefined), 'Name a key_id or a purpose.')
  .refine(({ per_second, per_day }) => per_second !== undefined || per_day !== undefined, 'Say per_second or per_day.')
  .refine(
    ({ purpose, burst }) => purpose !== 'timestamp' || (burst ?? MAX_DIGESTS) >= MAX_DIGESTS,
    `A time-stamp authority sends up to ${MAX_DIGESTS} digests at once: burst must have room for them.`,
  )
  .refine(({ per_second, burst }) => burst === undefined || per_second !== undefined, 'burst goes with per_second.');

const limitsSchema = z.strictObject({
  /** Digests that may wait per purpose; beyond it 503 at once. At 1000/s this is one second of work. */
  queue_per_purpose: z.int().min(1).max(100_000).default(1_000),
  /**
   * While requests keep coming, one is refused when what waits before it will take longer than this, or than a signature
   * of an HSM that is slower, or than three times a batch's own time. The smaller, the faster are those that are taken;
   * 10 keeps an overload from being felt, but then a client that always has 16 under way is refused by a slow key. The
   * default lets one process do the work of two for a while.
   */
  max_queue_ms: z.int().min(1).max(60_000).default(1_000),
  /** The same for a burst: what comes at once after nobody has waited and nobody was refused for a second. */
  max_burst_ms: z.int().min(1).max(60_000).default(1_000),
  /**
   * Digests handed to one signer process per purpose before answers come back; hides the pipe's round trip. By default
   * 16, or two for each lane: one in the HSM, and one that follows it.
   */
  in_flight_per_purpose: z.int().min(1).max(1_000).optional(),
  /** Digests of one client, waiting or in work; a client's own `max_pending` goes before it. */
  pending_per_client: z.int().min(1).max(100_000).default(400),
  /** A request with less time left is refused: two watchdog periods must fit into every deadline. */
  min_timeout_ms: z.int().min(1).max(60_000).default(2_500),
  /** A signer process that isn't ready by then is killed; a network HSM may take seconds to log in. */
  start_timeout_ms: z.int().min(100).max(300_000).default(15_000),
  /** Time for what is in flight when the daemon stops. */
  drain_ms: z.int().min(0).max(60_000).default(10_000),
  max_connections: z.int().min(1).max(10_000).default(256),
  /** A TLS handshake is done in this time: services are near. */
  handshake_ms: z.int().min(100).max(60_000).default(5_000),
  /** Connections of one client, from the handshake on: the others find one free. */
  connections_per_client: z.int().min(1).max(10_000).default(64),
  /** An answer that its client doesn't read ends the connection after this time. */
  unread_answer_ms: z.int().min(100).max(60_000).default(10_000),
});

const canarySchema = z.strictObject({
  /** Between two canary signatures of a signer process. */
  interval_ms: z.int().min(100).max(600_000).default(10_000),
});

const breakerSchema = z.strictObject({
  /** Failures in a row, with no signature for a watchdog period, that take a token out of use. */
  failures: z.int().min(1).max(10_000).default(10),
  /** The first pause before a canary tries it again; doubles up to ten times as long. */
  pause_ms: z.int().min(50).max(60_000).default(1_000),
});

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** Names that would change the process itself, not the module in it. */
const processVariables = /^(LD_|NODE_|UV_|MALLOC_|GLIBC_|PATH$)/;

const accountSchema = z.string().regex(/^([a-z_][a-z0-9_-]{0,31}|\d{1,10})$/, 'A name or a number of an account.');

const pkcs11Schema = z.strictObject({
  module: configPath(),
  /** `hsm/profiles/<vendor>.yaml`. */
  profile: configPath().optional(),
  /** Becomes SOFTHSM2_CONF in the signer processes' environment: a path, not a secret. */
  softhsm_conf: configPath().optional(),
  /** More variables that the module reads, in the signer processes' environment; never secrets. */
  environment: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/), z.string().max(4096))
    .refine((names) => !Object.keys(names).some((name) => processVariables.test(name)), 'Only variables of the module.')
    .default({}),
  /**
   * Another user for the signer processes, so that the daemon reads neither PIN nor token. The daemon then needs
   * CAP_SETUID, CAP_SETGID and CAP_KILL (deploy/systemd/), and util-linux.
   */
  run_as: z.strictObject({ user: accountSchema, group: accountSchema }).optional(),
  /** Handed to C_Initialize, for modules that take parameters (NSS softokn). */
  library_parameters: z.string().max(4096).optional(),
});

/** hash-signer.yaml */
export const configSchema = z
  .strictObject({
    instance: z.string().regex(/^[a-z0-9-]{1,64}$/),
    listen: listenSchema,
    internal: listenSchema,
    tls: z.strictObject({ certificate: configPath(), key: configPath(), client_roots: configPath() }),
    pkcs11: pkcs11Schema,
    tokens: z
      .array(tokenSchema)
      .min(1)
      .refine((tokens) => unique(tokens.map(({ serial }) => serial)), 'Two tokens have the same serial.'),
    manifests: configPath(),
    clients: z
      .array(clientSchema)
      .min(1)
      .refine((clients) => unique(clients.map(({ name }) => name)), 'Two clients have the same name.'),
    rates: z
      .array(rateSchema)
      .refine((rates) => unique(rates.map((rate) => rate.key_id ?? rate.purpose ?? '')), 'Two entries for one key.')
      .default([]),
    audit: z.strictObject({
      directory: configPath(),
      /** A segment ends at this size, and with each UTC day. */
      segment_bytes: z
        .int()
        .min(4_096)
        .max(1_073_741_824)
        .default(64 * 1024 * 1024),
    }),
    /** Where rejected PINs and quarantined keys are remembered; default `state` in the audit directory. */
    state: configPath().optional(),
    limits: limitsSchema.prefault({}),
    canary: canarySchema.prefault({}),
    breaker: breakerSchema.prefault({}),
  })
  .superRefine(({ tokens, limits }, context) => {
    const most = Math.floor(limits.min_timeout_ms * MAX_WATCHDOG_SHARE);
    for (const [index, token] of tokens.entries()) {
      for (const kind of ['ec', 'rsa'] as const) {
        if ((token.watchdog_ms[kind] ?? 0) <= most) continue;
        const message = `At most ${most}: two of them must fit into limits.min_timeout_ms.`;
        context.addIssue({ code: 'custom', path: ['tokens', index, 'watchdog_ms', kind], message });
      }
      const reserved = Object.values(token.reserved_lanes).reduce((sum, count) => sum + count, 0);
      if (token.lanes !== undefined && reserved >= token.lanes) {
        const message = 'One lane at least must stay for everybody.';
        context.addIssue({ code: 'custom', path: ['tokens', index, 'reserved_lanes'], message });
      }
    }
  });

export type Config = z.output<typeof configSchema>;
export type TokenConfig = Config['tokens'][number];
export type ClientPolicy = Config['clients'][number];
export type RateConfig = Config['rates'][number];
export type Limits = Config['limits'];
