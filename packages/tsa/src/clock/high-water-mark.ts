import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SigillumError } from '@sigillum/errors';

/** The durable upper bound of every genTime given so far. */
export type HighWaterMark = {
  /** Undefined before the first. */
  read(): Promise<Date | undefined>;
  /** Resolves when it is on disk. */
  write(mark: Date): Promise<void>;
};

/** Keeps the mark in a small file: written beside it, synced, renamed, and the folder synced. */
export function openHighWaterMark(path: string): HighWaterMark {
  return {
    async read() {
      let text: string;
      try {
        text = await readFile(path, 'utf8');
      } catch (error) {
        if (Error.isError(error) && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
      return parseMark(text, path);
    },
    async write(mark) {
      const temporary = `${path}.new`;
      await writeDurably(temporary, `${JSON.stringify({ version: 1, mark: mark.toISOString() })}\n`);
      await rename(temporary, path);
      await syncFolder(dirname(path));
    },
  };
}

function parseMark(text: string, path: string): Date {
  const match = /^\{"version":1,"mark":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"\}\n$/.exec(text);
  const mark = new Date(match?.[1] ?? Number.NaN);
  if (Number.isNaN(mark.getTime())) {
    throw new SigillumError(
      'tsa_state_damaged',
      `${path} does not hold a time. Write the time of the last time-stamp of the audit log into it; never delete it.`,
    );
  }
  return mark;
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
