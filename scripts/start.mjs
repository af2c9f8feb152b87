/** `npm start`: prepares the checkout, then runs the development home until it is stopped. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap, continueInPinnedNode, root, stopWith } from './bootstrap.mjs';

const usage = `Usage: npm start -- [options]

  --home DIR   where tokens, keys, database and logs live (default: .sigillum in the checkout)
  --port N     public API on N, time-stamps on N + 1 (default: 8480; fixed at the first start of a home)
  --reset      delete the home first, with its keys and everything sealed
  --help       this text

Stop with Ctrl-C. The dashes after "npm start" are needed: npm takes options without them for itself.`;

const options = readOptions();
if (options.help) {
  console.log(usage);
  process.exit(0);
}
await bootstrap();
continueInPinnedNode(
  [
    // Else SIGUSR1 opens a debugger to every local user.
    '--disable-sigusr1',
    '--conditions=source',
    '--no-warnings=ExperimentalWarning',
    join(root, 'packages', 'supervisor', 'src', 'main.ts'),
    '--lifeline',
    '--home',
    resolve(process.env.INIT_CWD ?? process.cwd(), options.home ?? join(root, '.sigillum')),
    ...(options.port === undefined ? [] : ['--port', options.port]),
    ...(options.reset ? ['--reset'] : []),
  ],
  { lifeline: true },
);

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        home: { type: 'string' },
        port: { type: 'string' },
        reset: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
      allowPositionals: false,
    });
    const port = Number(values.port ?? '8480');
    if (values.port !== undefined && !(/^\d+$/.test(values.port) && port >= 1024 && port <= 65_534)) {
      throw new Error('--port takes a number from 1024 to 65534');
    }
    if (values.home === '') throw new Error('--home takes the path of a folder');
    return values;
  } catch (error) {
    return stopWith(`${error.message}\n\n${usage}`);
  }
}
