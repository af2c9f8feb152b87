import { writeSync } from 'node:fs';
import { isSigillumError } from '@sigillum/errors';
import { formatLine } from './create-logger.ts';
import { type Arguments, parseArguments } from './parse-arguments.ts';

/** What a main gives back: how to stop it. `undefined` means that its work is done. */
export type RunningService = {
  stop(): Promise<void>;
  /** Takes SIGHUP; only with `takesReload`. */
  reload?(): void;
};

export type MainOptions = {
  /**
   * SIGHUP asks for a reload from the first moment on: one that comes during the start is kept until its end, and one
   * during the stop is nothing. Without it SIGHUP stops, as when a terminal goes.
   */
  readonly takesReload?: boolean;
};

export type MainContext = {
  /** Aborted when the process is asked to stop, also while it still starts. */
  readonly signal: AbortSignal;
};

/** The oldest Node that runs the sources (stack.md). */
const minNodeMajor = 24;

/** EX_CONFIG of sysexits.h. */
const exitConfig = 78;

/** Longer than the grace of requests in flight, shorter than anybody's patience before a kill. */
const stopDeadlineMs = 25_000;

/**
 * Runs a service: parses the arguments, awaits `main`, and stops it on SIGTERM, SIGINT, SIGHUP (unless it takes that for
 * a reload) or, with `--lifeline`, at the end of stdin. Exits 0 when stopped as asked, 78 on a wrong configuration (all
 * problems on stderr), and 1 on an unhandled error or a stop that takes too long. A repeated signal changes nothing: npm
 * hands on what the terminal has already sent.
 */
export function runMain(
  main: (args: Arguments, context: MainContext) => Promise<RunningService | undefined>,
  options: MainOptions = {},
): void {
  if (Number(process.versions.node.split('.')[0]) < minNodeMajor) {
    print(`Sigillum needs Node ${minNodeMajor}; this is ${process.versions.node}. Start it with "npm start".`);
    process.exit(exitConfig);
  }
  const abort = new AbortController();
  let started: Promise<RunningService | undefined> | undefined;
  let stopping = false;

  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      print(formatLine('error', 'did not stop in time', {}));
      process.exit(1);
    }, stopDeadlineMs).unref();
    abort.abort();
    stopAfterStart(started).then(() => process.exit(0), fail);
  };

  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, stop);
  const reload = (): void => {
    reloadAfterStart(started, () => stopping).catch(fail);
  };
  process.on('SIGHUP', options.takesReload === true ? reload : stop);
  // A log on a full disk, or one that nobody reads: its lines are lost, and that ends no service.
  process.stdout.on('error', () => undefined);

  try {
    const args = parseArguments(process.argv.slice(2));
    if (args.lifeline) watchLifeline(stop);
    started = main(args, { signal: abort.signal });
    watchStart(started).catch((error: unknown) => {
      if (!stopping) fail(error);
    });
  } catch (error) {
    fail(error);
  }
}

/** Ends the process when its work is done, after what it has written to a pipe is out. */
async function watchStart(started: Promise<RunningService | undefined>): Promise<void> {
  if ((await started) !== undefined) return;
  await new Promise((resolve) => process.stdout.write('', resolve));
  process.exit(0);
}

async function reloadAfterStart(
  started: Promise<RunningService | undefined> | undefined,
  isStopping: () => boolean,
): Promise<void> {
  // A start that fails says so itself.
  const service = await started?.catch(() => undefined);
  if (!isStopping()) service?.reload?.();
}

async function stopAfterStart(started: Promise<RunningService | undefined> | undefined): Promise<void> {
  // A start that was interrupted ends as it likes; only a failing stop is an error.
  const service = await started?.catch(() => undefined);
  await service?.stop();
}

function watchLifeline(stop: () => void): void {
  process.stdin.on('error', stop);
  process.stdin.once('end', stop);
  process.stdin.once('close', stop);
  process.stdin.resume();
}

function fail(error: unknown): void {
  if (isSigillumError(error, 'config_invalid')) {
    print(error.message);
    process.exit(exitConfig);
  }
  print(formatLine('error', 'unhandled error', { error }));
  process.exit(1);
}

/** Synchronous: the process ends right after. */
function print(text: string): void {
  try {
    writeSync(process.stderr.fd, `${text}\n`);
  } catch {
    // Nobody reads stderr; the exit code still speaks.
  }
}
