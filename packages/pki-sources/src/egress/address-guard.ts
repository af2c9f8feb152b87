import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { isPublicAddress, unwrapIpv4 } from './is-public-address.ts';

export type AddressGuardOptions = {
  /**
   * Networks that may be reached though they aren't public, `network/prefix` or `network/prefix:port`; IPv6 in brackets.
   * With a port, that port alone; without, the usual ones. `127.0.0.1/32:8480`, `10.0.0.0/8`, `[fd00::]/8`.
   */
  readonly allowAddresses?: readonly string[];
  /** Ports beside 80 and 443 that may be used at public addresses. */
  readonly ports?: readonly number[];
};

type Allowed = { readonly list: BlockList; readonly port: number | undefined };

const usualPorts = [80, 443];
/** Longer ones are nobody's distribution point. */
const maxUrlLength = 2048;

/**
 * Says which addresses a server of ours may connect to on somebody else's word: public ones on the usual ports, and what
 * the configuration names. It must be asked twice: with the URL, before anything is resolved, and with the address that is
 * really connected to; in between, names can answer anything. Both throw `egress_refused`.
 */
export class AddressGuard {
  readonly #allowed: readonly Allowed[];
  readonly #ports: ReadonlySet<number>;

  /** Throws `config_invalid` for an entry that can't be read. */
  constructor(options: AddressGuardOptions = {}) {
    this.#allowed = (options.allowAddresses ?? []).map(parseAllowed);
    this.#ports = new Set([...usualPorts, ...(options.ports ?? [])]);
  }

  /**
   * Reads a URL and checks what can be seen in it: http or https, no user or password, a port that may be used at all, and,
   * when its host is an IP address in whatever spelling (decimal, octal, hex), that address.
   */
  parseUrl(text: string): URL {
    const url = text.length <= maxUrlLength && URL.canParse(text) ? new URL(text) : undefined;
    if (!url) throw refused('it is not a URL that can be used');
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused('it is neither http nor https');
    if (url.username !== '' || url.password !== '') throw refused('it names a user');
    const port = getPort(url);
    const host = getHost(url);
    if (host === '') throw refused('it names no host');
    if (isIP(host) !== 0) this.assertAddress(host, port);
    else if (!this.#ports.has(port) && !this.#allowed.some((allowed) => allowed.port === port)) {
      throw refused(`port ${port} is not one of the usual`);
    }
    return url;
  }

  /** Checks an IP address and port just before, and just after, connecting. */
  assertAddress(address: string, port: number): void {
    if (this.#allowed.some((allowed) => this.#allows(allowed, address, port))) return;
    if (!this.#ports.has(port)) throw refused(`port ${port} is not one of the usual`);
    if (!isPublicAddress(address)) throw refused('it leads to an address that is not public');
  }

  /** Whether {@link assertAddress} would let it pass. */
  isAllowed(address: string, port: number): boolean {
    try {
      this.assertAddress(address, port);
      return true;
    } catch (error) {
      if (isSigillumError(error, 'egress_refused')) return false;
      throw error;
    }
  }

  #allows({ list, port: onlyPort }: Allowed, address: string, port: number): boolean {
    if (onlyPort === undefined ? !this.#ports.has(port) : onlyPort !== port) return false;
    const plain = unwrapIpv4(address);
    return isIPv4(plain) ? list.check(plain, 'ipv4') : isIPv6(plain) && list.check(plain, 'ipv6');
  }
}

/** The port of an http or https URL. */
export function getPort(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/** The host of a URL without the brackets of IPv6. */
export function getHost(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function parseAllowed(text: string): Allowed {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))\/(\d{1,3})(?::(\d{1,5}))?$/.exec(text);
  const network = match?.[1] ?? match?.[2] ?? '';
  const family = isIP(network);
  const prefix = Number(match?.[3]);
  const port = match?.[4] === undefined ? undefined : Number(match[4]);
  const isRight = family !== 0 && prefix <= (family === 4 ? 32 : 128) && (port === undefined || isPort(port));
  if (!isRight) {
    throw new SigillumError(
      'config_invalid',
      `"${text}" is not a network that may be allowed: write 10.0.0.0/8, 127.0.0.1/32:8480 or [fd00::]/8:80.`,
    );
  }
  const list = new BlockList();
  list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return { list, port };
}

function isPort(port: number): boolean {
  return port >= 1 && port <= 65_535;
}

function refused(why: string): SigillumError {
  return new SigillumError('egress_refused', `The address may not be fetched from: ${why}.`);
}
