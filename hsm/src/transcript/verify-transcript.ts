import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type ChainReport, splitLines, verifyChain } from '@sigillum/audit';

/** Checks a transcript offline: the chain's id is its file's name. That lines are missing at the end shows in its last event. */
export function verifyTranscript(path: string): ChainReport {
  return verifyChain({ chain: basename(path, '.jsonl'), lines: splitLines(readFileSync(path)) });
}
