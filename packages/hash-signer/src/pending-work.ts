import { SigillumError } from '@sigillum/errors';
import type { ClientPolicy } from './config.ts';

/** Digests in the house by client, so that one that floods leaves room for the others of the same purpose. */
export class PendingWork {
  readonly #perClient: number;
  readonly #counts = new Map<string, number>();

  constructor(perClient: number) {
    this.#perClient = perClient;
  }

  /** Whether nothing of the client is in the house. */
  isIdle({ name }: Pick<ClientPolicy, 'name'>): boolean {
    return !this.#counts.has(name);
  }

  /**
   * Counts digests in; the answer counts them out.
   * @throws `signer_overloaded` when the client has too many already
   */
  enter(client: Pick<ClientPolicy, 'name' | 'max_pending'>, digests: number): () => void {
    const before = this.#counts.get(client.name) ?? 0;
    const most = client.max_pending ?? this.#perClient;
    if (before + digests > most) {
      const message = `${client.name} has ${before} digests waiting; the most is ${most}.`;
      throw new SigillumError('signer_overloaded', message, { retryAfterSeconds: 1 });
    }
    this.#counts.set(client.name, before + digests);
    return () => {
      const left = (this.#counts.get(client.name) ?? 0) - digests;
      if (left > 0) this.#counts.set(client.name, left);
      else this.#counts.delete(client.name);
    };
  }
}
