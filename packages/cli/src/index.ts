export { runCli } from './run-cli.ts';
export type { Console } from './console.ts';
