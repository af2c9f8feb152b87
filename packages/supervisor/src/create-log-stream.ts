import { appendFileSync } from 'node:fs';
import { Writable } from 'node:stream';

/** Appends to a log. What a full disk doesn't take is lost: a log is no reason to stop what is logged. */
export function createLogStream(path: string): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        appendFileSync(path, chunk, { mode: 0o600 });
      } catch {
        // Nowhere to tell it.
      }
      done();
    },
  });
}
