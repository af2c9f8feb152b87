import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import { loadConfig, makeDirectory, writeFileDurably } from '@sigillum/service-kit';
import { z } from 'zod';
import { assertRoom, newHomeBytes, oldHomeBytes } from './disk-space.ts';
import { homeEntries, type HomePaths, listHomePaths } from './home-paths.ts';
import { defaultBasePort, type HomeOptions } from './parse-options.ts';
import { assertPortFree } from './ports.ts';
import { acquireProcessLock, type ProcessLock } from './process-lock.ts';
import { quoteForShell } from './quote-for-shell.ts';
import { endLeftovers } from './recorded-processes.ts';

/** The layout of a home. A change that an older home can't be used with counts it up. */
const homeVersion = '1';

const basePortSchema = z.strictObject({ base_port: z.int().min(1024).max(65_534) });

/** A home that this process holds. */
export type OpenedHome = { readonly paths: HomePaths; readonly basePort: number; readonly lock: ProcessLock };

/**
 * Makes or takes a home: checks that it is one, holds it alone, deletes it first with `--reset`, and finds its ports free.
 * @throws SigillumError `home_…`, each saying what to do.
 */
export async function openHome(options: HomeOptions): Promise<OpenedHome> {
  const paths = listHomePaths(options.home);
  try {
    return await takeHome(options, paths);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new SigillumError(
      'home_not_writable',
      `The folder ${paths.directory} can't be used: ${error.message}. Make it writable, free space on its disk, or name another one: ` +
        'npm start -- --home DIR',
      { cause: error },
    );
  }
}

/** An error of the operating system, such as EACCES, EROFS, ENOTDIR or ENOSPC. */
function isSystemError(error: unknown): error is Error {
  return Error.isError(error) && 'syscall' in error;
}

async function takeHome(options: HomeOptions, paths: HomePaths): Promise<OpenedHome> {
  assertOurs(paths);
  const recorded = readBasePort(paths);
  if (!options.reset && recorded !== undefined && options.port !== undefined && options.port !== recorded) {
    throw new SigillumError(
      'home_port_fixed',
      `The home ${paths.directory} has port ${recorded}: it stands in the URLs of its certificates. Start it without --port, ` +
        'use another home (--home DIR), or begin anew with --reset, which deletes its keys and what it has sealed.',
    );
  }
  // Others may enter, so that PostgreSQL can run as another user; all folders within are for the owner.
  if (makeDirectory(paths.directory)) chmodSync(paths.directory, 0o755);
  makeDirectory(join(paths.directory, 'run'), 0o700);
  const lock = acquireProcessLock(paths.lock, paths.directory);
  try {
    await endLeftovers(paths);
    rmSync(paths.ready, { force: true });
    const basePort = options.port ?? recorded ?? defaultBasePort;
    const advice =
      recorded === undefined || options.reset
        ? `Choose another one: npm start -- --home ${quoteForShell(paths.directory)} --port N`
        : 'It is fixed for this home, because it stands in the URLs of its certificates: stop that program, or use another home: npm start -- --home DIR --port N';
    for (const port of [basePort, basePort + 1]) await assertPortFree(port, advice);
    // Not before all is well: what goes is gone.
    if (options.reset) empty(paths);
    assertRoom(paths.directory, existsSync(paths.at('pg')) ? oldHomeBytes : newHomeBytes);
    writeVersion(paths);
    for (const folder of paths.folders) {
      makeDirectory(folder, 0o700);
      chmodSync(folder, 0o700);
    }
    writeFileDurably(paths.basePort, `# Stands in the URLs of the certificates.\nbase_port: ${basePort}\n`);
    return { paths, basePort, lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function assertOurs(paths: HomePaths): void {
  if (!existsSync(paths.directory)) return;
  const entries = readdirSync(paths.directory);
  const strangers = entries.filter((name) => !homeEntries.has(name));
  // `run` alone: a first start that was cut short before anything else.
  const isNew = entries.every((name) => name === 'run');
  if (!isNew && !existsSync(paths.version)) {
    throw new SigillumError(
      'home_not_ours',
      `${paths.directory} holds other things (${strangers.slice(0, 3).join(', ') || entries.slice(0, 3).join(', ')}) and is not a Sigillum home. ` +
        'Name a new or empty folder with --home DIR.',
    );
  }
  const version = isNew ? homeVersion : readFileSync(paths.version, 'utf8').trim();
  if (version !== homeVersion) {
    throw new SigillumError(
      'home_version_unknown',
      `The home ${paths.directory} has version ${version.slice(0, 20)}, this is for version ${homeVersion}. Use another home ` +
        '(--home DIR), or move this one away.',
    );
  }
}

function readBasePort(paths: HomePaths): number | undefined {
  return existsSync(paths.basePort) ? loadConfig(paths.basePort, basePortSchema).base_port : undefined;
}

/** Deletes what a home holds, except the lock that this process has. The version goes last but is written again. */
function empty(paths: HomePaths): void {
  for (const name of readdirSync(paths.directory)) {
    if (name !== 'run' && name !== 'version') rmSync(join(paths.directory, name), { recursive: true, force: true });
  }
}

function writeVersion(paths: HomePaths): void {
  if (!existsSync(paths.version)) writeFileDurably(paths.version, `${homeVersion}\n`);
}
