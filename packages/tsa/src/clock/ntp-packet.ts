/** What a server's packet says about a leap second at the end of the month (RFC 5905 §7.3, figure 9). */
export type LeapWarning = 'none' | 'insert' | 'delete';

/** A server's answer that may be used. Times are Unix milliseconds; delay and dispersion are milliseconds. */
export type NtpAnswer = {
  readonly leap: LeapWarning;
  readonly stratum: number;
  readonly rootDelayMs: number;
  readonly rootDispersionMs: number;
  /** When the request came in, by the server's clock. */
  readonly receivedAt: number;
  /** When the answer went out, by the server's clock. */
  readonly sentAt: number;
};

/** Why a packet is no measurement. */
export type NtpRefusal =
  /** Too short, or not an answer of a server (mode 4, version 3 or 4). */
  | 'not_an_answer'
  /** Not to our request: late, doubled or forged. */
  | 'not_to_us'
  /** Stratum 0 with the code DENY or RSTR: the server must not be asked again (RFC 5905 §7.4). */
  | 'denied'
  /** Stratum 0 with the code RATE: it must be asked less often. */
  | 'rate_limited'
  /** Stratum 0 with any other code: it has nothing to say. */
  | 'kiss_of_death'
  /** Leap indicator 3, stratum 16 and above, times that make no sense, or a root distance that says as much. */
  | 'unsynchronised';

export const ntpPacketLength = 48;

/**
 * Root delay / 2 + dispersion from which on a source is unfit (RFC 5905 §11.2.1, MAXDIST of 1.5 s). It would agree with
 * everybody, so that one liar beside it had a majority.
 */
const maxRootDistanceMs = 1500;

/** Seconds from 1900 to 1970. */
const unixEpoch = 2_208_988_800;

/** RFC 5905 §7.3: seconds in era 1 begin with a 0 bit; era 0 ended in 2036. */
const eraSeconds = 2 ** 32;

/**
 * A request (RFC 5905 §7.3): version 4, mode 3, everything else zero but the transmit timestamp, which is random: the
 * server only repeats it, so it is a nonce and doesn't tell our time to anybody.
 *
 * @param nonce 8 bytes.
 */
export function encodeNtpRequest(nonce: Uint8Array): Uint8Array {
  const packet = new Uint8Array(ntpPacketLength);
  packet[0] = (4 << 3) | 3;
  packet.set(nonce.subarray(0, 8), 40);
  return packet;
}

/**
 * Reads a server's answer to the request with that nonce (the checks of RFC 4330 §5).
 *
 * @param near Unix milliseconds; which era of 136 years a timestamp is in is decided by what is closest to it.
 */
export function parseNtpAnswer(packet: Uint8Array, nonce: Uint8Array, near: number): NtpAnswer | NtpRefusal {
  if (packet.length < ntpPacketLength) return 'not_an_answer';
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const first = view.getUint8(0);
  const version = (first >> 3) & 7;
  if ((first & 7) !== 4 || version < 3 || version > 4) return 'not_an_answer';
  if (!Buffer.from(packet.subarray(24, 32)).equals(nonce.subarray(0, 8))) return 'not_to_us';
  const stratum = view.getUint8(1);
  if (stratum === 0) return readKiss(packet);
  const leap = (['none', 'insert', 'delete', undefined] as const)[first >> 6];
  const transmit = view.getUint32(40);
  const answer = {
    stratum,
    rootDelayMs: readShort(view, 4),
    rootDispersionMs: readShort(view, 8),
    receivedAt: readTimestamp(view, 32, near),
    sentAt: readTimestamp(view, 40, near),
  };
  const isUnset = transmit === 0 && view.getUint32(44) === 0;
  if (leap === undefined || stratum > 15 || isUnset || answer.sentAt < answer.receivedAt) return 'unsynchronised';
  if (answer.rootDelayMs / 2 + answer.rootDispersionMs >= maxRootDistanceMs) return 'unsynchronised';
  return { leap, ...answer };
}

/** The kiss code stands where the reference identifier does, in four characters (RFC 5905 §7.4, figure 13). */
function readKiss(packet: Uint8Array): 'denied' | 'rate_limited' | 'kiss_of_death' {
  const code = Buffer.from(packet.subarray(12, 16)).toString('latin1');
  if (code === 'DENY' || code === 'RSTR') return 'denied';
  return code === 'RATE' ? 'rate_limited' : 'kiss_of_death';
}

/** NTP short format: 16 bits of seconds, 16 of fraction. */
function readShort(view: DataView, offset: number): number {
  return (view.getUint32(offset) / 65_536) * 1000;
}

/** NTP timestamp: 32 bits of seconds since 1900, 32 of fraction. */
function readTimestamp(view: DataView, offset: number, near: number): number {
  const seconds = view.getUint32(offset) - unixEpoch;
  const eras = Math.round((near / 1000 - seconds) / eraSeconds);
  return (seconds + eras * eraSeconds) * 1000 + (view.getUint32(offset + 4) / eraSeconds) * 1000;
}
