import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger, RunningService } from '@sigillum/service-kit';
import type { EmbeddedPostgres } from '@sigillum/store';
import type { Console } from './console.ts';
import { explainFullDisk } from './disk-space.ts';
import { describeHome } from './describe-home.ts';
import { findSofthsmModule } from './find-softhsm.ts';
import { formatResetCommand } from './format-reset-command.ts';
import type { HomePaths } from './home-paths.ts';
import { makeSecrets } from './make-secrets.ts';
import { ManagedPostgres } from './managed-postgres.ts';
import { ManagedService } from './managed-service.ts';
import { type OpenedHome, openHome } from './open-home.ts';
import type { HomeOptions } from './parse-options.ts';
import { findInternalPorts, type InternalPortName, type InternalPorts, replaceTakenPorts } from './ports.ts';
import { flatMemory, type Program } from './program.ts';
import { writeReadyFile } from './ready-file.ts';
import { forgetProcesses, recordProcesses } from './recorded-processes.ts';
import { startRenewals } from './renewals.ts';
import { runCeremony } from './run-ceremony.ts';
import { runProgram } from './run-program.ts';
import { sealSample } from './seal-sample.ts';
import { startTokenRepairs } from './token-repairs.ts';
import { type ConfigurationInput, writeConfigurations } from './write-configurations.ts';

export type StartHomeOptions = {
  readonly options: HomeOptions;
  /** The top of the checkout. */
  readonly checkout: string;
  readonly console: Console;
  /** The supervisor's own log. */
  readonly createLog: (path: string) => Logger;
  readonly signal: AbortSignal;
};

/** Each of them meets a program that took a port in the second before. */
const maxPortAttempts = 3;

/** The internal listeners of each service; first the one with `/readyz`. */
const servicePorts = {
  'hash-signer': ['hash_signer_internal', 'hash_signer'],
  tsa: ['tsa_internal', 'tsa_seals'],
  'document-service': ['document_service_internal'],
} as const satisfies Record<string, readonly InternalPortName[]>;
type ServiceName = keyof typeof servicePorts;

/** Starts everything in its order (README), and gives back how to stop it in the reverse one. */
export async function startHome(input: StartHomeOptions): Promise<RunningService> {
  const startedAt = Date.now();
  const home = await openHome(input.options);
  const run = new HomeRun(input, home);
  try {
    await run.start();
  } catch (error) {
    const cause = explainFullDisk(error, home.paths.directory);
    await run.stop();
    throw cause;
  }
  const resetCommand = formatResetCommand(home.paths.directory, input.checkout);
  input.console.say(describeHome(home.paths, home.basePort, Date.now() - startedAt, resetCommand));
  return { stop: () => run.stop() };
}

/** One run of a home, from its first process to its last. */
class HomeRun {
  readonly #input: StartHomeOptions;
  readonly #home: OpenedHome;
  readonly #paths: HomePaths;
  readonly #log: Logger;
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #services: ManagedService[] = [];
  /** Services that still run with a certificate that was renewed. A restart that failed is tried again. */
  readonly #outdated = new Set<ManagedService>();
  #postgres: ManagedPostgres | undefined;
  #ports: InternalPorts | undefined;
  #configuration: Omit<ConfigurationInput, 'ports'> | undefined;
  #isReady = false;

  constructor(input: StartHomeOptions, home: OpenedHome) {
    this.#input = input;
    this.#home = home;
    this.#paths = home.paths;
    this.#log = input.createLog(home.paths.log('supervisor'));
  }

