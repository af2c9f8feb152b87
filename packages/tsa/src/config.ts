import { isIP } from 'node:net';
import { configPath } from '@sigillum/service-kit';
import { z } from 'zod';

const listen = { host: z.string().min(1), port: z.int().min(0).max(65_535) };
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'Lowercase letters, digits and hyphens, at most 63.');
const tls = { certificate: configPath(), key: configPath() };

/** Those to whom a listener without TLS may be given a secret: nobody else hears it. */
const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/** What express takes as `trust proxy`. */
function isProxy(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', prefix, ...others] = text.split('/');
  const bits = isIP(address) === 6 ? 128 : 32;
  const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
  return isIP(address) !== 0 && isPrefix && others.length === 0;
}

/** ETSI's best-practice policy for time-stamps (EN 319 421 §5.2). */
export const bestPracticePolicy = '0.4.0.2023.1.1';

/** RFC 4330 §10: no client asks a server more often than this. */
const minPollSeconds = 15;

const publicListener = z
  .strictObject({
    ...listen,
    tls: z.strictObject(tls).optional(),
    /** Anybody may ask. Otherwise `clients` may, by API key or Basic. */
    open: z.boolean().default(false),
    clients: z
      .array(
        z.strictObject({
          /** The name of Basic, of the records and of the log. */
          name,
          /** Its secrets, one a line; two while one replaces the other. At least 20 characters each. */
          secret_file: configPath(),
        }),
      )
      .max(1000)
      .default([]),
    /** Proxies in front, whose X-Forwarded-For is believed: addresses, networks or `loopback`. */
    trusted_proxies: z
      .array(z.string().refine(isProxy, 'An address, a network such as 10.0.0.0/8, or loopback.'))
      .max(32)
      .default([]),
    /**
     * Connections of one address (one /64 of IPv6) at the same time; what is beyond is closed at once. As many as the
     * requests that it may send in a second: more would only wait. Trusted proxies are not counted.
     */
    connections_per_address: z.int().min(1).max(1000).default(50),
    rates: z
      .strictObject({
        /** Requests in a second from one address (one /64 of IPv6). */
        per_address: z.int().min(1).max(100_000).default(50),
        /** Requests in a second of one client, whatever its addresses. */
        per_client: z.int().min(1).max(100_000).default(200),
        /** Wrong secrets in ten seconds from one address; then it waits, right or wrong. */
        failures: z.int().min(1).max(1000).default(10),
      })
      .prefault({}),
  })
  .refine(({ open, clients }) => open !== clients.length > 0, 'Say open: true, or which clients may ask; not both.')
  .refine(
    ({ tls, host, clients, trusted_proxies }) =>
      clients.length === 0 || tls !== undefined || loopback.has(host) || trusted_proxies.length > 0,
    'Secrets would travel in the clear: say tls, or listen on 127.0.0.1, or say which trusted_proxies end TLS.',
  )
  .refine(
    ({ clients }) => new Set(clients.map(({ name }) => name)).size === clients.length,
    'Each client has a name of its own.',
  );

const clock = z.union([
  /** Development only: nobody measures the clock, and tokens state accuracy_ms. */
  z.strictObject({ unsupervised: z.literal(true) }),
  z.strictObject({
    /** Time servers that are asked directly (SNTP). An odd number: three outvote one that lies, five two. */
    sources: z
      .array(z.strictObject({ host: z.string().min(1), port: z.int().min(1).max(65_535).default(123) }))
      .min(3, 'At least three, so that one that lies is outvoted.')
      .max(16)
      .refine(
        (sources) => new Set(sources.map(({ host, port }) => `${host.toLowerCase()} ${port}`)).size === sources.length,
        'Each source once: one that is named twice has no second voice.',
      ),
    /** chronyd, which sets the clock: its own word must agree with the sources. */
    chrony: z
      .strictObject({
        program: z.string().min(1).default('chronyc'),
        /** An address, or the path of its command socket, which answers root alone. */
        host: z.string().min(1).optional(),
        port: z.int().min(1).max(65_535).optional(),
        require_nts: z.boolean().default(false),
        /** For require_nts in a service that isn't root: the socket of deploy/systemd/chrony. */
        authdata_socket: configPath().optional(),
      })
      .optional(),
    poll_seconds: z.int().min(1).max(1024).default(64),
    retry_seconds: z.int().min(1).max(1024).default(16),
    /** A measurement older than this is none. */
    max_age_seconds: z.int().min(1).max(3600).default(300),
    /** What one time server may take to answer. */
    timeout_ms: z.int().min(50).max(10_000).default(1500),
  }),
]);

