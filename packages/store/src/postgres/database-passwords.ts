import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The superuser makes roles and the database, the owner runs migrations, the app's role owns nothing. */
export type DatabaseRole = 'superuser' | 'owner' | 'app';

/** What the roles are called inside PostgreSQL. */
export const databaseRoleNames = {
  superuser: 'sigillum_superuser',
  owner: 'sigillum_owner',
  app: 'sigillum_app',
} as const satisfies Record<DatabaseRole, string>;

/** The file in which a role's password stands, 0600. */
export function passwordFileOf(secretsDirectory: string, role: DatabaseRole): string {
  return join(secretsDirectory, `database-${role}.password`);
}

/** Reads a role's password, and makes it first when there is none: 32 random bytes. */
export function takePassword(secretsDirectory: string, role: DatabaseRole): string {
  const path = passwordFileOf(secretsDirectory, role);
  if (!existsSync(path)) {
    mkdirSync(secretsDirectory, { recursive: true, mode: 0o700 });
    const draft = `${path}.draft`;
    const file = openSync(draft, 'w', 0o600);
    writeSync(file, `${randomBytes(32).toString('base64url')}\n`);
    fsyncSync(file);
    closeSync(file);
    renameSync(draft, path);
  }
  return readFileSync(path, 'utf8').trim();
}
