import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { type EmbeddedPostgres, startPostgres } from '../index.ts';
import { type DatabaseRole, databaseRoleNames } from './database-passwords.ts';
import { makeSocketDirectory } from './socket-directory.ts';

let home: string;
const running = new Set<EmbeddedPostgres>();

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'sigillum-test-home-'));
});

afterEach(async () => {
  for (const postgres of running) await postgres.stop();
  running.clear();
  rmSync(home, { recursive: true, force: true });
});

const places = () => ({
  dataDirectory: join(home, 'pg'),
  secretsDirectory: join(home, 'secrets'),
  logFile: join(home, 'postgresql.log'),
});

async function start(settings: Readonly<Record<string, string>> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startPostgres({ ...places(), settings });
  running.add(postgres);
  return postgres;
}

function connectAs(postgres: EmbeddedPostgres, role: DatabaseRole, password: string): Client {
  // With a connection string, pg takes the password from there and nowhere else.
  const { pathname, searchParams } = new URL(postgres.url(role).replace('@/', '@localhost/'));
  return new Client({
    host: searchParams.get('host') ?? '',
    database: pathname.slice(1),
    user: databaseRoleNames[role],
    password,
  });
}

async function query(postgres: EmbeddedPostgres, role: DatabaseRole, sql: string): Promise<unknown[]> {
  const password = readFileSync(postgres.passwordFile(role), 'utf8').trim();
  const client = connectAs(postgres, role, password);
  // A server that is killed cuts the connection.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.flatMap((row) => Object.values(row));
  } finally {
    await client.end();
  }
}

async function waitUntilGone(pid: number): Promise<void> {
  for (let turn = 0; existsSync(`/proc/${pid}`); turn += 1) {
    if (turn > 500) throw new Error(`Process ${pid} is still there`);
    await sleep(20);
  }
}

describe('the embedded PostgreSQL', () => {
  test('keeps what was written over a stop, and leaves neither process nor socket', async () => {
    const first = await start();
    await query(first, 'owner', 'CREATE TABLE kept (n int)');
    await query(first, 'owner', 'INSERT INTO kept VALUES (42)');
    await first.stop();
    expect(existsSync(`/proc/${first.pid}`)).toBe(false);
    expect(existsSync(first.socketDirectory)).toBe(false);
    const second = await start();
    expect(await query(second, 'owner', 'SELECT n FROM kept')).toEqual([42]);
    expect(second.socketDirectory).toBe(first.socketDirectory);
  });

  test('is durable, speaks UTF-8, and listens on nothing but a socket of ours', async () => {
    const postgres = await start();
    const settings = ['fsync', 'synchronous_commit', 'listen_addresses', 'server_encoding', 'data_checksums'];
    const values = await query(
      postgres,
      'app',
      `SELECT current_setting(n) FROM unnest('{${settings.join()}}'::text[]) n`,
    );
    expect(values).toEqual(['on', 'on', '', 'UTF8', 'on']);
    const locale = await query(
      postgres,
      'app',
      `SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()`,
    );
    expect(locale).toEqual(['b', 'C.UTF-8']);
    expect(statSync(postgres.socketDirectory).mode & 0o777).toBe(0o700);
  });

  test('gives each role its own secret, and the app no right to make anything', async () => {
    const postgres = await start();
    for (const role of ['superuser', 'owner', 'app'] as const) {
      expect(statSync(postgres.passwordFile(role)).mode & 0o777).toBe(0o600);
      expect(postgres.url(role)).not.toContain(readFileSync(postgres.passwordFile(role), 'utf8').trim());
    }
    await expect(query(postgres, 'app', 'CREATE TABLE mine (n int)')).rejects.toThrow('permission denied');
    await expect(query(postgres, 'app', 'CREATE DATABASE mine')).rejects.toThrow('permission denied');
    const wrong = connectAs(postgres, 'owner', 'wrong');
    await expect(wrong.connect()).rejects.toThrow('password authentication failed');
    const log = readFileSync(join(home, 'postgresql.log'), 'utf8');
    expect(log).toContain('password authentication failed');
    expect(log).not.toContain('PASSWORD');
  });

  test('comes back after kill -9 with what was committed', async () => {
    const first = await start();
    await query(first, 'owner', 'CREATE TABLE kept AS SELECT generate_series(1, 1000) n');
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const second = await start();
    expect(await query(second, 'owner', 'SELECT count(*)::int FROM kept')).toEqual([1000]);
  });

  test('is not kept from starting by a pid file that names an unrelated process', async () => {
    const first = await start();
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const path = join(home, 'pg', 'postmaster.pid');
    writeFileSync(path, readFileSync(path, 'utf8').replace(String(first.pid), String(process.pid)));
    const second = await start();
    expect(await query(second, 'app', 'SELECT 1')).toEqual([1]);
  });

  test('begins again when making the cluster was cut short', async () => {
    mkdirSync(join(home, 'pg.incomplete', 'base'), { recursive: true });
    writeFileSync(join(home, 'pg.incomplete', 'PG_VERSION'), '18\n');
    const postgres = await start();
    expect(await query(postgres, 'app', 'SELECT 1')).toEqual([1]);
    expect(readdirSync(home)).not.toContain('pg.incomplete');
  });

  test('takes over new passwords from the files', async () => {
    const first = await start();
    await first.stop();
    writeFileSync(first.passwordFile('app'), 'another-one\n');
    const second = await start();
    expect(await query(second, 'app', 'SELECT current_user')).toEqual(['sigillum_app']);
  });

  test('says what its log says when it does not start', async () => {
    const failure = start({ shared_buffers: 'nonsense' });
    await expect(failure).rejects.toEqual(expect.objectContaining({ code: 'database_start_failed' }));
    await expect(failure).rejects.toThrow('shared_buffers');
  });

  test('ends when the process that started it is killed', async () => {
    const script = `
      import { startPostgres } from '@sigillum/store';
      const postgres = await startPostgres(${JSON.stringify(places())});
      process.stdout.write(postgres.pid + '\\n');
      setInterval(() => undefined, 1000);`;
    const parent = spawn(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Uint8Array];
    const pid = Number(Buffer.from(line).toString());
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('postgres\n');
    parent.kill('SIGKILL');
    await waitUntilGone(pid);
    const again = await start();
    expect(await query(again, 'app', 'SELECT 1')).toEqual([1]);
  });

  test('keeps the path of its socket short, whatever the temporary folder', () => {
    const directory = makeSocketDirectory(join(home, 'x'.repeat(200)));
    expect(`${directory}/.s.PGSQL.5432`.length).toBeLessThanOrEqual(107);
    rmSync(directory, { recursive: true });
  });
});
