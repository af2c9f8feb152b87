import { join } from 'node:path';
import { quoteForShell } from './quote-for-shell.ts';

/** What deletes this home and begins anew: without `--home` it would be another one. */
export function formatResetCommand(directory: string, checkout: string): string {
  return directory === join(checkout, '.sigillum')
    ? 'npm start -- --reset'
    : `npm start -- --home ${quoteForShell(directory)} --reset`;
}
