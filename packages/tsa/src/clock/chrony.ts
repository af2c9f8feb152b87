import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import type { LeapWarning } from './ntp-packet.ts';
import { clockResolutionMs } from './query-ntp-server.ts';

/** How chronyd is asked. Without an address its socket, then port 323 of this machine, as `chronyc` does by itself. */
export type ChronyOptions = {
  readonly program: string;
  /** Path of the command socket, or an address. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Every source that chronyd uses must be authenticated by Network Time Security (RFC 8915). */
  readonly requireNts: boolean;
  /** Path of a socket that says `authdata` to whoever connects (deploy/systemd/chrony): chronyd itself says it to root alone. */
  readonly authdataSocket?: string | undefined;
};

/** What chronyd says about the clock. Milliseconds; `offsetMs` > 0 means that the clock is behind. */
export type ChronyTracking = {
  readonly offsetMs: number;
  readonly errorMs: number;
  readonly stratum: number;
  readonly leap: LeapWarning;
};

export type ChronyFailure = 'silent' | 'unsynchronised' | 'not_authenticated';

/** `chronyc` gives up by itself after about ten seconds. */
const timeoutMs = 5000;

/** A line for each source. */
const maxAnswerBytes = 64 * 1024;

const leapWords = new Map<string, LeapWarning>([
  ['Normal', 'none'],
  ['Insert second', 'insert'],
  ['Delete second', 'delete'],
]);

/**
 * Asks `chronyc -c tracking` (and `sources`, `authdata` where NTS is demanded). The bound is chronyd's own: |system time
 * offset| + root delay / 2 + root dispersion (chronyc(1), tracking). Never rejects.
 */
export async function queryChrony(options: ChronyOptions): Promise<ChronyTracking | ChronyFailure> {
  const tracking = await runChronyc(options, 'tracking');
  if (tracking === undefined) return 'silent';
  const parsed = parseTracking(tracking);
  if (typeof parsed === 'string' || !options.requireNts) return parsed;
  const { authdataSocket } = options;
  const sources = await runChronyc(options, 'sources');
  const authentication = await (authdataSocket ? readSocket(authdataSocket) : runChronyc(options, 'authdata'));
  if (sources === undefined || authentication === undefined) return 'silent';
  return isAuthenticated(sources, authentication) ? parsed : 'not_authenticated';
}

/** The one line of `chronyc -c tracking`. */
export function parseTracking(text: string): ChronyTracking | ChronyFailure {
  const fields = text.trim().split(',');
  const [, , stratum, , systemTime, , , , , , rootDelay, rootDispersion, , leapWord = ''] = fields;
  const numbers = [stratum, systemTime, rootDelay, rootDispersion].map((field) => Number(field || Number.NaN));
  if (fields.length < 14 || numbers.some((number) => !Number.isFinite(number))) return 'silent';
  const [layer = 0, offset = 0, delay = 0, dispersion = 0] = numbers;
  const leap = leapWords.get(leapWord);
  // "Not synchronised" is the kernel's STA_UNSYNC as chronyd sets it; stratum 0 is a daemon that has no source yet.
  if (leap === undefined || layer < 1 || layer > 15) return 'unsynchronised';
  return {
    offsetMs: offset * 1000,
    errorMs: (delay / 2 + dispersion) * 1000 + clockResolutionMs,
    stratum: layer,
    leap,
  };
}

/** Whether each source that is selected (`*`) or combined (`+`) has mode NTS and cookies left. */
export function isAuthenticated(sources: string, authentication: string): boolean {
  const used = rows(sources).flatMap(([, state, name]) => (state === '*' || state === '+' ? [name] : []));
  const modes = new Map(rows(authentication).map(([name, mode]) => [name, mode]));
  return used.length > 0 && used.every((name) => modes.get(name) === 'NTS');
}

function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(','));
}

function runChronyc(options: ChronyOptions, command: string): Promise<string | undefined> {
  const address = [
    ...(options.host === undefined ? [] : ['-h', options.host]),
    ...(options.port === undefined ? [] : ['-p', String(options.port)]),
  ];
  // -n: a name server that hangs must not stop the clock's supervision.
  const args = ['-c', '-n', ...address, command];
  return new Promise((resolve) => {
    execFile(options.program, args, { timeout: timeoutMs, maxBuffer: maxAnswerBytes }, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
  });
}

/** All that a local socket says, or undefined: of one that isn't there, doesn't end in time or says far too much. */
function readSocket(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(path);
    const end = (result: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end(undefined), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > maxAnswerBytes) end(undefined);
    });
    socket.once('end', () => end(text === '' ? undefined : text));
    socket.once('error', () => end(undefined));
  });
}
