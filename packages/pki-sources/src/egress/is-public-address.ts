import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** IPv4 that is not globally reachable unicast (IANA special-purpose registry, RFC 6890). */
const privateIpv4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // shared by carriers' NAT
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local: cloud metadata lives here
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relays
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
];

/** Within 2000::/3, the only global unicast in use: what is tunnelled, for documentation, or assigned to protocols. */
const privateIpv6: readonly (readonly [string, number])[] = [
  ['2001::', 23], // protocol assignments, Teredo, benchmarks, ORCHID
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: any IPv4 address may hide in it
  ['3fff::', 20], // documentation
];

const globalUnicast = listOf('ipv6', [['2000::', 3]]);
const refusedIpv4 = listOf('ipv4', privateIpv4);
const refusedIpv6 = listOf('ipv6', privateIpv6);

/**
 * Whether an IP address belongs to the public Internet. False for private, link-local, unique-local, loopback, shared
 * (CGNAT), multicast, reserved and documentation addresses, for tunnels, and for anything that is no IP address. IPv4 in
 * IPv6 (mapped, NAT64) is judged as the IPv4 address.
 */
export function isPublicAddress(address: string): boolean {
  const plain = unwrapIpv4(address);
  if (isIPv4(plain)) return !refusedIpv4.check(plain, 'ipv4');
  // A zone means link-local, whatever else it says.
  if (!isIPv6(plain) || plain.includes('%')) return false;
  return globalUnicast.check(plain, 'ipv6') && !refusedIpv6.check(plain, 'ipv6');
}

/** ::ffff:a.b.c.d (RFC 4291 §2.5.5.2) and 64:ff9b::a.b.c.d (RFC 6052 §2.1) as the IPv4 address; others as they are. */
export function unwrapIpv4(address: string): string {
  if (!isIPv6(address) || address.includes('%')) return address;
  // URL writes every IPv6 address in its one canonical form.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const match = /^(?:::ffff:|64:ff9b::)(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/.exec(canonical);
  if (!match) return canonical;
  const value = Number.parseInt(match[1] ?? '0', 16) * 65_536 + Number.parseInt(match[2] ?? '0', 16);
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}

function listOf(family: 'ipv4' | 'ipv6', subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family);
  return list;
}
