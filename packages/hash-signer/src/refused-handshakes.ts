import type { TLSSocket } from 'node:tls';
import type { Logger } from '@sigillum/service-kit';
import type { SignerMetrics } from './signer-metrics.ts';

/** Why somebody got no connection: labels of the metric, words of the log. */
export type HandshakeRefusal =
  | 'certificate_expired'
  | 'certificate_not_yet_valid'
  | 'certificate_untrusted'
  | 'certificate_missing'
  | 'timeout'
  | 'hung_up'
  | 'protocol';

/** A line for each reason in this time: whoever knocks all day fills no disk. */
const logEveryMs = 10_000;

/** Counts and logs connections that ended before their handshake: without it a client whose certificate has ended is mute. */
export class RefusedHandshakes {
  readonly #with: { readonly logger: Logger; readonly metrics: Pick<SignerMetrics, 'refusedHandshakes'> };
  readonly #logged = new Map<HandshakeRefusal, { at: number; since: number }>();

  constructor(dependencies: { readonly logger: Logger; readonly metrics: Pick<SignerMetrics, 'refusedHandshakes'> }) {
    this.#with = dependencies;
  }

  /** For `tlsClientError`. */
  add(error: unknown, socket: Pick<TLSSocket, 'authorizationError' | 'remoteAddress'>): void {
    const reason = findReason(error, socket);
    this.#with.metrics.refusedHandshakes.inc({ reason });
    const last = this.#logged.get(reason);
    if (last !== undefined && performance.now() - last.at < logEveryMs) {
      last.since += 1;
      return;
    }
    this.#logged.set(reason, { at: performance.now(), since: 0 });
    const more = last === undefined || last.since === 0 ? {} : { others_before: last.since };
    this.#with.logger.warn('a connection was refused in its handshake', {
      reason,
      address: socket.remoteAddress ?? 'gone',
      ...more,
    });
  }
}

function findReason(error: unknown, { authorizationError }: Pick<TLSSocket, 'authorizationError'>): HandshakeRefusal {
  // Node's name for OpenSSL's verdict; its type says Error, it is a text.
  const verdict = authorizationError === undefined || authorizationError === null ? '' : String(authorizationError);
  if (verdict === 'CERT_HAS_EXPIRED') return 'certificate_expired';
  if (verdict === 'CERT_NOT_YET_VALID') return 'certificate_not_yet_valid';
  if (verdict !== '') return 'certificate_untrusted';
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'certificate_missing';
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  return code === 'ECONNRESET' ? 'hung_up' : 'protocol';
}
