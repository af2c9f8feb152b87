import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import type { AuditFile, AuditFileSystem } from './audit-file-system.ts';
import { hasCode } from './writer-lock.ts';

/** The real file system, on Linux. */
export function createNodeFileSystem(): AuditFileSystem {
  return {
    makeDirectory: async (path) => {
      await makeDirectory(path);
    },
    list: (path) => readdir(path),
    openFile: async (path, mode) => {
      const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_DSYNC } = constants;
      const flags = {
        create: O_RDWR | O_APPEND | O_DSYNC | O_CREAT | O_EXCL,
        append: O_RDWR | O_APPEND | O_DSYNC,
        read: O_RDONLY,
      };
      const handle = await open(path, flags[mode], 0o600);
      // What a killed writer left may still be in memory only, and O_DSYNC answers for its own writes alone.
      if (mode === 'append') await handle.datasync();
      return wrap(path, handle, mode !== 'read');
    },
    syncDirectory: async (path) => {
      const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    lockFile: async (path) => {
      const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
      let isTaken = false;
      try {
        isTaken = await takeLock(path, handle);
      } finally {
        if (!isTaken) await handle.close();
      }
      return isTaken ? wrap(path, handle) : undefined;
    },
    describeProcess: () => `process ${process.pid} on ${hostname()}`,
  };
}

/** @param isDurable written with O_DSYNC, one call instead of two: a write has then been synced when it resolves */
/** Node's own `recursive` never returns below /proc, where making a folder says ENOENT although its parent is there. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = Error.isError(error) && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error;
    await makeDirectory(dirname(path));
    await makeDirectory(path);
  }
}

function wrap(path: string, handle: FileHandle, isDurable = false): AuditFile {
  let hasToSync = !isDurable;
  return {
    size: async () => (await handle.stat()).size,
    read: async (offset, length) => {
      const bytes = Buffer.alloc(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    },
    // writeFile goes on after a short write, or throws.
    write: (bytes) => handle.writeFile(bytes),
    sync: async () => {
      if (hasToSync) await handle.datasync();
      hasToSync = !isDurable;
    },
    isInPlace: async () => {
      const [named, open] = await Promise.all([
        stat(path).catch((error: unknown) => {
          if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
          throw error;
        }),
        handle.stat(),
      ]);
      return named !== undefined && named.ino === open.ino && named.dev === open.dev;
    },
    truncate: async (size) => {
      hasToSync = true;
      await handle.truncate(size);
    },
    close: () => handle.close(),
  };
}

/** Locking a local file takes no time; one on a network that takes longer is no place for an audit log. */
const lockTimeoutMs = 10_000;

/** What `flock` exits with when another holds the lock (flock(1)); anything else but 0 is an error. */
const exitHeld = 1;

/**
 * flock(2) on an open file. The lock belongs to the open file, not to a process (flock(2): "open file description"), so
 * the helper that takes it may end: it stays until we close the file or die. All PID and network namespaces that see the
 * file see the lock. Node has no flock of its own; the helper is part of util-linux, and of busybox.
 */
async function takeLock(path: string, handle: FileHandle): Promise<boolean> {
  const helper = spawn('flock', ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', handle.fd],
    timeout: lockTimeoutMs,
  });
  let complaint = '';
  helper.stderr?.on(
    'data',
    (chunk: Uint8Array) => (complaint = (complaint + Buffer.from(chunk).toString()).slice(0, 500)),
  );
  let exit: unknown;
  try {
    [exit] = await once(helper, 'close');
  } catch (cause) {
    throw new SigillumError('audit_write_failed', 'The program flock (util-linux) is needed to lock the audit log.', {
      cause,
    });
  }
  if (exit === 0) return true;
  if (exit === exitHeld) return false;
  const cause = new Error(complaint.trim() || `flock ended with ${String(exit)}`);
  throw new SigillumError('audit_write_failed', `The file system of ${path} can't lock it.`, { cause });
}
