import type { HomePaths } from './home-paths.ts';
import { quoteForShell as quote } from './quote-for-shell.ts';
import { readSandboxKey } from './seal-sample.ts';

/** What is printed at the end of a start. */
export function describeHome(paths: HomePaths, basePort: number, startedInMs: number, resetCommand: string): string {
  const url = `http://127.0.0.1:${basePort}`;
  const key = readSandboxKey(paths);
  const target = paths.at('samples/first.sealed.pdf');
  return `
Sigillum is ready (${(startedInMs / 1000).toFixed(1)} s). Development seals: no legal value.

  API            ${url}
  Documentation  ${url}/docs
  Time-stamps    http://127.0.0.1:${basePort + 1}/  (RFC 3161)
  Sandbox key    ${key}

Seal a PDF:

  curl -fsS -H ${quote(`Authorization: Bearer ${key}`)} -H 'Content-Type: application/pdf' --data-binary ${quote(`@${paths.sample}`)} ${quote(`${url}/v1/seals`)} -o ${quote(target)}

  Sealed sample  ${paths.sealedSample}
  Root           ${paths.root}  (trust it in a validator to check the seals)
  Logs           ${paths.at('logs')}
  For programs   ${paths.ready}

Stop with Ctrl-C; everything is kept in ${paths.directory}.
Begin anew with new keys: ${resetCommand}
`;
}
