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
    failures: new Counter({
      name: 'hash_signer_hsm_failures_total',
      help: 'Operations that the HSM did not finish with a right signature, by class of the failure',
      labelNames: ['class'] as const,
      registers,
    }),
    wrongSignatures: new Counter({
      name: 'hash_signer_wrong_signatures_total',
      help: 'Signatures that did not verify with the pinned key; none of them left: look at once',
      labelNames: ['algorithm'] as const,
      registers,
    }),
    canaries: new Counter({
      name: 'hash_signer_canaries_total',
      help: 'Canary signatures, by outcome (ok or failed)',
      labelNames: ['outcome'] as const,
      registers,
    }),
    breakerOpened: new Counter({
      name: 'hash_signer_breaker_opened_total',
      help: 'Times that a token was taken out of use because it only failed',
      registers,
    }),
    refused: new Counter({
      name: 'hash_signer_refused_requests_total',
      help: 'Requests refused before anything was signed, by code',
      labelNames: ['code'] as const,
      registers,
    }),
    refusedHandshakes: new Counter({
      name: 'hash_signer_refused_handshakes_total',
      help: 'Connections that ended in their TLS handshake, by reason',
      labelNames: ['reason'] as const,
      registers,
    }),
    reloads: new Counter({
      name: 'hash_signer_reloads_total',
      help: 'Reloads of configuration, keys or certificates, by what and outcome',
      labelNames: ['what', 'outcome'] as const,
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
    auditFailed: new Gauge({
      name: 'hash_signer_audit_failed',
      help: '1 when the audit log can not be written: nothing is signed',
      registers,
    }),
    certificateExpiry: new Gauge({
      name: 'hash_signer_tls_certificate_not_after_seconds',
      help: 'End of the TLS certificate in use, seconds since 1970',
      registers,
    }),
  };
}

/**
 * The end of the audit chain, asked when the metrics are read. Count and fingerprint of what was durable at that
 * time: whoever keeps them notices a tail that was cut off or written anew.
 * @param readHead the last durable line
 */
export function exportAuditHead(
  { registry }: Metrics,
  readHead: () => { readonly sequence: number; readonly hash: Uint8Array },
): void {
  const registers = [registry];
  const sequence: Gauge = new Gauge({
    name: 'hash_signer_audit_head_sequence',
    help: 'Sequence of the last durable audit line',
    registers,
    collect: () => sequence.set(readHead().sequence),
  });
  const fingerprint: Gauge = new Gauge({
    name: 'hash_signer_audit_head_fingerprint',
    help: 'The first 6 bytes of the hash of the last durable audit line, as a number',
    registers,
    // A number holds 53 bits exactly; labels stay a closed set.
    collect: () => fingerprint.set(Buffer.from(readHead().hash).readUIntBE(0, 6)),
  });
}
