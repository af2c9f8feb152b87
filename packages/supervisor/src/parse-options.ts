import { parseArgs } from 'node:util';
import { SigillumError } from '@sigillum/errors';

/** What `npm start` may be told. */
export type HomeOptions = { readonly home: string; readonly port: number | undefined; readonly reset: boolean };

/** Used when a home is made without `--port`. */
export const defaultBasePort = 8480;

/** Parses the supervisor's own options. @throws SigillumError `home_options_invalid`. */
export function parseOptions(args: readonly string[]): HomeOptions {
  const { home, port, reset } = read(args);
  if (home === undefined || home === '') throw invalid('--home DIR is needed');
  if (port === undefined) return { home, port, reset };
  const number = Number(port);
  // The time-stamp authority takes the next one.
  if (!/^\d+$/.test(port) || number < 1024 || number > 65_534)
    throw invalid('--port takes a number from 1024 to 65534');
  return { home, port: number, reset };
}

function read(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { home: { type: 'string' }, port: { type: 'string' }, reset: { type: 'boolean', default: false } },
      allowPositionals: false,
    });
    return values;
  } catch (cause) {
    throw invalid(Error.isError(cause) ? cause.message : 'not understood', cause);
  }
}

function invalid(why: string, cause?: unknown): SigillumError {
  return new SigillumError('home_options_invalid', `The command line is wrong: ${why}.`, { cause });
}
