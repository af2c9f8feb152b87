import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { SigillumError } from '@sigillum/errors';
import type { HomePaths } from './home-paths.ts';
import { writeSamplePdf } from './sample-pdf.ts';

/** A seal takes some tens of milliseconds. */
const timeoutMs = 60_000;

/** Makes the sample and seals it as any caller would, once per home. @throws SigillumError `home_sample_failed`. */
export async function sealSample(paths: HomePaths, url: string): Promise<void> {
  if (!existsSync(paths.sample)) writeFileSync(paths.sample, writeSamplePdf('Sealed by a Sigillum development home'));
  if (existsSync(paths.sealedSample)) return;
  const answer = await request(paths, url);
  const body = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 201) {
    throw new SigillumError(
      'home_sample_failed',
      `The sample was not sealed: HTTP ${answer.status}\n    ${body.toString('utf8').slice(0, 1000)}\nSee ${paths.at('logs')}`,
    );
  }
  writeFileSync(`${paths.sealedSample}.draft`, body);
  renameSync(`${paths.sealedSample}.draft`, paths.sealedSample);
}

async function request(paths: HomePaths, url: string): Promise<Response> {
  try {
    return await fetch(`${url}/v1/seals?reason=Sample`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${readSandboxKey(paths)}`, 'Content-Type': 'application/pdf' },
      body: readFileSync(paths.sample),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (cause) {
    throw new SigillumError(
      'home_sample_failed',
      `The sample was not sealed: ${url} does not answer. See ${paths.at('logs')}`,
      {
        cause,
      },
    );
  }
}

/** The clear sandbox key. */
export function readSandboxKey(paths: HomePaths): string {
  return readFileSync(paths.sandboxKey, 'utf8').trim();
}
