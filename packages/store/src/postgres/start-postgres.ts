import { mkdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type DatabaseRole, databaseRoleNames, passwordFileOf } from './database-passwords.ts';
import { initialiseCluster } from './initialise-cluster.ts';
import { findLauncher } from './launcher.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { type PostgresProcess, startPostgresProcess } from './postgres-process.ts';
import { databaseName, prepareDatabase } from './prepare-database.ts';
import { makeSocketDirectory } from './socket-directory.ts';

export type StartPostgresOptions = {
  /** Made when it is missing. */
  readonly dataDirectory: string;
  /** Where the passwords of the roles stand, made when they are missing. */
  readonly secretsDirectory: string;
  /** What the server writes goes to the end of this file. */
  readonly logFile: string;
  /** Settings over the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
};

/** A running PostgreSQL of our own with the database `sigillum`. */
export type EmbeddedPostgres = {
  readonly pid: number;
  readonly socketDirectory: string;
  /** Resolves when the server has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Without the password, which stands in {@link EmbeddedPostgres.passwordFile}. */
  url(role: DatabaseRole, database?: string): string;
  passwordFile(role: DatabaseRole): string;
  /** Fast shutdown: sessions are cut, data is safe. */
  stop(): Promise<void>;
};

/** For one machine and few users; durable like any PostgreSQL (fsync and synchronous_commit stay on). */
const defaultSettings = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '100',
  shared_buffers: '64MB',
  // Nobody replicates from here.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '512MB',
  checkpoint_timeout: '15min',
  // Our queries are short; compiling them takes longer.
  jit: 'off',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
} as const;

/**
 * Starts the PostgreSQL that npm installed, on a Unix socket only, as root or as any user, and makes cluster, roles
 * (`sigillum_owner`, `sigillum_app`) and database when they are missing. It ends (INT) when this process dies.
 * @throws SigillumError `database_start_failed` with the end of the log, or with what to do.
 */
export async function startPostgres(options: StartPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDirectory = resolve(options.dataDirectory);
  const secretsDirectory = resolve(options.secretsDirectory);
  const binaries = findPostgresBinaries();
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  mkdirSync(dirname(resolve(options.logFile)), { recursive: true, mode: 0o700 });
  const socketDirectory = makeSocketDirectory(dataDirectory);
  const removeSocket = (): void => rmSync(socketDirectory, { recursive: true, force: true });
  let server: PostgresProcess | undefined;
  try {
    const launcher = await findLauncher(binaries.postgres, [dataDirectory, socketDirectory]);
    const places = { launcher, dataDirectory, socketDirectory };
    await initialiseCluster({ ...places, initdb: binaries.initdb, secretsDirectory });
    launcher.takeOver(dataDirectory);
    launcher.takeOver(socketDirectory);
    const settings = { ...defaultSettings, ...options.settings };
    server = await startPostgresProcess({ ...places, postgres: binaries.postgres, logFile: options.logFile, settings });
    await prepareDatabase({ socketDirectory, secretsDirectory });
  } catch (error) {
    await server?.stop();
    removeSocket();
    throw error;
  }
  const running = server;
  return {
    pid: running.pid,
    socketDirectory,
    exited: running.exited,
    url: (role, database = databaseName) =>
      `postgresql://${databaseRoleNames[role]}@/${encodeURIComponent(database)}?host=${encodeURIComponent(socketDirectory)}`,
    passwordFile: (role) => passwordFileOf(secretsDirectory, role),
    stop: async () => {
      await running.stop();
      removeSocket();
    },
  };
}
