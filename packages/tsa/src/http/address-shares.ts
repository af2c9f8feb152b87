import { BlockList, isIPv6, type Socket } from 'node:net';
import { toRateKey } from './rate-key.ts';

/** What express calls these networks (proxy-addr). */
const namedNetworks: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/**
 * How many connections one address (one /64 of IPv6) may have at the same time: what is beyond is closed at once, so
 * that nobody alone takes all that the listener has, by asking or by being silent. A trusted proxy is not counted: it
 * is there for many.
 */
export class AddressShares {
  readonly #most: number;
  readonly #proxies = new BlockList();
  /** By address; only those with a connection, so no more than there are connections. */
  readonly #counts = new Map<string, number>();

  /** @param trustedProxies addresses, networks, or names of networks, as the configuration has checked them */
  constructor(most: number, trustedProxies: readonly string[] = []) {
    this.#most = most;
    for (const network of trustedProxies.flatMap((one) => namedNetworks[one] ?? [one])) {
      const [address = '', prefix] = network.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      this.#proxies.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
    }
  }

  /** Counts a connection until it closes, or closes it. */
  meet(socket: Pick<Socket, 'remoteAddress' | 'once' | 'destroy'>): void {
    const { remoteAddress } = socket;
    // Gone before we looked.
    if (remoteAddress === undefined) return void socket.destroy();
    if (this.#proxies.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4')) return;
    const key = toRateKey(remoteAddress);
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#most) return void socket.destroy();
    this.#counts.set(key, count + 1);
    socket.once('close', () => {
      const left = (this.#counts.get(key) ?? 0) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    });
  }
}
