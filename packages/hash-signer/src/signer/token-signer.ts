import { setImmediate } from 'node:timers/promises';
import { getSignatureAlgorithm, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { isSigillumError } from '@sigillum/errors';
import { type Lane, LanePool, loadModule, Pkcs11Failure, type Pkcs11Module } from '@sigillum/pkcs11';
import type { SigningKey, Token, VerificationKey } from '@sigillum/pkcs11';
import { OperationWatchdog } from '../operation-watchdog.ts';
import {
  type FailureClass,
  getWatchdogLimit,
  type PinFileStamp,
  type SignerReady,
  type SignerSetup,
} from '../signer-messages.ts';
import { FailureClasses } from './failure-classes.ts';
import { readPin } from './read-pin.ts';
import { SignerFailure, toFatal } from './signer-failure.ts';

/** One item's end inside the signer process. */
export type ItemResult =
  | { readonly kind: 'signed'; readonly signature: Uint8Array; readonly executionMicros: number }
  | {
      readonly kind: 'failed';
      readonly failureClass: FailureClass;
      readonly returnCode: number | undefined;
      readonly executionMicros: number;
    };

type ReadyKey = {
  readonly id: Uint8Array;
  readonly algorithm: SignatureAlgorithmName;
  readonly purpose: string;
  readonly watchdogMs: number;
  /** Only for ECDSA: node:crypto can't verify it over a bare digest, so C_Verify does. */
  readonly verificationKey: VerificationKey | undefined;
  signingKey: SigningKey;
};

/** The logged-in token of one signer process: finds the keys of the manifests at the start, then signs. */
export class TokenSigner {
  readonly #module: Pkcs11Module;
  readonly #token: Token;
  readonly #pool: LanePool;
  /** None for a token without ECDSA keys: the daemon verifies RSA. */
  readonly #verificationPool: LanePool | undefined;
  readonly #keys: readonly ReadyKey[];
  readonly #classes: FailureClasses;
  readonly #watchdog: OperationWatchdog;

  private constructor(
    setup: SignerSetup,
    opened: {
      module: Pkcs11Module;
      token: Token;
      pool: LanePool;
      verificationPool: LanePool | undefined;
      keys: readonly ReadyKey[];
      classes: FailureClasses;
    },
    onHang: () => void,
  ) {
    this.#module = opened.module;
    this.#token = opened.token;
    this.#pool = opened.pool;
    this.#verificationPool = opened.verificationPool;
    this.#keys = opened.keys;
    this.#classes = opened.classes;
    this.#watchdog = new OperationWatchdog(Math.min(setup.watchdogMs.ec, setup.watchdogMs.rsa), onHang);
  }

  /**
   * @param onAttempt told right before the login, with the stamp of the PIN file
   * @param onHang an operation is over its time: only the end of the process ends it
   * @throws SignerFailure with the reason that the daemon is told.
   */
  static open(setup: SignerSetup, onAttempt: (stamp: PinFileStamp) => void, onHang: () => void): TokenSigner {
    let stamp: PinFileStamp | undefined;
    const classes = new FailureClasses(new Map(setup.returnCodes));
    try {
      const module = loadModule(setup.module, setup.libraryParameters);
      const info = module.findToken(setup.token);
      const { pin, stamp: tried } = openPin(setup.pinFile);
      stamp = tried;
      const token = module.openToken(info, pin, () => onAttempt(tried));
      const keys = setup.keys.map((key) => findPinnedKey(token, key, setup));
      const reserved = new Map(
        Object.entries(setup.reservedLanes).flatMap(([purpose, count]) =>
          count === undefined ? [] : [[purpose, count]],
        ),
      );
      const pools = {
        lanes: setup.lanes,
        maxWaiting: setup.maxInFlight,
        isInProcess: setup.inProcess,
        reserved,
      };
      const pool = new LanePool(token, pools);
      const verifies = keys.some(({ verificationKey }) => verificationKey !== undefined);
      const verificationPool = verifies ? new LanePool(token, pools) : undefined;
      return new TokenSigner(setup, { module, token, pool, verificationPool, keys, classes }, onHang);
    } catch (error) {
      throw new SignerFailure(toFatal(error, stamp, classes));
    }
  }

  describe(): SignerReady {
    const { description, version } = this.#module.readInfo();
    return { module: `${description} ${version}` };
  }

  /**
   * Signs one digest and, for ECDSA, verifies the signature with the pinned key.
   * @throws SignerFailure when only a fresh process helps.
   */
  async sign(keyIndex: number, digest: Uint8Array): Promise<ItemResult> {
    const key = this.#keys[keyIndex];
    if (!key) return { kind: 'failed', failureClass: 'request', returnCode: undefined, executionMicros: 0 };
    // Waiting for a lane is queue time, not execution time.
    let started = process.hrtime.bigint();
    const measure = (): number => Number((process.hrtime.bigint() - started) / 1000n);
    try {
      const signature = await this.#pool.run((lane) => {
        started = process.hrtime.bigint();
        return this.#watch(key, () => this.#signAgain(lane, key, digest));
      }, key.purpose);
      const isWrong = !(await this.#verify(key, digest, signature));
      return isWrong
        ? { kind: 'failed', failureClass: 'wrong', returnCode: undefined, executionMicros: measure() }
        : { kind: 'signed', signature, executionMicros: measure() };
    } catch (error) {
      if (error instanceof SignerFailure) throw error;
      if (this.#classes.isTokenDown(error)) throw new SignerFailure(toFatal(error, undefined, this.#classes));
      const returnCode = error instanceof Pkcs11Failure ? error.returnCode : undefined;
      return { kind: 'failed', failureClass: this.#classes.of(error), returnCode, executionMicros: measure() };
    }
  }

  /** On a lane of its own, so that the one that signed goes on with the next digest. */
  async #verify(key: ReadyKey, digest: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const { verificationKey, algorithm, purpose } = key;
    if (!verificationKey) return true;
    if (!this.#verificationPool) throw new RangeError('no lane to verify on');
    const verify = (lane: Lane) => this.#watch(key, () => lane.verify(verificationKey, algorithm, digest, signature));
    return await this.#verificationPool.run(verify, purpose);
  }

  /** An operation inside the module. */
  async #watch<T>(key: ReadyKey, operate: () => Promise<T>): Promise<T> {
    const watched = this.#watchdog.begin(key.watchdogMs);
    try {
      return await operate();
    } finally {
      this.#watchdog.end(watched);
    }
  }

  /** Session or handles gone: the lane has a fresh session by itself, the key is found again, and once more. */
  async #signAgain(lane: Lane, key: ReadyKey, digest: Uint8Array): Promise<Uint8Array> {
    try {
      return await lane.sign(key.signingKey, key.algorithm, digest);
    } catch (error) {
      if (this.#classes.of(error) !== 'session') throw error;
      key.signingKey = this.#findAgain(key.id);
      return await lane.sign(key.signingKey, key.algorithm, digest);
    }
  }

  /** It was there at the start: if it isn't any more, it is the token that has gone, whatever the module calls it. */
  #findAgain(id: Uint8Array): SigningKey {
    try {
      return this.#token.findKey(id);
    } catch (error) {
      if (isSigillumError(error, 'pkcs11_key_not_found')) throw new SignerFailure({ reason: 'token-down' });
      throw error;
    }
  }

  /** Waits for what is in flight, then logs out and finalises. */
  async close(): Promise<void> {
    await this.#pool.drain();
    // What was signed last is on its way to be verified.
    await setImmediate();
    await this.#verificationPool?.drain();
    this.#watchdog.stop();
    this.#token.close();
    this.#module.finalize();
  }
}

