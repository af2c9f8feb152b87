import { hash } from 'node:crypto';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { listUriNames } from '@sigillum/signer-rpc';

/** id-kp-clientAuth (RFC 5280 §4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** Who holds a connection, and until when its certificate says so. */
export type ClientIdentity = {
  readonly name: string;
  readonly validUntil: number;
  /** SHA-256 of its SubjectPublicKeyInfo in hex. */
  readonly spkiSha256: string;
};

type ClientCertificate = Pick<PeerCertificate, 'subjectaltname' | 'ext_key_usage' | 'valid_to'>;

/**
 * The identity in a certificate that chains to our root: its single URI SAN, provided that the certificate is for
 * clients. `undefined` when it names nobody, or more than one.
 */
export function findClientIdentity(
  certificate: ClientCertificate,
): Pick<ClientIdentity, 'name' | 'validUntil'> | undefined {
  if (!certificate.ext_key_usage?.includes(CLIENT_AUTH)) return undefined;
  const [name, ...others] = listUriNames(certificate.subjectaltname);
  const validUntil = Date.parse(certificate.valid_to);
  return name === undefined || others.length > 0 || Number.isNaN(validUntil) ? undefined : { name, validUntil };
}

/** Reads the certificate of a connection once; it cannot change while the connection lives. */
export class ClientIdentities {
  readonly #known = new WeakMap<TLSSocket, ClientIdentity>();
  readonly #connections = new Map<string, number>();

  /** Who calls, as long as the certificate is valid: a connection may live longer than that. */
  find(socket: TLSSocket, now: number): ClientIdentity | undefined {
    // The listener refuses other connections in the handshake; this line is for whoever changes the listener.
    if (!socket.authorized) return undefined;
    const identity = this.#known.get(socket) ?? this.#meet(socket);
    return identity && now < identity.validUntil ? identity : undefined;
  }

  /** Reads and counts a connection whose handshake is done, before it asks anything. Answers the name in it. */
  meet(socket: TLSSocket): string | undefined {
    return (this.#known.get(socket) ?? this.#meet(socket))?.name;
  }

  /** Open connections with this name in their certificate. */
  countConnections(name: string): number {
    return this.#connections.get(name) ?? 0;
  }

  #meet(socket: TLSSocket): ClientIdentity | undefined {
    const found = findClientIdentity(socket.getPeerCertificate());
    const key = socket.getPeerX509Certificate()?.publicKey.export({ format: 'der', type: 'spki' });
    if (!found || !key) return undefined;
    const identity = { ...found, spkiSha256: hash('sha256', key, 'hex') };
    this.#known.set(socket, identity);
    this.#connections.set(identity.name, this.countConnections(identity.name) + 1);
    socket.once('close', () => {
      const left = this.countConnections(identity.name) - 1;
      if (left > 0) this.#connections.set(identity.name, left);
      else this.#connections.delete(identity.name);
    });
    return identity;
  }
}
