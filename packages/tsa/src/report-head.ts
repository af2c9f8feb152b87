import type { AuditLog, ChainHead } from '@sigillum/audit';
import type { Logger, Metrics } from '@sigillum/service-kit';
import { Gauge } from 'prom-client';

/** What is given in between is at most the tail that could be cut off after a crash without its showing. */
const reportMs = 60_000;

/**
 * Says where the chain of records ends, so that a tail that was cut off shows (`sigillum audit verify --head`): the whole
 * head in the log at the start, each minute in which it moved, and at the end; sequence and beginning of the hash as
 * metrics. Whoever keeps logs or metrics elsewhere has it.
 * @returns for the end, after the log is closed
 */
export function reportHead(audit: Pick<AuditLog, 'head'>, logger: Logger, { registry }: Metrics): () => void {
  const registers = [registry];
  const sequence: Gauge = new Gauge({
    name: 'tsa_audit_head_sequence',
    help: 'Sequence of the last durable audit line',
    registers,
    collect: () => sequence.set(audit.head.sequence),
  });
  const fingerprint: Gauge = new Gauge({
    name: 'tsa_audit_head_fingerprint',
    help: 'The first 6 bytes of the hash of the last durable audit line, as a number',
    registers,
    // A number holds 53 bits exactly; labels stay a closed set.
    collect: () => fingerprint.set(Buffer.from(audit.head.hash).readUIntBE(0, 6)),
  });
  let reported: ChainHead | undefined;
  const report = (): void => {
    const { head } = audit;
    if (head.sequence === reported?.sequence) return;
    reported = head;
    logger.info('audit head', { head: `${head.sequence}:${Buffer.from(head.hash).toString('hex')}` });
  };
  report();
  const timer = setInterval(report, reportMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    report();
  };
}
