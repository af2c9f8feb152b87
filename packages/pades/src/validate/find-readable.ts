import { isSigillumError } from '@sigillum/errors';

/** What can be read or verified; undefined for what is refused with a code of ours. */
export function findReadable<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (isSigillumError(error)) return undefined;
    throw error;
  }
}
