import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Logger, RunningServer, ServeTls } from '@sigillum/service-kit';
import { readTextFile, readTlsFiles } from '@sigillum/service-kit';
import type { Config } from './config.ts';
import type { SignerMetrics } from './signer-metrics.ts';

/** How often the files are looked at: a renewed certificate has days. */
const LOOK_MS = 5_000;

/** Reads the three files. @throws SigillumError `config_invalid` */
export function readTls({ certificate, key, client_roots }: Config['tls']): ServeTls {
  const { roots: clientRoots = '', ...own } = readTlsFiles({ certificate, key, roots: client_roots });
  return { ...own, clientRoots };
}

/** Takes renewed TLS files for new connections: when they change, and when asked. Unusable ones change nothing. */
export class TlsFiles {
  readonly #with: { readonly server: RunningServer; readonly logger: Logger; readonly metrics: SignerMetrics };
  readonly #timer: NodeJS.Timeout;
  #paths: Config['tls'];
  #stamp: string;

  constructor(
    paths: Config['tls'],
    dependencies: { readonly server: RunningServer; readonly logger: Logger; readonly metrics: SignerMetrics },
  ) {
    this.#with = dependencies;
    this.#paths = paths;
    this.#stamp = this.#readStamp();
    this.#exportExpiry();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Reads them now, perhaps from other paths. */
  reload(paths: Config['tls']): void {
    const { server, logger, metrics } = this.#with;
    this.#paths = paths;
    this.#stamp = this.#readStamp();
    try {
      server.replaceTls(readTls(paths));
      this.#exportExpiry();
      metrics.reloads.inc({ what: 'tls', outcome: 'ok' });
      logger.info('TLS certificate, key and client roots read again');
    } catch (error) {
      metrics.reloads.inc({ what: 'tls', outcome: 'failed' });
      // Half of a renewal, perhaps: the other half changes a file again.
      logger.error('the TLS files are not usable, the old ones stay', { error });
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (this.#readStamp() !== this.#stamp) this.reload(this.#paths);
  }

  #readStamp(): string {
    const { certificate, key, client_roots } = this.#paths;
    return [certificate, key, client_roots]
      .map((path) => {
        const stat = statSync(path, { throwIfNoEntry: false });
        return stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : 'none';
      })
      .join();
  }

  #exportExpiry(): void {
    const { validToDate } = new X509Certificate(readTextFile(this.#paths.certificate));
    this.#with.metrics.certificateExpiry.set(validToDate.getTime() / 1000);
  }
}
