import { isIP } from 'node:net';
import { SigillumError } from '@sigillum/errors';
import { getHost } from '../egress/address-guard.ts';
import { isPublicAddress } from '../egress/is-public-address.ts';

/** One TSA to ask, and how to know its tokens. */
export type TimeStampServer = {
  /** For logs and metrics. */
  readonly name: string;
  /** `http:` or `https:`; RFC 3161 over HTTP. */
  readonly url: string;
  /** Trust anchors of its tokens, DER. */
  readonly roots: readonly Uint8Array[];
  /** Asked for and demanded when given, dotted. */
  readonly policy?: string | undefined;
  /** For each request to it; default that of the requester. */
  readonly timeoutMs?: number | undefined;
  /** What it asks for before it works: read from a file by the caller, never shown. */
  readonly authorization?: TimeStampAuthorization | undefined;
  /** PEM of trust anchors for https, when they aren't those that Node.js comes with. */
  readonly tlsRoots?: readonly string[] | undefined;
};

export type TimeStampAuthorization =
  /** RFC 7617 */
  | { readonly kind: 'basic'; readonly user: string; readonly password: Uint8Array }
  /** A key in a header of its own: `x-api-key`, or `authorization` with `Bearer …` as the key. */
  | { readonly kind: 'header'; readonly header: string; readonly value: Uint8Array };

/**
 * The header that a server is authorised by, name and value; undefined for one that asks for nothing. A line feed at the
 * end of a secret, as editors leave it, is cut. Throws `config_invalid` for a secret that can't stand in a header, and for
 * one that would go over plain http to another machine.
 */
export function findAuthorizationHeader(server: TimeStampServer): readonly [string, string] | undefined {
  const { authorization, name } = server;
  if (!authorization) return undefined;
  const url = new URL(server.url);
  if (url.protocol !== 'https:' && !isOwnNetwork(url)) {
    throw invalid(name, 'has a secret and no https: it would go through the Internet in the open');
  }
  if (authorization.kind === 'basic') {
    if (authorization.user === '' || /[:\p{Cc}]/u.test(authorization.user)) throw invalid(name, 'has no usable user');
    const user = Buffer.from(`${authorization.user}:`, 'utf8');
    const credentials = Buffer.concat([user, Buffer.from(trimEnd(authorization.password))]);
    return ['authorization', `Basic ${credentials.toString('base64')}`];
  }
  const value = Buffer.from(trimEnd(authorization.value)).toString('latin1');
  if (!/^[a-z0-9-]+$/i.test(authorization.header) || !/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(value)) {
    throw invalid(name, 'has a secret that can not stand in an HTTP header');
  }
  return [authorization.header.toLowerCase(), value];
}

/** Loopback and private addresses written as such: names could become anything. */
function isOwnNetwork(url: URL): boolean {
  const host = getHost(url);
  return host === 'localhost' || (isIP(host) !== 0 && !isPublicAddress(host));
}

function trimEnd(secret: Uint8Array): Uint8Array {
  let end = secret.length;
  while (end > 0 && (secret[end - 1] === 0x0a || secret[end - 1] === 0x0d)) end--;
  return secret.subarray(0, end);
}

function invalid(name: string, why: string): SigillumError {
  return new SigillumError('config_invalid', `The time-stamp authority ${name} ${why}.`);
}
