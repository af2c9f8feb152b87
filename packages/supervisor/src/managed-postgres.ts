import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedPostgres, type StartPostgresOptions, startPostgres } from '@sigillum/store';

/** PostgreSQL replays its log at a start; trying more often than this doesn't help. */
const backOffMs = 1_000;

/** The embedded PostgreSQL, started again when it ends by itself. */
export class ManagedPostgres {
  readonly #options: StartPostgresOptions;
  readonly #onChange: (event: string) => void;
  #current: EmbeddedPostgres | undefined;
  #watching: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(options: StartPostgresOptions, onChange: (event: string) => void) {
    this.#options = options;
    this.#onChange = onChange;
  }

  get pid(): number | undefined {
    return this.#current?.pid;
  }

  /** Starts it; the first failure is the caller's. Its URLs stay the same over restarts. */
  async start(): Promise<EmbeddedPostgres> {
    const starting = startPostgres(this.#options);
    // For a stop that comes while it starts, which has to wait for what it stops.
    this.#watching = starting.then(
      () => undefined,
      () => undefined,
    );
    const first = await starting;
    this.#current = first;
    this.#watching = this.#watch(first);
    this.#onChange(`PostgreSQL runs as process ${first.pid}`);
    if (this.#stopping) await first.stop();
    return first;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#current === undefined) await this.#watching;
    await this.#current?.stop();
    await this.#watching;
  }

  async #watch(first: EmbeddedPostgres): Promise<void> {
    let current: EmbeddedPostgres | undefined = first;
    for (;;) {
      await current?.exited;
      this.#current = undefined;
      if (this.#stopping) return;
      this.#onChange('PostgreSQL ended; starting it again');
      await sleep(current === undefined ? backOffMs : 0);
      current = await startPostgres(this.#options).catch(() => undefined);
      this.#current = current;
      if (current !== undefined) this.#onChange(`PostgreSQL runs as process ${current.pid}`);
      // A stop that came while it started found nothing to stop.
      if (this.#hasToStop()) await current?.stop();
    }
  }

  #hasToStop(): boolean {
    return this.#stopping;
  }
}
