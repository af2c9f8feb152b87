#!/usr/bin/env node
/**
 * Starts the command. In a checkout the sources run on the Node that the repository pins, whichever Node the system has;
 * an installed package runs what was built, on a Node that is new enough.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageFolder = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(packageFolder, 'src', 'main.ts');
const built = join(packageFolder, 'dist', 'main.js');
const pinnedNode = join(packageFolder, '..', '..', 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');

if (existsSync(source) && existsSync(pinnedNode)) {
  const child = spawn(pinnedNode, ['--conditions=source', source, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal tells the whole group of Ctrl-C; the child decides what it means.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    console.error(`sigillum: ${error.message}`);
    process.exit(1);
  });
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(`sigillum: needs Node 24 or newer; this is ${process.versions.node}.`);
  process.exitCode = 1;
} else {
  await import(built);
}
