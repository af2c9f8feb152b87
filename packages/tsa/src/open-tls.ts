import {
  createTlsMetrics,
  type Logger,
  type Metrics,
  type ServeTls,
  type TlsPaths,
  TlsWatch,
} from '@sigillum/service-kit';
import type { TsaConfig } from './config.ts';
import type { ListenerName } from './token/issuing-queue.ts';

/** The TLS files of a TSA: as a client of the signer, and of each listener that has TLS. */
export type TsaTls = {
  readonly signer: TlsWatch<{ certificate: string; key: string; roots: string }>;
  readonly listeners: ReadonlyMap<ListenerName, TlsWatch<TlsPaths>>;
};

/** The paths that a configuration names, by what they are for. */
export function listTlsPaths({ signer, ...config }: TsaConfig) {
  const listeners = new Map<ListenerName, TlsPaths>();
  if (config.public.tls) listeners.set('public', config.public.tls);
  if (config.seals.tls) listeners.set('seals', { ...config.seals.tls, roots: config.seals.tls.client_roots });
  return { signer: { certificate: signer.certificate, key: signer.key, roots: signer.roots }, listeners };
}

/** Reads all of them. @throws SigillumError `config_invalid` */
export function openTls(config: TsaConfig, logger: Logger, metrics: Metrics): TsaTls {
  const shared = { logger, metrics: createTlsMetrics(metrics.registry) };
  const { signer, listeners } = listTlsPaths(config);
  const watches = Array.from(listeners, ([name, paths]) => [name, new TlsWatch({ ...shared, name, paths })] as const);
  return { signer: new TlsWatch({ ...shared, name: 'signer', paths: signer }), listeners: new Map(watches) };
}

/** What a listener takes. */
export function toServeTls({ certificate, key, roots }: TlsWatch<TlsPaths>['texts']): ServeTls {
  return { certificate, key, ...(roots !== undefined && { clientRoots: roots }) };
}
