/** Entry of a process of {@link JudgingPool}: judges one document after the other, until nobody is there to ask. */
import { closeSync, openSync, readSync } from 'node:fs';
import { SigillumError } from '@sigillum/errors';
import { examineSignatures, type JudgedDocument, type ValidationOptions } from '@sigillum/pades';
import { type ByteSource, createArraySource, createFileSource } from '@sigillum/pdf';
import { endWithParent } from './end-with-parent.ts';
import type { JudgingAnswer, JudgingJob } from './judging-messages.ts';

endWithParent(Number(process.argv[2]));

process.on('message', (job: JudgingJob) => process.send?.(answer(job)));
process.on('disconnect', () => process.exit());

function answer({ place, options }: JudgingJob): JudgingAnswer {
  try {
    if (place.kind === 'memory') return judge(createArraySource(place.bytes), options);
    const fd = openSync(place.path, 'r');
    try {
      return judge(openFile(fd, place.size), options);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof SigillumError) return { kind: 'refused', code: error.code, message: error.message };
    return { kind: 'failed', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function judge(source: ByteSource, options: ValidationOptions): JudgingAnswer {
  return { kind: 'judged', judged: detach(examineSignatures(source, options)) };
}

/** With certificates that are no views: a view is sent with all of what it is a view of. */
function detach({ report, chains }: JudgedDocument): JudgedDocument {
  const copied = chains.map((chain) => ({
    ...chain,
    certificates: chain.certificates.map((certificate) => Uint8Array.from(certificate)),
  }));
  return { report, chains: copied };
}

function openFile(fd: number, size: number): ByteSource {
  return createFileSource(
    size,
    (into, start, position) => readSync(fd, into, start, into.length - start, position),
    () => new RangeError('the document is shorter than it was'),
  );
}
