import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { LoadOrder, LoadReport } from './load.ts';

/** Runs the generator in a process of its own, at its own pace, and answers its report. */
export async function runLoad(order: LoadOrder): Promise<LoadReport> {
  const args = ['--conditions=source', join(import.meta.dirname, 'load.ts'), JSON.stringify(order)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((done) => child.once('close', done));
  if (code !== 0) throw new Error(`the load generator ended with ${String(code)}`);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as LoadReport;
}