/** tsa.yaml; paths are relative to the file. */
export const tsaConfigSchema = z
  .strictObject({
    /** Name of this instance: logs and the id of its audit chain. */
    instance: name,
    /** Tokens have no legal value: development certificates, a policy under 2.25, and the clock may be unsupervised. */
    development: z.boolean().default(false),
    /** RFC 3161 over HTTP(S) for everybody who may. */
    public: publicListener,
    /** RFC 3161 over HTTP(S) for document-service, with a queue of its own. With client_roots only for whom they certify. */
    seals: z.strictObject({
      ...listen,
      tls: z.strictObject({ ...tls, client_roots: configPath().optional() }).optional(),
    }),
    /** Health and metrics. */
    internal: z.strictObject(listen),
    signer: z.strictObject({
      url: z.url({ protocol: /^https$/ }),
      certificate: configPath(),
      key: configPath(),
      roots: configPath(),
    }),
    /** Time-stamp units. The one whose window began last signs, so a successor is added before its time comes. */
    units: z
      .array(
        z.strictObject({
          name,
          manifest: configPath(),
          certificate: configPath(),
          /** Issuing CA first; what goes into tokens beside the TSU certificate. PEM. */
          chain: z.array(configPath()).min(1).max(4),
          /** A window inside that of the certificate. */
          from: z.iso.datetime().optional(),
          until: z.iso.datetime().optional(),
          /** The operator asserts that this unit's tokens are qualified electronic time-stamps (EN 319 422 §9.1). */
          qualified: z.boolean().default(false),
        }),
      )
      .min(1)
      .max(16),
    /** The one policy that this service serves. */
    policy: z
      .string()
      .regex(/^[012](\.(0|[1-9]\d*))+$/, 'An object identifier in dotted decimals.')
      .default(bestPracticePolicy),
    /** What is promised (EN 319 421 §7.7.2: one second or better). Tokens state what was measured, never more than this. */
    accuracy_ms: z.int().min(1).max(1000),
    clock,
    /** File that holds the high-water mark of genTime. */
    state: configPath(),
    audit: z.strictObject({ directory: configPath() }),
    limits: z
      .strictObject({
        /** Requests that may wait on each listener: at 1000 time-stamps in a second they wait half a second. */
        public_queue: z.int().min(1).max(10_000).default(500),
        seals_queue: z.int().min(1).max(10_000).default(500),
        /** What one signDigests call may take. */
        sign_timeout_ms: z.int().min(100).max(30_000).default(5000),
        /** A unit stops signing this long before its private-key usage period ends. */
        unit_margin_minutes: z.int().min(1).max(525_600).default(60),
      })
      .prefault({}),
  })
  .superRefine(({ development, policy, clock, units }, context) => {
    const refuse = (path: PropertyKey[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (development && !policy.startsWith('2.25.'))
      refuse(['policy'], 'A development policy is one under 2.25, never one that promises something.');
    if (development && units.some(({ qualified }) => qualified))
      refuse(['units'], 'Development tokens can not be called qualified.');
    if ('unsupervised' in clock) {
      if (!development) refuse(['clock'], 'A clock without supervision is for development: true only.');
    } else if (!development && Math.min(clock.poll_seconds, clock.retry_seconds) < minPollSeconds) {
      refuse(['clock'], `Time servers are asked every ${minPollSeconds} seconds at most (RFC 4330 §10).`);
    }
    if (!('unsupervised' in clock) && clock.max_age_seconds <= Math.max(clock.poll_seconds, clock.retry_seconds))
      refuse(
        ['clock', 'max_age_seconds'],
        'Longer than poll_seconds and retry_seconds, or there is no time between two.',
      );
    if (new Set(units.map(({ name }) => name)).size < units.length)
      refuse(['units'], 'Each unit has a name of its own.');
  });

export type TsaConfig = z.output<typeof tsaConfigSchema>;
