import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from './usage-error.ts';

/** Which service to talk to. The key comes from a file, never from the command line, which every process may read. */
export type ServiceOptions = {
  readonly url: string | undefined;
  readonly keyFile: string | undefined;
  readonly home: string | undefined;
};

export type FoundService = {
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly home: string | undefined;
};

/** A key has some dozen characters; a larger file is the wrong one. */
const maxKeyBytes = 1024;

/**
 * The service that the options name, or that of the development home: `--home`, else the first `.sigillum` from the
 * current folder upwards that has been started.
 *
 * @throws UsageError when there is none
 */
export async function findService(options: ServiceOptions, directory: string): Promise<FoundService> {
  const apiKey = options.keyFile === undefined ? undefined : await readKey(resolve(directory, options.keyFile));
  // The key of a home is for the service of that home: it is never sent to another URL.
  if (options.url !== undefined) return { url: options.url, apiKey, home: undefined };
  const home = await findHome(options.home, directory);
  const ready = await readReady(home);
  return { url: ready.url, apiKey: apiKey ?? ready.api_key, home };
}

async function findHome(named: string | undefined, directory: string): Promise<string> {
  if (named !== undefined) return resolve(directory, named);
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    const home = join(folder, '.sigillum');
    if (await isThere(join(home, 'run', 'ready.json'))) return home;
    if (folder === dirname(folder)) {
      throw new UsageError(
        'There is no running service here. Start one with "npm start", or name one with --url or --home.',
      );
    }
  }
}

async function readReady(home: string): Promise<{ url: string; api_key: string }> {
  const path = join(home, 'run', 'ready.json');
  if (!(await isThere(path)))
    throw new UsageError(`The service of ${home} is not running: there is no run/ready.json.`);
  try {
    const ready = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    const { url, api_key } = ready;
    if (typeof url === 'string' && typeof api_key === 'string') return { url, api_key };
  } catch {
    // Said below.
  }
  throw new UsageError(`${path} is not readable or not the file of a running service.`);
}

async function readKey(path: string): Promise<string> {
  const bytes = await readFile(path).catch(() => undefined);
  const key = bytes === undefined || bytes.length > maxKeyBytes ? '' : bytes.toString('utf8').trim();
  if (key === '' || /\s/.test(key)) throw new UsageError(`${path} does not hold an API key.`);
  return key;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
