import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import { type ChainReport, findChainLine, splitLines, verifyChain } from '@sigillum/audit';

/** What a transcript says of itself. */
export type TranscriptReport = {
  readonly report: ChainReport;
  /** How the ceremony ended; undefined when the end is missing: the tool was killed, or lines were cut off. */
  readonly outcome: 'completed' | 'failed' | undefined;
};

/** Checks a transcript offline. The chain's id is its file's name, so a renamed transcript is not intact. */
export function verifyTranscript(path: string): TranscriptReport {
  const lines = [...splitLines(readTranscript(path))];
  const report = verifyChain({ chain: basename(path, '.jsonl'), lines });
  const type = findChainLine(lines.at(-1) ?? new Uint8Array())?.event['type'];
  const outcome = type === 'ceremony.completed' ? 'completed' : type === 'ceremony.failed' ? 'failed' : undefined;
  return { report, outcome };
}

function readTranscript(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new SigillumError('ceremony_input_invalid', `The transcript ${path} can't be read.`, { cause });
  }
}
