import { closeSync, readSync } from 'node:fs';
import { SigillumError } from '@sigillum/errors';

/** PKCS#11 modules take PINs of up to 255 bytes. */
const maxPinBytes = 256;

/**
 * Reads a PIN from an inherited descriptor up to its end or the end of the line, and closes it. The caller's PIN is
 * never in the environment, an argument or a log. Throws `ceremony_input_invalid`.
 */
export function readPinFromDescriptor(descriptor: number): Buffer {
  const buffer = Buffer.alloc(maxPinBytes + 1);
  let length = 0;
  try {
    for (;;) {
      const count = readSync(descriptor, buffer, length, buffer.length - length, null);
      length += count;
      if (count === 0 || length === buffer.length) break;
    }
    closeSync(descriptor);
  } catch (cause) {
    throw new SigillumError('ceremony_input_invalid', `The PIN can't be read from descriptor ${descriptor}.`, {
      cause,
    });
  }
  const end = [0x0a, 0x0d].reduce((end, byte) => {
    const index = buffer.subarray(0, end).indexOf(byte);
    return index < 0 ? end : index;
  }, length);
  if (end === 0 || end > maxPinBytes) {
    throw new SigillumError('ceremony_input_invalid', `Descriptor ${descriptor} holds no PIN.`);
  }
  const pin = Buffer.from(buffer.subarray(0, end));
  buffer.fill(0);
  return pin;
}
