import { SigillumError } from '@sigillum/errors';

/** The octets of an IPv4 address for `iPAddress` names (RFC 5280 §4.2.1.6). */
export function encodeIpv4Address(text: string): Uint8Array {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255)) {
    throw new SigillumError('pki_request_invalid', `${text} is not an IPv4 address.`);
  }
  return Uint8Array.from(parts.map(Number));
}

/** Text of an `iPAddress` name: dotted decimals, or eight groups of hex for IPv6. */
export function formatIpAddress(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  return (
    Buffer.from(octets)
      .toString('hex')
      .match(/.{1,4}/g) ?? []
  ).join(':');
}
