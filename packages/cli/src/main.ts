import { once } from 'node:events';
import { serveCorpusWorker } from './corpus/serve-corpus-worker.ts';
import { startCorpusWorker } from './corpus/start-corpus-worker.ts';
import { runCli } from './run-cli.ts';

const [, script = '', ...args] = process.argv;

/** No command of people: only with a channel to the parent that started it. */
const workerMark = 'corpus-worker';

if (args[0] === workerMark && process.send !== undefined) serveCorpusWorker(process);
else {
  // A reader that closes the pipe (`sigillum … | head`) is no failure of ours.
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit(1);
    process.stderr.write(`sigillum: Standard output takes no more: ${error.message}.\n`);
    process.exit(2);
  });

  process.exitCode = await runCli(args, {
    directory: process.cwd(),
    stdin: process.stdin,
    async writeOut(bytes) {
      if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
    },
    writeError: (text) => process.stderr.write(text),
    startWorker: (nodeOptions) => startCorpusWorker(script, [workerMark], nodeOptions),
  });
}
