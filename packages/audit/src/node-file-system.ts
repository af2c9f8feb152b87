import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import type { AuditFile, AuditFileSystem } from './audit-file-system.ts';

/** The real file system, on Linux. */
export function createNodeFileSystem(): AuditFileSystem {
  return {
    makeDirectory: async (path) => {
      await mkdir(path, { recursive: true, mode: 0o700 });
    },
    list: (path) => readdir(path),
    openFile: async (path, mode) => {
      const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL } = constants;
      const flags = {
        create: O_RDWR | O_APPEND | O_CREAT | O_EXCL,
        append: O_RDWR | O_APPEND,
        read: O_RDONLY,
      };
      return wrap(await open(path, flags[mode], 0o600));
    },
    rename,
    link,
    remove: (path) => rm(path),
    syncDirectory: async (path) => {
      const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    identifyProcess: async () => (await findIdentity(process.pid)) ?? `${process.pid} unknown unknown`,
    isRunning: async (identity) => {
      const pid = Number(identity.split(' ')[0]);
      return Number.isSafeInteger(pid) && pid > 0 && (await findIdentity(pid)) === identity;
    },
  };
}

function wrap(handle: FileHandle): AuditFile {
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
    sync: () => handle.datasync(),
    truncate: (size) => handle.truncate(size),
    close: () => handle.close(),
  };
}

/** Pid, start time in ticks since boot (proc_pid_stat(5), field 22), boot id; `undefined` when there is no such process. */
async function findIdentity(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'latin1');
    // The name in parentheses may hold anything, also spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds no file any more.
    return fields[0] === 'Z' ? undefined : `${pid} ${fields[19]} ${boot.trim()}`;
  } catch {
    return undefined;
  }
}