function openPin(path: string): { pin: Buffer; stamp: PinFileStamp } {
  try {
    return readPin(path);
  } catch {
    // Whatever the file system says could quote the path's content no more than we want to.
    throw new SignerFailure({ reason: 'pin-unreadable' });
  }
}

/** The key of a manifest, with the token's public key compared to the pinned one. */
function findPinnedKey(token: Token, wanted: SignerSetup['keys'][number], setup: SignerSetup): ReadyKey {
  const id = new Uint8Array(Buffer.from(wanted.keyId, 'hex'));
  const spki = new Uint8Array(Buffer.from(wanted.spki, 'base64'));
  const signingKey = findOnToken(token, id, wanted.keyId);
  if (Buffer.compare(signingKey.spki, spki) !== 0) {
    throw new SignerFailure({ reason: 'key-mismatch', keyId: wanted.keyId });
  }
  const isEcdsa = getSignatureAlgorithm(wanted.algorithm).scheme === 'ecdsa';
  const verificationKey = isEcdsa ? makeVerificationKey(token, spki, wanted.keyId, setup) : undefined;
  const { algorithm, purpose } = wanted;
  const watchdogMs = getWatchdogLimit(setup.watchdogMs, algorithm);
  return { id, algorithm, purpose, watchdogMs, verificationKey, signingKey };
}

/** Not every vendor's module makes objects of public keys (YubiHSM): waiting won't change that. */
function makeVerificationKey(token: Token, spki: Uint8Array, keyId: string, setup: SignerSetup): VerificationKey {
  try {
    return token.createVerificationKey(spki);
  } catch (error) {
    const isRefused = new FailureClasses(new Map(setup.returnCodes)).ofCode(error) === 'request';
    if (!isRefused || !(error instanceof Pkcs11Failure) || error.returnCode === undefined) throw error;
    throw new SignerFailure({ reason: 'verification-refused', keyId, returnCode: error.returnCode });
  }
}

function findOnToken(token: Token, id: Uint8Array, keyId: string): SigningKey {
  try {
    return token.findKey(id);
  } catch (error) {
    if (isSigillumError(error, 'pkcs11_key_not_found')) throw new SignerFailure({ reason: 'key-missing', keyId });
    // Two keys under one identifier, or bytes that are no key of ours: not the key of the manifest either way.
    if (isSigillumError(error, 'pkcs11_key_ambiguous', 'pkcs11_key_malformed')) {
      throw new SignerFailure({ reason: 'key-mismatch', keyId });
    }
    throw error;
  }
}
