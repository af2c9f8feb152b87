import { maxLineBytes } from './find-tail.ts';
import type { AuditFile } from './audit-file-system.ts';

/** Read at a time. */
const chunkBytes = 256 * 1024;

/**
 * The lines of a file. One that is longer than any can be comes empty, so that it counts as unreadable, and so does one
 * without its line end (cut): nobody was told of it, and the next writer removes it.
 */
export async function* readLines(file: AuditFile): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  for (let offset = 0; ; ) {
    const chunk = await file.read(offset, chunkBytes);
    if (chunk.length === 0) break;
    offset += chunk.length;
    const bytes = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
      yield end - start > maxLineBytes ? bytes.subarray(end, end) : bytes.subarray(start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start, start + maxLineBytes + 1);
  }
  if (rest.length > 0) yield rest.subarray(0, -1);
}
