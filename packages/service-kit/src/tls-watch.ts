import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Logger } from './create-logger.ts';
import { readTlsFiles, type TlsPaths, type TlsTexts } from './tls-files.ts';

/** How often the files are looked at: a renewed certificate has days. */
const lookMs = 5_000;

/** What a service exports about its own certificates; labels are what they are for, a closed set. */
export type TlsMetrics = {
  readonly notAfter: Gauge<'certificate'>;
  readonly reloads: Counter<'certificate' | 'outcome'>;
};

export function createTlsMetrics(registry: Registry): TlsMetrics {
  const registers = [registry];
  return {
    notAfter: new Gauge({
      name: 'tls_certificate_not_after_seconds',
      help: 'End of a TLS certificate in use, seconds since 1970',
      labelNames: ['certificate'] as const,
      registers,
    }),
    reloads: new Counter({
      name: 'tls_reloads_total',
      help: 'Changed TLS files that were read again, by outcome (ok or failed)',
      labelNames: ['certificate', 'outcome'] as const,
      registers,
    }),
  };
}

/** What is in the files of these paths: roots when there is a path for them. */
type TextsOf<Paths extends TlsPaths> = Omit<TlsTexts, 'roots'> & { readonly roots: Paths['roots'] };

export type TlsWatchOptions<Paths extends TlsPaths> = {
  /** What the certificate is for, in the log and in metrics: `signer`, `public`. */
  readonly name: string;
  readonly paths: Paths;
  readonly logger: Logger;
  readonly metrics: TlsMetrics;
};

/** TLS files that are renewed while a service runs. Unusable ones change nothing, and are tried until they are usable. */
export class TlsWatch<Paths extends TlsPaths> {
  /** What was in the files at the start. */
  readonly texts: TextsOf<Paths>;
  readonly #options: TlsWatchOptions<Paths>;
  #apply: (texts: TextsOf<Paths>) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #stamp: string;
  #isFailing = false;

  /** Reads the files. @throws SigillumError `config_invalid` */
  constructor(options: TlsWatchOptions<Paths>) {
    this.#options = options;
    // Before the files: what changes while they are read is seen at the next look.
    this.#stamp = this.#readStamp();
    this.texts = this.#read();
    this.#export(this.texts);
  }

  /** Begins to look. @param apply takes renewed files for connections from then on */
  start(apply: (texts: TextsOf<Paths>) => void): void {
    this.#apply = apply;
    this.#timer = setInterval(() => this.look(), lookMs);
    // Looking is no reason to stay alive.
    this.#timer.unref();
  }

  /** Looks now, as when somebody says that the files are new. */
  look(): void {
    const stamp = this.#readStamp();
    const isChanged = stamp !== this.#stamp;
    if (!isChanged && !this.#isFailing) return;
    this.#stamp = stamp;
    const { name: certificate, logger, metrics } = this.#options;
    try {
      const texts = this.#read();
      this.#apply(texts);
      this.#export(texts);
      this.#isFailing = false;
      metrics.reloads.inc({ certificate, outcome: 'ok' });
      logger.info('TLS files read again', { certificate, not_after: findEnd(texts).toISOString() });
    } catch (error) {
      this.#isFailing = true;
      if (!isChanged) return;
      metrics.reloads.inc({ certificate, outcome: 'failed' });
      // Half of a renewal, perhaps: the other half comes.
      logger.error('the TLS files are not usable, the old ones stay', { certificate, error });
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #read(): TextsOf<Paths> {
    return readTlsFiles(this.#options.paths);
  }

  #export(texts: TextsOf<Paths>): void {
    this.#options.metrics.notAfter.set({ certificate: this.#options.name }, findEnd(texts).getTime() / 1000);
  }

  #readStamp(): string {
    const { certificate, key, roots } = this.#options.paths;
    return stampFiles(roots === undefined ? [certificate, key] : [certificate, key, roots]);
  }
}

function findEnd({ certificate }: Pick<TlsTexts, 'certificate'>): Date {
  return new X509Certificate(certificate).validToDate;
}

/**
 * Changes when one of the files does. Never throws: a folder that is closed to us for a moment is no end of a service
 * that has its certificate.
 */
export function stampFiles(paths: readonly string[]): string {
  return paths
    .map((path) => {
      try {
        const { ino, mtimeMs, size } = statSync(path);
        return `${ino} ${mtimeMs} ${size}`;
      } catch {
        return 'none';
      }
    })
    .join();
}
