import { once } from 'node:events';
import { runCli } from './run-cli.ts';

// A reader that closes the pipe (`sigillum … | head`) is no failure of ours.
process.stdout.on('error', (error) => {
  if ('code' in error && error.code === 'EPIPE') process.exit(1);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), {
  directory: process.cwd(),
  stdin: process.stdin,
  async writeOut(bytes) {
    if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
  },
  writeError: (text) => process.stderr.write(text),
});
