import { execFile } from 'node:child_process';
import { readdirSync, chownSync, existsSync, lchownSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SigillumError } from '@sigillum/errors';

const execute = promisify(execFile);

/** How PostgreSQL is started: the command that stands before it, which becomes it (no extra process stays). */
export type Launcher = {
  readonly prefix: readonly [string, ...string[]];
  /** Gives a folder and all in it to the user that PostgreSQL runs as. */
  takeOver(path: string): void;
};

/** INT is PostgreSQL's fast shutdown; it comes when the process that started it dies, however it dies. */
const dieWithParent = ['setpriv', '--pdeathsig', 'INT'] as const;

/** nobody and nogroup of Debian. */
const nobody = 65_534;

/** A probe runs one program that answers at once. */
const probeTimeoutMs = 10_000;

/**
 * Finds a way to start PostgreSQL, which refuses to run as root. As root: in a user namespace where we are user 1000;
 * where containers forbid that, as nobody. As any other user: plainly.
 * @param postgres the program, and `folders` what it must be able to enter.
 * @throws SigillumError `database_start_failed` that says what to do.
 */
export async function findLauncher(postgres: string, folders: readonly string[]): Promise<Launcher> {
  if (process.getuid?.() !== 0) return { prefix: [...dieWithParent, '--'], takeOver: () => undefined };

  const namespace = ['unshare', '--user', '--map-user=1000', '--map-group=1000', ...dieWithParent, '--'] as const;
  const namespaceFailure = await findFailure([...namespace, postgres, '--version']);
  if (namespaceFailure === undefined) return { prefix: namespace, takeOver: (path) => giveTo(path, 0) };

  const asNobody = [
    'setpriv',
    `--reuid=${nobody}`,
    `--regid=${nobody}`,
    '--clear-groups',
    '--pdeathsig',
    'INT',
    '--',
  ] as const;
  for (const folder of folders) giveTo(folder, nobody);
  const nobodyFailure =
    (await findFailure([...asNobody, postgres, '--version'])) ??
    (await findFailure([...asNobody, 'test', ...folders.flatMap((folder) => ['-w', folder, '-a']), '1'])) ??
    undefined;
  if (nobodyFailure === undefined) return { prefix: asNobody, takeOver: (path) => giveTo(path, nobody) };
  throw new SigillumError(
    'database_start_failed',
    'PostgreSQL refuses to run as root, user namespaces are not allowed here, and the user "nobody" can not reach the ' +
      'folders. Start as another user, or keep checkout and home where every user can enter (not below /root).',
    { cause: new AggregateError([namespaceFailure, nobodyFailure]) },
  );
}

async function findFailure(command: readonly string[]): Promise<unknown> {
  const [program = '', ...args] = command;
  try {
    await execute(program, args, { timeout: probeTimeoutMs });
    return undefined;
  } catch (error) {
    return error;
  }
}

function giveTo(path: string, uid: number): void {
  if (!existsSync(path)) return;
  chownSync(path, uid, uid);
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    lchownSync(join(entry.parentPath, entry.name), uid, uid);
  }
}
