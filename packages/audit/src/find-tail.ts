import { join } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import { nextHash, startOfChain } from './chain.ts';
import { findChainLine } from './chain-line.ts';
import type { ChainHead } from './verify-chain.ts';
import type { AuditFile, AuditFileSystem } from './audit-file-system.ts';

/** An event describes; it doesn't carry. Also the most that has to be read to find the end of a log. */
export const maxLineBytes = 64 * 1024;

/** The segments of a log: files named after the sequence of their first line. */
const segmentName = /^\d{12}\.jsonl$/;

/** The end of a log on disk, repaired and ready for the next line. */
export type Tail = {
  readonly head: ChainHead;
  readonly file: AuditFile | undefined;
  readonly removedBytes: number;
  /** The UTC day (`YYYY-MM-DD`) of the last event, if it says its time. */
  readonly lastDay: string | undefined;
};

/** The name of the segment that begins with a sequence. */
export function nameSegment(sequence: number): string {
  return `${String(sequence).padStart(12, '0')}.jsonl`;
}

/** The segments in a folder, oldest first. */
export async function listSegments(directory: string, fileSystem: AuditFileSystem): Promise<readonly string[]> {
  return [...(await fileSystem.list(directory))].filter((name) => segmentName.test(name)).sort();
}

/**
 * Finds the end of a log and cuts off a line that a crash left without its end.
 * @throws SigillumError `audit_log_damaged` when the first line is of another chain or the last is not intact.
 */
export async function findTail(directory: string, chain: string, fileSystem: AuditFileSystem): Promise<Tail> {
  const segments = await listSegments(directory, fileSystem);
  let head: ChainHead = { sequence: 0, hash: startOfChain(chain) };
  let lastDay: string | undefined;
  let last: AuditFile | undefined;
  let removedBytes = 0;
  // Backwards: a crash right after a segment was begun leaves it empty, and the head in the one before.
  for (const name of segments.toReversed()) {
    const file = await fileSystem.openFile(join(directory, name), 'append');
    removedBytes += await cutTornLine(file, name);
    const found = await findLastLine(file, name);
    if (last === undefined) last = file;
    else await file.close();
    if (found !== undefined) {
      head = found.head;
      lastDay = found.day;
      break;
    }
  }
  const first = segments[0];
  if (first !== undefined && head.sequence > 0) await assertChain(join(directory, first), chain, fileSystem);
  return { head, file: last, removedBytes, lastDay };
}

async function cutTornLine(file: AuditFile, name: string): Promise<number> {
  const size = await file.size();
  const start = Math.max(0, size - maxLineBytes - 1);
  const bytes = await file.read(start, size - start);
  const end = start + bytes.lastIndexOf(0x0a) + 1;
  if (end === size) return 0;
  if (bytes.lastIndexOf(0x0a) === -1 && start > 0) throw damaged(name, 'its end is not that of an event log');
  await file.truncate(end);
  await file.sync();
  return size - end;
}

async function findLastLine(
  file: AuditFile,
  name: string,
): Promise<{ readonly head: ChainHead; readonly day: string | undefined } | undefined> {
  const size = await file.size();
  if (size === 0) return undefined;
  const start = Math.max(0, size - maxLineBytes - 1);
  const bytes = await file.read(start, size - 1 - start);
  const line = findChainLine(bytes.subarray(bytes.lastIndexOf(0x0a) + 1));
  if (line === undefined || !Buffer.from(nextHash(line.previous, line.eventBytes)).equals(line.hash)) {
    throw damaged(name, 'its last line is not intact');
  }
  const { time } = line.event;
  const day = typeof time === 'string' ? time.slice(0, 10) : undefined;
  return { head: { sequence: line.sequence, hash: line.hash }, day };
}

async function assertChain(path: string, chain: string, fileSystem: AuditFileSystem): Promise<void> {
  const file = await fileSystem.openFile(path, 'read');
  const bytes = await file.read(0, maxLineBytes + 1);
  await file.close();
  const line = findChainLine(bytes.subarray(0, Math.max(0, bytes.indexOf(0x0a))));
  if (line?.sequence === 1 && !Buffer.from(line.previous).equals(startOfChain(chain))) {
    throw damaged(path, `it does not begin the chain ${chain}`);
  }
}

function damaged(name: string, what: string): SigillumError {
  return new SigillumError(
    'audit_log_damaged',
    `The audit log ${name} can't be continued: ${what}. Keep it, and look.`,
  );
}
