import { join } from 'node:path';

/** The folders of a home (ARCHITECTURE.md, "The development home"). `pg` is made by PostgreSQL's starter. */
const folders = [
  'config',
  'tokens',
  'secrets',
  'keys',
  'pki',
  'pki/public',
  'tls',
  'blobs',
  'spool',
  'audit',
  'logs',
  'transcripts',
  'run',
  'samples',
] as const;

/** Where things lie in a home, as absolute paths. */
export type HomePaths = ReturnType<typeof listHomePaths>;

/** The names that mark a folder as a home. */
export const homeEntries: ReadonlySet<string> = new Set([
  ...folders.map((folder) => folder.split('/')[0] ?? folder),
  'pg',
  'pg.incomplete',
  'version',
]);

/** The paths in a home. `at` makes one of its other paths absolute. */
export function listHomePaths(directory: string) {
  const at = (path: string): string => join(directory, path);
  return {
    directory,
    at,
    folders: folders.map(at),
    version: at('version'),
    lock: at('run/lock'),
    ready: at('run/ready.json'),
    processes: at('run/processes.json'),
    basePort: at('config/home.yaml'),
    secrets: at('secrets'),
    sandboxKey: at('secrets/sandbox-api-key'),
    pepper: at('secrets/api-key.pepper'),
    root: at('pki/root.pem'),
    crls: ['root', 'issuing-ca', 'tsa-ca'].map((name) => at(`pki/${name}.crl.pem`)),
    sample: at('samples/sample.pdf'),
    sealedSample: at('samples/sample.sealed.pdf'),
    log: (name: string): string => at(`logs/${name}.log`),
    config: (name: string): string => at(`config/${name}.yaml`),
  } as const;
}
