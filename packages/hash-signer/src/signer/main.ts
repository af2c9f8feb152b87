import { Socket } from 'node:net';
import { setPriority } from 'node:os';
import { type Frame, FrameReader, encodeJsonFrame, frameTypes } from '../frame.ts';
import { FrameOutbox } from '../frame-outbox.ts';
import {
  EXIT_CONFIG,
  EXIT_TOKEN_DOWN,
  encodeFailed,
  encodeSigned,
  parseSign,
  type PinFileStamp,
  type SignerFatal,
} from '../signer-messages.ts';
import { forgetDeadStrings } from './forget-dead-strings.ts';
import { parseSetup } from './parse-setup.ts';
import { SignerFailure } from './signer-failure.ts';
import { TokenSigner } from './token-signer.ts';

/**
 * The signer process: the only one that loads the PKCS#11 module. It talks to the daemon on descriptor 3, writes no
 * logs, takes nothing from argv, and from the environment only what the module itself reads.
 */
const PIPE = 3;

/** Time for the daemon to take the reason of an end. */
const LAST_WORDS_MS = 1_000;

/**
 * Niceness where the module computes on this machine's processors: the daemon then gets one when it needs it, so that it
 * refills the lanes, answers and refuses in time. Measured in turns with 0 and 10: 5 is best or close to it for every
 * load; 10 wakes the daemon for each answer, 0 keeps it waiting when P-256 comes one by one.
 */
const COMPUTING_NICENESS = 5;

/** What a mismatch of configuration and token can't be cured by: a restart. */
const configReasons: ReadonlySet<SignerFatal['reason']> = new Set([
  'pin-rejected',
  'key-missing',
  'key-mismatch',
  'verification-refused',
]);

function makeWayForDaemon(): void {
  try {
    setPriority(COMPUTING_NICENESS);
  } catch {
    // A sandbox may forbid it; everything works without, a little slower.
  }
}

/** Never exit(): with a call hanging inside the module it would not return, and finalising under a call crashes. */
function endNow(): void {
  process.kill(process.pid, 'SIGKILL');
}

function main(): void {
  const pipe = new Socket({ fd: PIPE, readable: true, writable: true });
  const reader = new FrameReader();
  let signer: TokenSigner | undefined;
  let isEnding = false;

  const answers = new FrameOutbox((bytes) => {
    if (!isEnding) pipe.write(bytes);
  });

  const fail = (fatal: SignerFatal): void => {
    if (isEnding) return;
    answers.flush();
    isEnding = true;
    // A daemon that does not read must not keep a hanging process alive.
    setTimeout(endNow, LAST_WORDS_MS);
    pipe.write(encodeJsonFrame(frameTypes.fatal, fatal), () => {
      // With nothing in flight exit() is safe, and its code says what happened; else only a kill is.
      if (signer) endNow();
      else process.exit(configReasons.has(fatal.reason) ? EXIT_CONFIG : EXIT_TOKEN_DOWN);
    });
  };

  const failWith = (error: unknown): void => {
    fail(error instanceof SignerFailure ? error.fatal : { reason: 'token-down' });
  };

  const configure = (payload: Buffer): void => {
    const setup = parseSetup(payload);
    if (setup.inProcess) makeWayForDaemon();
    const announce = (stamp: PinFileStamp): void => {
      pipe.write(encodeJsonFrame(frameTypes.attempt, stamp));
    };
    signer = TokenSigner.open(setup, announce, () => fail({ reason: 'hang' }));
    forgetDeadStrings();
    pipe.write(encodeJsonFrame(frameTypes.ready, signer.describe()));
  };

  const sign = async (open: TokenSigner, { id, keyIndex, digest }: ReturnType<typeof parseSign>): Promise<void> => {
    const result = await open.sign(keyIndex, digest);
    if (isEnding) return;
    answers.add(
      result.kind === 'signed'
        ? encodeSigned(id, result.executionMicros, result.signature)
        : encodeFailed(id, result.executionMicros, result.failureClass, result.returnCode),
    );
  };

  const drain = async (open: TokenSigner): Promise<void> => {
    await open.close();
    // The last answers are still on their way to the outbox.
    setImmediate(() => {
      answers.flush();
      pipe.end(() => process.exit(0));
    });
  };

  const handle = (frame: Frame): void => {
    if (isEnding) return;
    if (signer && frame.type === frameTypes.sign) sign(signer, parseSign(frame.payload)).catch(failWith);
    else if (signer && frame.type === frameTypes.drain) drain(signer).catch(failWith);
    else if (!signer && frame.type === frameTypes.configure) configure(frame.payload);
    else throw new SignerFailure({ reason: 'protocol' });
  };

  pipe.on('data', (bytes: Buffer) => {
    try {
      for (const frame of reader.push(bytes)) handle(frame);
    } catch (error) {
      fail(error instanceof SignerFailure ? error.fatal : { reason: 'protocol' });
    }
  });
  // The daemon is gone: nobody waits for anything.
  pipe.on('end', endNow);
  pipe.on('error', endNow);
  // The terminal signals the whole group; only the daemon decides when we end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
}

main();
