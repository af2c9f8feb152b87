import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { PinFileStamp } from '../signer-messages.ts';

/** PINs are short; a larger file is the wrong file. */
const MAX_PIN_FILE_BYTES = 1024;

const LINE_ENDS = new Set([0x0a, 0x0d]);

/**
 * Reads a PIN into a Buffer of its own (not from Node's shared pool) that the caller wipes, with the stamp of exactly
 * the file that was read. A trailing line end does not belong to the PIN.
 * @throws Error when the file is missing, empty, too large, or readable by others than its owner.
 */
export function readPin(path: string): { pin: Buffer; stamp: PinFileStamp } {
  const descriptor = openSync(path, 'r');
  try {
    const { mtimeMs, size, mode } = fstatSync(descriptor);
    if (size === 0 || size > MAX_PIN_FILE_BYTES || (mode & 0o077) !== 0) throw new Error('not a PIN file');
    const pin = Buffer.alloc(size);
    let end = readSync(descriptor, pin, 0, size, 0);
    while (end > 0 && LINE_ENDS.has(pin[end - 1] ?? 0)) end -= 1;
    if (end === 0) throw new Error('empty PIN file');
    return { pin: pin.subarray(0, end), stamp: { mtimeMs, size } };
  } finally {
    closeSync(descriptor);
  }
}
