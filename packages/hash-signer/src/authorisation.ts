import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { SigillumError } from '@sigillum/errors';
import type { MethodName } from '@sigillum/signer-rpc';
import { ClientIdentities } from './client-identity.ts';
import type { Policy } from './client-policy.ts';
import type { ClientPolicy, Limits } from './config.ts';

/** A connection too many may still ask, to be told so; when it doesn't, it goes after this time. */
const SURPLUS_IDLE_MS = 1_000;

/** Who calls, asked on every request, before the body is read: a connection may be older than the policy. */
export class Authorisation {
  readonly #policy: Policy;
  readonly #limits: Pick<Limits, 'connections_per_client'>;
  readonly #identities = new ClientIdentities();
  /** Connections beyond their client's share. */
  readonly #surplus = new WeakSet<TLSSocket>();

  constructor(policy: Policy, limits: Pick<Limits, 'connections_per_client'>) {
    this.#policy = policy;
    this.#limits = limits;
  }

  /**
   * Counts a connection when its handshake is done: those that never ask anything take a share too. Twice the share is
   * the end: what is beyond that is closed without a word.
   */
  meet(socket: TLSSocket): void {
    const name = this.#identities.meet(socket);
    const most = this.#limits.connections_per_client;
    // Chained to our root, but nobody: it can't be counted for anybody, and has no right to anything.
    const count = name === undefined ? most + 1 : this.#identities.countConnections(name);
    if (count <= most) return;
    if (count > 2 * most) {
      socket.destroy();
      return;
    }
    this.#surplus.add(socket);
    socket.setTimeout(SURPLUS_IDLE_MS);
  }

  /**
   * @param onName told the name in the certificate, for the log, before anything is refused
   * @throws `signer_client_unknown`, `signer_method_forbidden`, `signer_overloaded` for too many connections
   */
  check(
    request: IncomingMessage,
    response: ServerResponse,
    method: MethodName,
    onName: (name: string | undefined) => void,
  ): ClientPolicy {
    const { socket } = request;
    const identity = socket instanceof TLSSocket ? this.#identities.find(socket, Date.now()) : undefined;
    onName(identity?.name);
    const client = this.#policy.getClient(identity, method);
    if (socket instanceof TLSSocket && this.#surplus.has(socket)) {
      response.setHeader('Connection', 'close');
      const message = `${client.name} has more than ${this.#limits.connections_per_client} connections.`;
      throw new SigillumError('signer_overloaded', message, { retryAfterSeconds: 1 });
    }
    return client;
  }
}
