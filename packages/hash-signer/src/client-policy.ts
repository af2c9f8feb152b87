import { SigillumError } from '@sigillum/errors';
import type { MethodName, Purpose } from '@sigillum/signer-rpc';
import type { ClientIdentity } from './client-identity.ts';
import type { ClientPolicy } from './config.ts';
import type { ServedKey } from './served-keys.ts';
import type { KeyRegistry } from './key-registry.ts';

/** Who may do what. Asked on every request, also on a connection that is open for long. */
export class Policy {
  #clients: ReadonlyMap<string, ClientPolicy> = new Map();

  constructor(clients: readonly ClientPolicy[]) {
    this.replace(clients);
  }

  /** Another policy, from the next request on, also on open connections. */
  replace(clients: readonly ClientPolicy[]): void {
    this.#clients = new Map(clients.map((client) => [client.name, client]));
  }

  /** @throws `signer_client_unknown`, `signer_method_forbidden` */
  getClient(identity: Pick<ClientIdentity, 'name' | 'spkiSha256'> | undefined, method: MethodName): ClientPolicy {
    const client = identity === undefined ? undefined : this.#clients.get(identity.name);
    const pins = client?.spki_sha256;
    if (!client || !identity || (pins !== undefined && !pins.includes(identity.spkiSha256))) {
      const message = 'The client certificate names nobody who may call this service.';
      throw new SigillumError('signer_client_unknown', message);
    }
    if (!client.methods.includes(method)) {
      throw new SigillumError('signer_method_forbidden', `${client.name} may not call ${method}.`);
    }
    return client;
  }

  /** @throws `signer_key_unknown`, `signer_key_forbidden` */
  getKey(client: ClientPolicy, keys: KeyRegistry, keyId: string): ServedKey {
    const key = keys.find(keyId);
    if (!key) throw new SigillumError('signer_key_unknown', 'This daemon has no key with that key_id.');
    if (!mayUse(client, key)) {
      throw new SigillumError('signer_key_forbidden', `${client.name} may not use the key ${key.name}.`);
    }
    return key;
  }
}

/** Whether a key has one of the client's purposes and, if the policy lists keys, is among them. */
export function mayUse(client: ClientPolicy, key: ServedKey): boolean {
  return hasPurpose(client, key.purpose) && (client.keys === undefined || client.keys.includes(key.keyId));
}

function hasPurpose(client: ClientPolicy, purpose: Purpose): boolean {
  return client.purposes.includes(purpose);
}
