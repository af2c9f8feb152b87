import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import type { AuditFileSystem } from './audit-file-system.ts';

/** A lock names a process in some seventy bytes. */
const maxLockBytes = 256;

/** Each attempt loses to another starter or takes over from a dead one; three in a row mean that somebody runs. */
const maxAttempts = 3;

/** The right to write in a folder, held by one process. */
export type WriterLock = { release(): Promise<void> };

/**
 * Takes the lock of a folder; that of a process that is gone is taken over.
 * @throws SigillumError `audit_locked` with the pid of the holder.
 */
export async function acquireWriterLock(directory: string, fileSystem: AuditFileSystem): Promise<WriterLock> {
  const path = join(directory, 'lock');
  const identity = await fileSystem.identifyProcess();
  let holder = '';
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    if (await create(path, identity, fileSystem)) {
      return { release: () => fileSystem.remove(path) };
    }
    holder = await read(path, fileSystem);
    if (await fileSystem.isRunning(holder)) break;
    await removeStale(path, holder, fileSystem);
  }
  const pid = /^\d+/.exec(holder)?.[0] ?? 'unknown';
  throw new SigillumError('audit_locked', `The process ${pid} writes the audit log in ${directory}.`);
}

/** Written under another name first, so that nobody ever reads half a lock. */
async function create(path: string, identity: string, fileSystem: AuditFileSystem): Promise<boolean> {
  const draft = nameAside(path);
  try {
    const file = await fileSystem.openFile(draft, 'create');
    await file.write(Buffer.from(identity));
    await file.sync();
    await file.close();
    return await linkUnlessTaken(draft, path, fileSystem);
  } finally {
    await fileSystem.remove(draft).catch(() => undefined);
  }
}

async function linkUnlessTaken(from: string, path: string, fileSystem: AuditFileSystem): Promise<boolean> {
  try {
    await fileSystem.link(from, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function nameAside(path: string): string {
  return `${path}.${randomBytes(8).toString('hex')}`;
}

async function read(path: string, fileSystem: AuditFileSystem): Promise<string> {
  try {
    const file = await fileSystem.openFile(path, 'read');
    const bytes = await file.read(0, maxLockBytes);
    await file.close();
    return Buffer.from(bytes).toString('latin1');
  } catch (error) {
    // Its holder let go in between.
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}

/** Moves a dead process' lock away, then looks at what was moved: another starter may have taken over meanwhile. */
async function removeStale(path: string, holder: string, fileSystem: AuditFileSystem): Promise<void> {
  const aside = nameAside(path);
  try {
    await fileSystem.rename(path, aside);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const moved = await read(aside, fileSystem);
  if (moved !== holder && (await fileSystem.isRunning(moved))) await linkUnlessTaken(aside, path, fileSystem);
  await fileSystem.remove(aside);
}

/** Whether an unknown thrown value is Node's error with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
