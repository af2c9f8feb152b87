import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { SigillumError } from '@sigillum/errors';
import type { MethodName } from '@sigillum/signer-rpc';
import { ClientIdentities } from './client-identity.ts';
import type { Policy } from './client-policy.ts';
import type { ClientPolicy, Limits } from './config.ts';

/** Who calls, asked on every request, before the body is read: a connection may be older than the policy. */
export class Authorisation {
  readonly #policy: Policy;
  readonly #limits: Pick<Limits, 'connections_per_client'>;
  readonly #identities = new ClientIdentities();

  constructor(policy: Policy, limits: Pick<Limits, 'connections_per_client'>) {
    this.#policy = policy;
    this.#limits = limits;
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
    if (this.#identities.countConnections(client.name) > this.#limits.connections_per_client) {
      response.setHeader('Connection', 'close');
      const message = `${client.name} has more than ${this.#limits.connections_per_client} connections.`;
      throw new SigillumError('signer_overloaded', message, { retryAfterSeconds: 1 });
    }
    return client;
  }
}
