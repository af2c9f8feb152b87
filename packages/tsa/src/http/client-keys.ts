import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { SigillumError } from '@sigillum/errors';

/** What a client may present: several while one replaces the other. */
export type ClientSecrets = { readonly name: string; readonly secrets: readonly string[] };

/** 20 characters of base32 or more: not to be guessed, whatever the rates. */
const minSecretLength = 20;

/** A header beyond is refused unread; the secrets of `readClientSecrets` are far shorter. */
const maxHeaderLength = 1024;

/**
 * Knows the clients of the public listener by `Authorization: Bearer SECRET` or Basic with name and secret. Secrets are
 * kept and compared as HMACs under a key of this process, so that neither memory nor timing gives one away.
 */
export class ClientKeys {
  readonly #key = randomBytes(32);
  /** Client names by the HMAC of a secret: found only by whoever has the secret. */
  readonly #names = new Map<string, string>();

  /** Throws `config_invalid` for a secret that is short or given to two clients. */
  constructor(clients: readonly ClientSecrets[]) {
    for (const { name, secrets } of clients) {
      for (const secret of secrets) {
        if (secret.length < minSecretLength) {
          const why = `A secret of the client ${name} has fewer than ${minSecretLength} characters.`;
          throw new SigillumError('config_invalid', why);
        }
        const hash = this.#hash(secret).toString('latin1');
        if (this.#names.has(hash)) throw new SigillumError('config_invalid', `The secret of ${name} is there twice.`);
        this.#names.set(hash, name);
      }
    }
  }

  /** The client's name, or undefined when the header is missing, malformed or wrong. */
  authenticate(authorization: string | undefined): string | undefined {
    if (authorization === undefined || authorization.length > maxHeaderLength) return undefined;
    const match = /^(bearer|basic) +([\w.~+/=-]+) *$/i.exec(authorization);
    const [, scheme = '', credentials = ''] = match ?? [];
    if (scheme.toLowerCase() === 'bearer') return this.#find(credentials);
    if (scheme.toLowerCase() !== 'basic') return undefined;
    // RFC 7617 §2: user-id:password in base64; the first colon ends the user-id.
    const text = Buffer.from(credentials, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon === -1) return undefined;
    const name = this.#find(text.slice(colon + 1));
    const isSame = name !== undefined && timingSafeEqual(this.#hash(name), this.#hash(text.slice(0, colon)));
    return isSame ? name : undefined;
  }

  #find(secret: string): string | undefined {
    return this.#names.get(this.#hash(secret).toString('latin1'));
  }

  #hash(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text, 'utf8').digest();
  }
}
