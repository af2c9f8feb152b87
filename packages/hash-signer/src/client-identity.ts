import type { PeerCertificate, TLSSocket } from 'node:tls';
import { listUriNames } from '@sigillum/signer-rpc';

/** id-kp-clientAuth (RFC 5280 §4.2.1.12). */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** Who holds a connection, and until when its certificate says so. */
export type ClientIdentity = { readonly name: string; readonly validUntil: number };

type ClientCertificate = Pick<PeerCertificate, 'subjectaltname' | 'ext_key_usage' | 'valid_to'>;

/**
 * The identity in a certificate that chains to our root: its single URI SAN, provided that the certificate is for
 * clients. `undefined` when it names nobody, or more than one.
 */
export function findClientIdentity(certificate: ClientCertificate): ClientIdentity | undefined {
  if (!certificate.ext_key_usage?.includes(CLIENT_AUTH)) return undefined;
  const [name, ...others] = listUriNames(certificate.subjectaltname);
  const validUntil = Date.parse(certificate.valid_to);
  return name === undefined || others.length > 0 || Number.isNaN(validUntil) ? undefined : { name, validUntil };
}

/** Reads the certificate of a connection once; it cannot change while the connection lives. */
export class ClientIdentities {
  readonly #known = new WeakMap<TLSSocket, ClientIdentity>();

  /** The client's name, as long as its certificate is valid: a connection may live longer than that. */
  findName(socket: TLSSocket, now: number): string | undefined {
    // The listener refuses other connections in the handshake; this line is for whoever changes the listener.
    if (!socket.authorized) return undefined;
    const identity = this.#known.get(socket) ?? findClientIdentity(socket.getPeerCertificate());
    if (!identity) return undefined;
    this.#known.set(socket, identity);
    return now < identity.validUntil ? identity.name : undefined;
  }
}
