import { resolve } from 'node:path';
import { isSigillumError } from '@sigillum/errors';
import { createLogger, runMain } from '@sigillum/service-kit';
import { createConsole } from './console.ts';
import { createLogStream } from './create-log-stream.ts';
import { parseOptions } from './parse-options.ts';
import { startHome } from './start-home.ts';

runMain(async (args, { signal }) => {
  // What a home holds is for its owner.
  process.umask(0o077);
  try {
    return await startHome({
      options: parseOptions([...(args.command === undefined ? [] : [args.command]), ...args.rest]),
      checkout: resolve(import.meta.dirname, '../../..'),
      console: createConsole(process.stdout),
      createLog: (path) =>
        createLogger({
          service: 'supervisor',
          instance: 'supervisor-1',
          stream: createLogStream(path),
        }),
      signal,
    });
  } catch (error) {
    // Stopped while it started: not an error.
    if (signal.aborted) return undefined;
    // Our own sentences are for people; anything else is for us, with its stack.
    if (!isSigillumError(error)) throw error;
    process.stderr.write(`\n${error.message}\n\n`);
    process.exit(1);
  }
});
