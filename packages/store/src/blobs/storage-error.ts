import { SigillumError } from '@sigillum/errors';

/** No room: the disk, a quota, or a limit on the size of files. */
const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A disk that fails, is read-only or has gone, and a process that may open no more files. */
const unavailableCodes = new Set(['EIO', 'EROFS', 'EACCES', 'EPERM', 'ENOENT', 'ENODEV', 'ESTALE', 'EMFILE', 'ENFILE']);

/** Seconds after which there may be room again: others' files go when their requests end. */
const retryAfterSeconds = 30;

/** What a file system said, as `storage_full` or `storage_unavailable` (503); anything else unchanged. */
export function toStorageError(cause: unknown): unknown {
  if (!Error.isError(cause) || !('code' in cause) || typeof cause.code !== 'string') return cause;
  const options = { cause, retryAfterSeconds };
  if (fullCodes.has(cause.code)) {
    return new SigillumError('storage_full', 'There is no room for the document at the moment. Try again.', options);
  }
  if (unavailableCodes.has(cause.code)) {
    return new SigillumError('storage_unavailable', 'Files can not be stored at the moment. Try again.', options);
  }
  return cause;
}

/** Runs what writes or opens files, with its errors made ours. */
export async function withStorageErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toStorageError(error);
  }
}
