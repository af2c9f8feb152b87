import { configPath } from '@sigillum/service-kit';
import { z } from 'zod';

const listen = { host: z.string().min(1), port: z.int().min(0).max(65_535) };

/** tsa.yaml; paths are relative to the file. */
export const tsaConfigSchema = z.strictObject({
  /** Name of this instance: logs and the id of its audit chain. */
  instance: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'Lowercase letters, digits and hyphens, at most 63.'),
  /** RFC 3161 over HTTP for everybody who may. */
  public: z.strictObject({
    ...listen,
    /** Anybody may ask. The listener has no other mode yet, so this must be said. */
    open: z.literal(true, 'The public listener has no authentication yet: say open: true, or do not run it.'),
  }),
  /** RFC 3161 over HTTP for document-service, with a queue of its own. */
  seals: z.strictObject(listen),
  /** Health and metrics. */
  internal: z.strictObject(listen),
  signer: z.strictObject({
    url: z.url({ protocol: /^https$/ }),
    certificate: configPath(),
    key: configPath(),
    roots: configPath(),
  }),
  tsu: z.strictObject({
    manifest: configPath(),
    certificate: configPath(),
    /** Issuing CA first; what goes into tokens beside the TSU certificate. PEM. */
    chain: z.array(configPath()).min(1).max(4),
    /** Must agree with the certificate: it has the development mark, or it has not. */
    development: z.boolean(),
  }),
  /** The one policy that this service serves. */
  policy: z.string().regex(/^[012](\.(0|[1-9]\d*))+$/, 'An object identifier in dotted decimals.'),
  /** EN 319 421 §7.7.2: one second or better. */
  accuracy_ms: z.int().min(1).max(1000),
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
    })
    .prefault({}),
});

export type TsaConfig = z.output<typeof tsaConfigSchema>;
