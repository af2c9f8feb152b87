import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import { databaseRoleNames, takePassword } from './database-passwords.ts';
import type { Launcher } from './launcher.ts';
import { cleanEnvironment } from './postgres-process.ts';

/** Of what initdb says, the end is kept for the error. */
const maxOutputCharacters = 4_000;

/**
 * Makes a data folder when there is none. It is made under another name and moved when it is whole, so that one cut
 * short is never taken for a cluster.
 */
export async function initialiseCluster(options: {
  readonly initdb: string;
  readonly launcher: Launcher;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly secretsDirectory: string;
}): Promise<void> {
  const { dataDirectory, launcher, secretsDirectory, socketDirectory } = options;
  if (existsSync(join(dataDirectory, 'PG_VERSION'))) return;
  const draft = `${dataDirectory}.incomplete`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  launcher.takeOver(draft);
  // A copy, because the user nobody may not be able to enter our folder of secrets.
  const passwordFile = join(socketDirectory, 'initdb.password');
  writeFileSync(passwordFile, takePassword(secretsDirectory, 'superuser'), { mode: 0o600 });
  launcher.takeOver(socketDirectory);
  const [program, ...prefix] = launcher.prefix;
  const child = spawn(
    program,
    [
      ...prefix,
      options.initdb,
      `--pgdata=${draft}`,
      `--username=${databaseRoleNames.superuser}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ],
    { cwd: '/', env: cleanEnvironment, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  const keep = (chunk: Uint8Array): void => {
    output = (output + Buffer.from(chunk).toString()).slice(-maxOutputCharacters);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const [code] = (await once(child, 'close')) as [number | null];
  rmSync(passwordFile, { force: true });
  if (code !== 0) {
    throw new SigillumError('database_start_failed', `initdb failed:\n${output.trim()}`);
  }
  // Only the socket, only with a password, whoever asks.
  writeFileSync(join(draft, 'pg_hba.conf'), 'local all all scram-sha-256\n');
  rmSync(dataDirectory, { recursive: true, force: true });
  renameSync(draft, dataDirectory);
}
