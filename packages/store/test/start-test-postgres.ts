import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type DatabaseOptions, type DatabaseRole, startPostgres } from '../src/index.ts';
import { parseDatabaseUrl } from '../src/database/parse-database-url.ts';

/** How to reach one database as one role. */
export type TestAccess = Pick<DatabaseOptions, 'url' | 'passwordFile'>;

/** A real PostgreSQL for one test file, started as in a development home, with as many databases as it wants. */
export type TestPostgres = {
  createDatabase(): Promise<Readonly<Record<DatabaseRole, TestAccess>>>;
  /** Runs SQL as a role, as somebody with psql would. */
  connect(access: TestAccess): Promise<Client>;
  /** All connections break, and the server comes back. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

export async function startTestPostgres(): Promise<TestPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'sigillum-store-'));
  const start = () =>
    startPostgres({
      dataDirectory: join(directory, 'pg'),
      secretsDirectory: join(directory, 'secrets'),
      logFile: join(directory, 'postgres.log'),
      settings: { fsync: 'off', full_page_writes: 'off' },
    });
  let server = await start();
  const connect = async ({ url, passwordFile = '' }: TestAccess): Promise<Client> => {
    const client = new Client({ ...parseDatabaseUrl(url), password: readFileSync(passwordFile, 'utf8').trim() });
    await client.connect();
    return client;
  };
  const accessOf = (role: DatabaseRole, database?: string): Required<TestAccess> => ({
    url: server.url(role, database),
    passwordFile: server.passwordFile(role),
  });
  return {
    async createDatabase() {
      const name = `test_${randomBytes(6).toString('hex')}`;
      const admin = await connect(accessOf('superuser', 'postgres'));
      await admin.query(`create database ${name} owner sigillum_owner`);
      await admin.end();
      return { superuser: accessOf('superuser', name), owner: accessOf('owner', name), app: accessOf('app', name) };
    },
    connect,
    async restart() {
      await server.stop();
      server = await start();
    },
    async stop() {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
