import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { encodeNtpRequest, type LeapWarning, type NtpRefusal, parseNtpAnswer } from './ntp-packet.ts';

/** The clock of this machine: wall clock (Unix ms) and a clock that is never set (ms since whenever). */
export type LocalClock = { now(): number; monotonic(): number };

export type NtpSource = { readonly host: string; readonly port: number };

/** How far our clock is from one source. Milliseconds; `offsetMs` > 0 means that ours is behind. */
export type SourceMeasurement = {
  readonly offsetMs: number;
  /** The source's true time is within offset ± this: path, what the source says about itself, and our reading. */
  readonly errorMs: number;
  readonly delayMs: number;
  readonly stratum: number;
  readonly leap: LeapWarning;
};

export type SourceFailure = NtpRefusal | 'silent' | 'unreachable' | 'stepped';

/** Date.now() cuts to whole milliseconds, and so does genTime. */
export const clockResolutionMs = 1;

/** Wall and monotonic clock may differ by this over one exchange, by reading them one after the other on a busy machine. */
const maxSkewMs = 5;

/**
 * Asks one server once (SNTP, RFC 4330): offset = ((T2 − T1) + (T3 − T4)) / 2, delay = (T4 − T1) − (T3 − T2), error =
 * delay / 2 + root delay / 2 + root dispersion. Resolves at the latest after `timeoutMs`; never rejects.
 */
export async function queryNtpServer(
  source: NtpSource,
  options: { readonly clock: LocalClock; readonly timeoutMs: number },
): Promise<SourceMeasurement | SourceFailure> {
  const { clock, timeoutMs } = options;
  const nonce = randomBytes(8);
  const { promise, resolve } = Promise.withResolvers<SourceMeasurement | SourceFailure>();
  const socket = createSocket(isIPv6(source.host) ? 'udp6' : 'udp4');
  const timer = setTimeout(() => resolve('silent'), timeoutMs);
  let sent = { wall: 0, monotonic: 0 };
  socket.on('error', () => resolve('unreachable'));
  socket.on('message', (packet) => {
    const elapsed = clock.monotonic() - sent.monotonic;
    // The wall clock's own reading must agree, else it was set in between and the exchange means nothing.
    if (Math.abs(clock.now() - sent.wall - elapsed) > maxSkewMs) return resolve('stepped');
    const answer = parseNtpAnswer(packet, nonce, sent.wall);
    // Somebody else's packet is no reason to stop listening.
    if (answer === 'not_to_us' || answer === 'not_an_answer') return undefined;
    if (typeof answer === 'string') return resolve(answer);
    const delayMs = Math.max(0, elapsed - (answer.sentAt - answer.receivedAt));
    return resolve({
      offsetMs: (answer.receivedAt - sent.wall + (answer.sentAt - sent.wall - elapsed)) / 2,
      errorMs: delayMs / 2 + answer.rootDelayMs / 2 + answer.rootDispersionMs + clockResolutionMs,
      delayMs,
      stratum: answer.stratum,
      leap: answer.leap,
    });
  });
  // A connected socket takes packets of that address alone, and hears that nobody listens there.
  socket.connect(source.port, source.host, (error?: Error | null) => {
    if (error) return resolve('unreachable');
    sent = { wall: clock.now(), monotonic: clock.monotonic() };
    return socket.send(encodeNtpRequest(nonce), (failure) => failure && resolve('unreachable'));
  });
  const result = await promise;
  clearTimeout(timer);
  socket.close();
  return result;
}
