import { join } from 'node:path';
import type { AuditFile, AuditFileSystem } from './audit-file-system.ts';
import { listSegments, maxLineBytes } from './find-tail.ts';
import type { JsonObject } from './json-value.ts';
import { createNodeFileSystem } from './node-file-system.ts';
import { readLines } from './read-lines.ts';

/** Where the event of a line begins; what stands before it is the chain's, with fixed lengths but for the sequence. */
const eventMark = Buffer.from(',"event":');

/**
 * The events of a log since a moment (by their `time`), oldest first, without verifying anything: for counting at a
 * start. Reads only the segments that can hold them. Lines that can't be read are left out.
 */
export async function* readAuditEvents(options: {
  readonly directory: string;
  readonly since: Date;
}): AsyncGenerator<JsonObject> {
  const fileSystem = createNodeFileSystem();
  const since = options.since.toISOString();
  for (const name of await selectSegments(options.directory, since, fileSystem)) {
    for await (const event of readEvents(join(options.directory, name), fileSystem)) {
      if (isAtOrAfter(event, since)) yield event;
    }
  }
}

/** Read at a time from the end; far longer than a line. */
const backwardsBytes = 4 * maxLineBytes;

/**
 * The newest event of a log that is wanted, without verifying anything: for a start. Reads from the end, and no more than
 * it takes. Undefined when there is none. Lines that can't be read are passed over.
 */
export async function findLastAuditEvent(options: {
  readonly directory: string;
  readonly isWanted: (event: JsonObject) => boolean;
}): Promise<JsonObject | undefined> {
  const fileSystem = createNodeFileSystem();
  for (const name of (await listSegments(options.directory, fileSystem)).toReversed()) {
    const file = await fileSystem.openFile(join(options.directory, name), 'read');
    try {
      for await (const line of readLinesBackwards(file)) {
        const event = findEvent(line);
        if (event !== undefined && options.isWanted(event)) return event;
      }
    } finally {
      await file.close();
    }
  }
  return undefined;
}

async function* readLinesBackwards(file: AuditFile): AsyncGenerator<Uint8Array> {
  // The end of a line whose beginning has not been read yet.
  let rest: Uint8Array = new Uint8Array(0);
  for (let end = await file.size(); end > 0; ) {
    const start = Math.max(0, end - backwardsBytes);
    const bytes = Buffer.concat([await file.read(start, end - start), rest]);
    const firstEnd = start === 0 ? -1 : bytes.indexOf(0x0a);
    let lineEnd = bytes.length;
    while (lineEnd > firstEnd) {
      const lineStart = lineEnd === 0 ? 0 : bytes.lastIndexOf(0x0a, lineEnd - 1) + 1;
      yield bytes.subarray(lineStart, lineEnd);
      lineEnd = lineStart - 1;
    }
    // Without any line end this is no log: what is longer than a line is not kept.
    rest = bytes.subarray(0, firstEnd === -1 ? 0 : firstEnd);
    end = start;
  }
}

/** From the newest back to the one that already began before the moment. */
async function selectSegments(directory: string, since: string, fileSystem: AuditFileSystem): Promise<string[]> {
  const selected: string[] = [];
  for (const name of (await listSegments(directory, fileSystem)).toReversed()) {
    selected.unshift(name);
    const first = await findFirstEvent(join(directory, name), fileSystem);
    if (first !== undefined && !isAtOrAfter(first, since)) break;
  }
  return selected;
}

async function findFirstEvent(path: string, fileSystem: AuditFileSystem): Promise<JsonObject | undefined> {
  for await (const event of readEvents(path, fileSystem)) return event;
  return undefined;
}

async function* readEvents(path: string, fileSystem: AuditFileSystem): AsyncGenerator<JsonObject> {
  const file = await fileSystem.openFile(path, 'read');
  try {
    for await (const line of readLines(file)) {
      const event = findEvent(line);
      if (event !== undefined) yield event;
    }
  } finally {
    await file.close();
  }
}

function findEvent(line: Uint8Array): JsonObject | undefined {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const start = bytes.indexOf(eventMark);
  if (start === -1 || bytes.at(-1) !== 0x7d) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8', start + eventMark.length, bytes.length - 1)) as JsonObject;
  } catch {
    return undefined;
  }
}

/** RFC 3339 in UTC with milliseconds, as all our events have it, sorts as text. */
function isAtOrAfter(event: JsonObject, since: string): boolean {
  return typeof event['time'] === 'string' && event['time'] >= since;
}
