import { statfsSync } from 'node:fs';
import { isSigillumError, SigillumError } from '@sigillum/errors';

/** PostgreSQL's files, of which most are its first log segments, take 45 MB of a new home. */
export const newHomeBytes = 64 * 1024 * 1024;

/** A home that is there writes logs, records and seals; with less it would stop within minutes. */
export const oldHomeBytes = 8 * 1024 * 1024;

/** What somebody who was cut short by a full disk has usually left. */
const fullBytes = 1024 * 1024;

/** @throws SigillumError `home_disk_full` that says what to do. */
export function assertRoom(directory: string, neededBytes: number): void {
  const free = findFreeBytes(directory);
  if (free >= neededBytes) return;
  throw new SigillumError(
    'home_disk_full',
    `The disk of ${directory} has ${describe(free)} left, and ${describe(neededBytes)} are needed. Free some, or name ` +
      'a folder on another disk: npm start -- --home DIR',
  );
}

/** Whatever failed, on a full disk that is why. Gives the error back when there is room. */
export function explainFullDisk(error: unknown, directory: string): unknown {
  if (!isFull(directory)) return error;
  const [what] = isSigillumError(error) ? error.message.split('\n', 1) : [];
  return new SigillumError(
    'home_disk_full',
    `The disk of ${directory} is full. Free some of it and start again.${what === undefined ? '' : ` (${what})`}`,
    { cause: error },
  );
}

/** A folder that is gone, or can't be asked, is another error. */
function isFull(directory: string): boolean {
  try {
    return findFreeBytes(directory) < fullBytes;
  } catch {
    return false;
  }
}

function findFreeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

function describe(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.floor(bytes / 1024)} KB` : `${Math.floor(bytes / 1024 / 1024)} MB`;
}