  async start(): Promise<void> {
    const { signal } = this.#input;
    const { basePort } = this.#home;
    const paths = this.#paths;
    // Needs nothing of the ceremony: each has a processor for itself.
    const database = this.#startPostgres();
    await this.#step('Keys and certificates', async () => {
      await this.#ceremony(['development-pki', '--base-url', `http://127.0.0.1:${basePort}`], signal);
      await this.#ceremony(['renew-leaves'], signal);
    });
    makeSecrets(paths);
    this.#ports = await findInternalPorts([basePort, basePort + 1]);
    await this.#step('PostgreSQL', async () => {
      const running = await database;
      this.#configuration = {
        basePort,
        softhsmModule: findSofthsmModule(),
        softhsmProfile: join(this.#input.checkout, 'hsm/profiles/softhsm.yaml'),
        database: { url: running.url('app'), passwordFile: running.passwordFile('app') },
        migrations: { url: running.url('owner'), passwordFile: running.passwordFile('owner') },
      };
      this.#configure();
      const migrate = this.#program('packages/document-service', 'document-service', ['migrate']);
      await runProgram('Preparing the database', migrate, signal);
    });
    await this.#step('hash-signer', () => this.#service('hash-signer'));
    await this.#step('tsa', () => this.#service('tsa'));
    await this.#step('document-service', async () => {
      await this.#provision(signal);
      await this.#service('document-service');
    });
    await this.#step('Sealing a sample', () => sealSample(paths, `http://127.0.0.1:${basePort}`));
    const renewals = startRenewals(
      (aborted) => this.#renew(aborted),
      (error) => this.#log.error('renewal failed', { error }),
    );
    this.#stops.push(() => renewals.stop());
    const repairs = startTokenRepairs(
      () => this.#isSignerReady(),
      async (aborted) => {
        const { done } = await this.#ceremony(['repair-tokens'], aborted);
        if (done.length > 0) this.#log.warn('repaired', { steps: done });
      },
      (error) => this.#log.error('repairing the tokens failed', { error }),
    );
    this.#stops.push(() => repairs.stop());
    this.#isReady = true;
    this.#record();
  }

  /** Everything that was started, the last first. */
  async stop(): Promise<void> {
    this.#isReady = false;
    rmSync(this.#paths.ready, { force: true });
    const hasStarted = this.#stops.length > 0;
    if (hasStarted) this.#input.console.say('Stopping …');
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
    forgetProcesses(this.#paths);
    this.#home.lock.release();
    if (hasStarted) this.#input.console.say('Stopped.');
  }

  async #step(name: string, work: () => Promise<unknown>): Promise<void> {
    this.#input.signal.throwIfAborted();
    this.#input.console.begin(name);
    await work();
    this.#input.console.end();
  }

  #startPostgres(): Promise<EmbeddedPostgres> {
    const paths = this.#paths;
    const postgres = new ManagedPostgres(
      { dataDirectory: paths.at('pg'), secretsDirectory: paths.secrets, logFile: paths.log('postgresql') },
      (event) => this.#tell(event),
    );
    this.#postgres = postgres;
    this.#stops.push(() => postgres.stop());
    const starting = postgres.start();
    // A failure is met where it is awaited; until then it isn't an unhandled one.
    starting.catch(() => undefined);
    return starting;
  }

  #configure(): void {
    if (this.#configuration && this.#ports) {
      writeConfigurations(this.#paths, { ...this.#configuration, ports: this.#ports });
    }
  }

  async #service(name: ServiceName): Promise<void> {
    const runtime = name === 'document-service' ? { runtime: flatMemory } : {};
    const program = { ...this.#program(`packages/${name}`, name, ['--lifeline']), ...runtime };
    const findInternalPort = (): number => this.#ports?.[servicePorts[name][0]] ?? 0;
    const service = new ManagedService({ name, program, findInternalPort, onChange: (event) => this.#tell(event) });
    this.#services.push(service);
    this.#stops.push(() => service.stop());
    for (let attempt = 1; ; attempt += 1) {
      service.start();
      try {
        return await service.waitUntilReady(this.#input.signal);
      } catch (error) {
        this.#input.signal.throwIfAborted();
        await service.stop();
        if (attempt === maxPortAttempts || !(await this.#movePorts(name))) throw error;
        this.#log.warn('another program took a port of this service; it gets another one', {
          name,
          ports: this.#ports,
        });
      }
    }
  }

  /** Between the search for free ports and a service's start another program may have taken one of them. */
  async #movePorts(name: ServiceName): Promise<boolean> {
    const { basePort } = this.#home;
    const ports = this.#ports && (await replaceTakenPorts(this.#ports, servicePorts[name], [basePort, basePort + 1]));
    if (ports === undefined) return false;
    this.#ports = ports;
    // Services that run keep theirs, so what they have read stays true; those that come later read the new ones.
    this.#configure();
    return true;
  }

  #program(folder: string, name: string, args: readonly string[]): Program {
    return {
      main: join(this.#input.checkout, folder, 'src', 'main.ts'),
      args: [...args, '--config', this.#paths.config(name)],
      logFile: this.#paths.log(name),
    };
  }

  async #provision(signal: AbortSignal): Promise<void> {
    const { args, ...program } = this.#program('packages/document-service', 'document-service', ['provision']);
    const file = ['--file', this.#paths.config('provision')];
    await runProgram('Setting up the sandbox', { ...program, args: [...args, ...file] }, signal);
  }

  #ceremony(args: readonly string[], signal: AbortSignal) {
    const program: Program = {
      main: join(this.#input.checkout, 'hsm', 'src', 'main.ts'),
      args: [...args, '--home', this.#paths.directory],
      logFile: this.#paths.log('ceremony'),
    };
    return runCeremony(program, {
      signal,
      onStep: (step) => this.#input.console.detail(step),
      resetCommand: formatResetCommand(this.#paths.directory, this.#input.checkout),
    });
  }

  /** Renews what is due. CRLs are read again by document-service itself; certificates at a start. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { done } = await this.#ceremony(['renew-leaves'], signal);
    if (done.length > 0) this.#log.info('renewed', { steps: done });
    if (done.some((step) => step.startsWith('issue-certificate'))) {
      for (const service of this.#services) this.#outdated.add(service);
    }
    for (const service of this.#services) {
      if (!this.#outdated.has(service)) continue;
      if (service.name === 'document-service') await this.#provision(signal);
      await service.stop();
      signal.throwIfAborted();
      service.start();
      await service.waitUntilReady(signal);
      this.#outdated.delete(service);
    }
  }

  async #isSignerReady(): Promise<boolean> {
    const signer = this.#services.find((service) => service.name === 'hash-signer');
    return signer === undefined || (await signer.isReady());
  }

  #tell(event: string): void {
    this.#log.info(event);
    if (this.#isReady) this.#input.console.say(event);
    try {
      this.#record();
    } catch (error) {
      // A full disk: the services go on, and the files are written again at the next event.
      this.#log.error('the files about processes could not be written', { error });
    }
  }

  /** Keeps the files about processes true. */
  #record(): void {
    const pids = new Map<string, number | undefined>([
      ['supervisor', process.pid],
      ['postgres', this.#postgres?.pid],
      ...this.#services.map((service) => [service.name, service.pid] as const),
    ]);
    recordProcesses(
      this.#paths,
      [...pids.values()].filter((pid) => pid !== undefined && pid !== process.pid) as number[],
    );
    if (!this.#isReady || this.#ports === undefined) return;
    const { basePort } = this.#home;
    writeReadyFile(this.#paths, { basePort, ports: this.#ports, pids: Object.fromEntries(pids) });
  }
}
