import { SigillumError } from '@sigillum/errors';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { databaseRoleNames, takePassword } from './database-passwords.ts';

/** The one database. */
export const databaseName = 'sigillum';

/** Makes the roles and the database when they are missing, and sets the passwords to what the files say. */
export async function prepareDatabase(options: {
  readonly socketDirectory: string;
  readonly secretsDirectory: string;
}): Promise<void> {
  const client = new Client({
    host: options.socketDirectory,
    user: databaseRoleNames.superuser,
    password: takePassword(options.secretsDirectory, 'superuser'),
    database: 'postgres',
  });
  try {
    await client.connect();
    // A statement with a password never goes into the log, also when it fails.
    await client.query(`SET log_min_error_statement = 'panic'; SET log_statement = 'none'`);
    for (const role of ['owner', 'app'] as const) {
      const name = databaseRoleNames[role];
      const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
      const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
      const password = escapeLiteral(takePassword(options.secretsDirectory, role));
      await client.query(
        `${verb} ROLE ${escapeIdentifier(name)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${password}`,
      );
    }
    await createDatabase(client, databaseName);
  } catch (cause) {
    throw new SigillumError('database_start_failed', 'The roles and the database could not be made.', { cause });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Makes a database that only our roles may enter, unless it is there. */
async function createDatabase(client: Client, name: string): Promise<void> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  const database = escapeIdentifier(name);
  if (rowCount === 0) {
    await client.query(`CREATE DATABASE ${database} OWNER ${escapeIdentifier(databaseRoleNames.owner)}`);
  }
  await client.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
  await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${escapeIdentifier(databaseRoleNames.app)}`);
}
