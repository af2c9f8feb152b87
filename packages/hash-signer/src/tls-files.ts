import { X509Certificate } from 'node:crypto';
import type { Logger, RunningServer, ServeTls } from '@sigillum/service-kit';
import { readTextFile, readTlsFiles, stampFiles } from '@sigillum/service-kit';
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
  #isFailing = false;

  constructor(
    paths: Config['tls'],
    dependencies: { readonly server: RunningServer; readonly logger: Logger; readonly metrics: SignerMetrics },
  ) {
    this.#with = dependencies;
    this.#paths = paths;
    this.#stamp = this.#readStamp();
    this.#exportExpiry(readTextFile(paths.certificate));
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** Reads them now, perhaps from other paths. */
  reload(paths: Config['tls']): void {
    this.#paths = paths;
    this.#stamp = this.#readStamp();
    this.#take(true);
  }

  #take(isNew: boolean): void {
    const { server, logger, metrics } = this.#with;
    try {
      const tls = readTls(this.#paths);
      server.replaceTls(tls);
      this.#exportExpiry(tls.certificate);
      this.#isFailing = false;
      metrics.reloads.inc({ what: 'tls', outcome: 'ok' });
      logger.info('TLS certificate, key and client roots read again');
    } catch (error) {
      this.#isFailing = true;
      if (!isNew) return;
      metrics.reloads.inc({ what: 'tls', outcome: 'failed' });
      // Half of a renewal, perhaps: the other half comes.
      logger.error('the TLS files are not usable, the old ones stay', { error });
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Unusable ones are tried until they are usable: a mode or an owner that is put right changes no stamp. */
  #look(): void {
    const stamp = this.#readStamp();
    const isChanged = stamp !== this.#stamp;
    this.#stamp = stamp;
    if (isChanged || this.#isFailing) this.#take(isChanged);
  }

  #readStamp(): string {
    const { certificate, key, client_roots } = this.#paths;
    return stampFiles([certificate, key, client_roots]);
  }

  #exportExpiry(certificate: string): void {
    const { validToDate } = new X509Certificate(certificate);
    this.#with.metrics.certificateExpiry.set(validToDate.getTime() / 1000);
  }
}
