import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startPostgres } from './start-postgres.ts';

/** A PostgreSQL for one test file or run: everything in a temporary folder, which goes when it stops. */
export async function startTestPostgres(): Promise<EmbeddedPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'sigillum-test-pg-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    const postgres = await startPostgres({
      dataDirectory: join(directory, 'pg'),
      secretsDirectory: join(directory, 'secrets'),
      logFile: join(directory, 'postgres.log'),
      // Nothing here has to outlive a power cut.
      settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' },
    });
    return {
      ...postgres,
      stop: async () => {
        await postgres.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
