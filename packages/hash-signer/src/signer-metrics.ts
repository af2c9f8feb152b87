import type { Metrics } from '@sigillum/service-kit';
import type { Purpose } from '@sigillum/signer-rpc';
import { Counter, Gauge, Histogram } from 'prom-client';

/** From a P-256 signature in memory to a network HSM under load, in seconds. */
const buckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What the daemon counts. Labels are purposes, algorithms, our own codes and reasons: closed sets. */
export type SignerMetrics = ReturnType<typeof createSignerMetrics>;

/** @param readQueueLengths asked when the metrics are read: digests waiting, by purpose, over all tokens */
export function createSignerMetrics({ registry }: Metrics, readQueueLengths: () => ReadonlyMap<Purpose, number>) {
  const registers = [registry];
  // Registers itself; nobody sets it.
  const queueLength = new Gauge({
    name: 'hash_signer_queue_length',
    help: 'Digests waiting for a signer process',
    labelNames: ['purpose'] as const,
    registers,
    collect: () => {
      for (const [purpose, length] of readQueueLengths()) queueLength.set({ purpose }, length);
    },
  });
  return {
    items: new Counter({
      name: 'hash_signer_items_total',
      help: 'Digests answered, by outcome (signed or an error code)',
      labelNames: ['purpose', 'algorithm', 'outcome'] as const,
      registers,
    }),
    queueSeconds: new Histogram({
      name: 'hash_signer_queue_seconds',
      help: 'Time from admission to the beginning of execution',
      labelNames: ['purpose'] as const,
      buckets,
      registers,
    }),
    executionSeconds: new Histogram({
      name: 'hash_signer_execution_seconds',
      help: 'Time in the HSM',
      labelNames: ['algorithm'] as const,
      buckets,
      registers,
    }),
    discarded: new Counter({
      name: 'hash_signer_discarded_signatures_total',
      help: 'Signatures that the HSM made after nobody waited for them any more',
      labelNames: ['purpose'] as const,
      registers,
    }),
    requeued: new Counter({
      name: 'hash_signer_requeued_items_total',
      help: 'Digests handed to a second signer process',
      registers,
    }),
    signerExits: new Counter({
      name: 'hash_signer_signer_exits_total',
      help: 'Ends of signer processes that nobody asked for',
      labelNames: ['reason'] as const,
      registers,
    }),
    usableSigners: new Gauge({ name: 'hash_signer_usable_signers', help: 'Signer processes that can sign', registers }),
    quarantinedKeys: new Gauge({
      name: 'hash_signer_quarantined_keys',
      help: 'Keys out of use after a wrong signature: look at once',
      registers,
    }),
    auditSequence: new Gauge({
      name: 'hash_signer_audit_head_sequence',
      help: 'Sequence of the last durable audit line',
      registers,
    }),
  };
}
