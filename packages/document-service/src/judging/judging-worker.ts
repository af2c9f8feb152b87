/** Entry of a worker thread of {@link JudgingPool}: judges one document after the other. */
import { readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { SigillumError } from '@sigillum/errors';
import { examineSignatures, type JudgedDocument } from '@sigillum/pades';
import { type ByteSource, createArraySource } from '@sigillum/pdf';
import type { DocumentPlace, JudgingAnswer, JudgingJob } from './judging-messages.ts';

parentPort?.on('message', (job: JudgingJob) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(answer(job));
});

function answer({ place, options }: JudgingJob): JudgingAnswer {
  try {
    return { kind: 'judged', judged: detach(examineSignatures(openPlace(place), options)) };
  } catch (error) {
    if (error instanceof SigillumError) return { kind: 'refused', code: error.code, message: error.message };
    return { kind: 'failed', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** With certificates that are no views: a view is sent with all of what it is a view of. */
function detach({ report, chains }: JudgedDocument): JudgedDocument {
  const copied = chains.map((chain) => ({
    ...chain,
    certificates: chain.certificates.map((certificate) => Uint8Array.from(certificate)),
  }));
  return { report, chains: copied };
}

/** The descriptor belongs to the thread that asked, which keeps it open until it has an answer or has ended this one. */
function openPlace(place: DocumentPlace): ByteSource {
  if (place.kind === 'memory') return createArraySource(place.bytes);
  const { fd, size } = place;
  return {
    size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) throw new RangeError('outside the document');
      const bytes = Buffer.allocUnsafe(length);
      for (let done = 0; done < length; ) {
        const read = readSync(fd, bytes, done, length - done, offset + done);
        if (read === 0) throw new RangeError('the document is shorter than it was');
        done += read;
      }
      return bytes;
    },
  };
}
