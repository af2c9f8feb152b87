import { join } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import type { AuditFile, AuditFileSystem } from './audit-file-system.ts';

/** The lock file says in one line who holds it. */
const maxLockBytes = 256;

/** The right to write in a folder, held by one writer and given up at the latest by its death. */
export type WriterLock = { readonly file: AuditFile; release(): Promise<void> };

/**
 * Takes the lock of a folder. The file `lock` stays for ever: taking it away would let two writers hold one each, under
 * the same name. Its content is for people alone.
 * @throws SigillumError `audit_locked` with the holder; `audit_write_failed` when the file system has no locks.
 */
export async function acquireWriterLock(directory: string, fileSystem: AuditFileSystem): Promise<WriterLock> {
  const path = join(directory, 'lock');
  const file = await fileSystem.lockFile(path);
  if (file === undefined) {
    const holder = await readHolder(path, fileSystem);
    throw new SigillumError('audit_locked', `The ${holder} writes the audit log in ${directory}.`);
  }
  try {
    await writeHolder(file, fileSystem.describeProcess());
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  return { file, release: () => file.close() };
}

async function writeHolder(file: AuditFile, holder: string): Promise<void> {
  await file.truncate(0);
  await file.write(Buffer.from(`${holder}\n`));
}

async function readHolder(path: string, fileSystem: AuditFileSystem): Promise<string> {
  const file = await fileSystem.openFile(path, 'read');
  try {
    const text = Buffer.from(await file.read(0, maxLockBytes)).toString('utf8');
    // Another process may just be writing it.
    return text.trim() || 'process that just begins';
  } finally {
    await file.close();
  }
}

/** Whether an unknown thrown value is Node's error with this code. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
