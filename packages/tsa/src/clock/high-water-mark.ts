import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SigillumError } from '@sigillum/errors';

/** The durable upper bound of every genTime given so far. */
export type HighWaterMark = {
  /**
   * Undefined before the first.
   * @param lastRecorded the time of the last token that the audit log knows
   * @throws SigillumError `tsa_state_damaged` for a file that holds no mark, and when there are tokens but no file
   */
  read(lastRecorded?: Date): Promise<Date | undefined>;
  /** Resolves when it is on disk. */
  write(mark: Date): Promise<void>;
};

/** Keeps the mark in a small file: written beside it, synced, renamed, and the folder synced. */
export function openHighWaterMark(path: string): HighWaterMark {
  return {
    async read(lastRecorded) {
      let text: string;
      try {
        text = await readFile(path, 'utf8');
      } catch (error) {
        if (!Error.isError(error) || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        if (lastRecorded === undefined) return undefined;
        throw damaged(`There is no ${path}, but there are time-stamps in the audit log`, lastRecorded);
      }
      const mark = parseMark(text);
      if (mark === undefined) throw damaged(`${path} does not hold a time`, lastRecorded);
      return mark;
    },
    async write(mark) {
      const temporary = `${path}.new`;
      await writeDurably(temporary, formatMark(mark));
      await rename(temporary, path);
      await syncFolder(dirname(path));
    },
  };
}

/** The whole file. */
function formatMark(mark: Date): string {
  return `${JSON.stringify({ version: 1, mark: mark.toISOString() })}\n`;
}

/** Also takes what a person wrote, without the line end. */
function parseMark(text: string): Date | undefined {
  const match = /^\{"version":1,"mark":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"\}\n?$/.exec(text);
  const mark = new Date(match?.[1] ?? Number.NaN);
  return Number.isNaN(mark.getTime()) ? undefined : mark;
}

function damaged(what: string, lastRecorded: Date | undefined): SigillumError {
  const example = formatMark(lastRecorded ?? new Date(0)).trimEnd();
  const which = lastRecorded ? 'that of the last one in the audit log' : 'that of the last time-stamp, not this one';
  return new SigillumError(
    'tsa_state_damaged',
    `${what}. Never begin without it: times could go back. Put the file back; if it is lost, verify the audit log with ` +
      `its last head known, and write a line with the time from which on times may be given, ${which}: ${example}`,
  );
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
