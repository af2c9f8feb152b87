import { randomBytes } from 'node:crypto';
import { getSignatureAlgorithm, type KeySpecName, keySpecs, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import * as ck from './constants.ts';
import { parseEcdsaSignature } from './ecdsa-signature.ts';
import { assertKeyAttributes, type KeyAttributes, readKeyAttributes } from './key-attributes.ts';
import type { KeyDepartures } from './key-departures.ts';
import { createKeyTemplate } from './key-template.ts';
import { Lane } from './lane.ts';
import { createDigestOperation } from './mechanism.ts';
import type { NativeHandle, NativeModule } from './native-addon.ts';
import { callNative, Pkcs11Failure } from './pkcs11-failure.ts';
import { usePin } from './pin.ts';
import { signatureRefusals } from './return-code.ts';
import { findObjects, findSigningKey, readSigningKey, type SigningKey } from './signing-key.ts';
import type { TokenInfo, TokenInSlot } from './token-info.ts';
import { createVerificationKey, type VerificationKey } from './verification-key.ts';

/** A new pair: nothing but its identifier, public half and proven attributes leaves the token. */
export type GeneratedKey = {
  /** CKA_ID: 16 random bytes. */
  readonly keyId: Uint8Array;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Uint8Array;
  /** The private key's attributes as read back and checked. */
  readonly attributes: KeyAttributes;
};

const KEY_ID_BYTES = 16;

/**
 * Opens the anchor session and logs in on it, once.
 * @param onAttempt told right before the one C_Login
 */
export function openToken(
  native: NativeModule,
  place: TokenInSlot,
  pin: Buffer,
  onClose: () => void,
  onAttempt?: () => void,
): Token {
  if (place.info.isUserPinLocked || place.info.isUserPinFinalTry) {
    pin.fill(0);
    throw new SigillumError(
      'pkcs11_pin_rejected',
      `The user PIN of token ${place.info.label} is locked or has one attempt left: an officer must look at it.`,
    );
  }
  const anchor = callNative('C_OpenSession', () => native.C_OpenSession(place.slot, ck.CKF_SERIAL_SESSION));
  try {
    onAttempt?.();
    usePin(pin, (text) => callNative('C_Login', () => native.C_Login(anchor, ck.CKU_USER, text)));
  } catch (error) {
    callNative('C_CloseSession', () => native.C_CloseSession(anchor));
    throw error;
  }
  return new Token(native, place, anchor, onClose);
}

/**
 * A token on which the user is logged in. The read-only anchor session stays open until {@link Token.close}: closing
 * the last session logs everybody out and leaves all handles stale, and C_Logout is never called.
 */
export class Token {
  readonly info: TokenInfo;
  readonly #native: NativeModule;
  readonly #slot: NativeHandle;
  readonly #anchor: NativeHandle;
  readonly #onClose: () => void;
  readonly #lanes = new Set<Lane>();
  #signLane: Lane | undefined;
  #signing: Promise<unknown> = Promise.resolve();
  #isOpen = true;

  constructor(native: NativeModule, place: TokenInSlot, anchor: NativeHandle, onClose: () => void) {
    this.info = place.info;
    this.#native = native;
    this.#slot = place.slot;
    this.#anchor = anchor;
    this.#onClose = onClose;
  }

  /**
   * Makes a non-exportable pair and reads its attributes back. A pair that is not as required is destroyed again.
   * @throws `pkcs11_algorithm_unfit`, `pkcs11_key_attributes_wrong`, or the class of a failed call.
   */
  generateKeyPair(request: {
    readonly spec: KeySpecName;
    readonly algorithm: SignatureAlgorithmName;
    readonly label: string;
    /** How the vendor's module differs; its profile says so. */
    readonly departures?: KeyDepartures;
  }): GeneratedKey {
    if (!getSignatureAlgorithm(request.algorithm).keys.includes(request.spec)) {
      throw new SigillumError(
        'pkcs11_algorithm_unfit',
        `A ${request.spec} key does not sign with ${request.algorithm}.`,
      );
    }
    const spec = keySpecs[request.spec];
    const keyId = new Uint8Array(randomBytes(KEY_ID_BYTES));
    const template = createKeyTemplate(spec, request.algorithm, keyId, request.label, request.departures);
    const native = this.#native;
    const flags = ck.CKF_SERIAL_SESSION | ck.CKF_RW_SESSION;
    const session = callNative('C_OpenSession', () => native.C_OpenSession(this.#slot, flags));
    try {
      const pair = callNative('C_GenerateKeyPair', () =>
        native.C_GenerateKeyPair(session, template.mechanism, template.publicKey, template.privateKey),
      );
      try {
        const attributes = readKeyAttributes(native, session, pair.privateKey);
        const { algorithm, label, departures } = request;
        assertKeyAttributes(attributes, { spec, algorithm, keyId, label }, departures);
        return { keyId, spki: findSigningKey(native, session, keyId).spki, attributes };
      } catch (error) {
        for (const handle of [pair.privateKey, pair.publicKey]) {
          callNative('C_DestroyObject', () => native.C_DestroyObject(session, handle));
        }
        throw error;
      }
    } finally {
      callNative('C_CloseSession', () => native.C_CloseSession(session));
    }
  }

  /**
   * The private key with that CKA_ID and its public half.
   * @throws `pkcs11_key_not_found`, `pkcs11_key_ambiguous`
   */
  findKey(keyId: Uint8Array): SigningKey {
    return findSigningKey(this.#native, this.#anchor, keyId);
  }

  /** Every private key on the token. */
  listKeys(): SigningKey[] {
    const handles = findObjects(this.#native, this.#anchor, [
      { type: ck.CKA_CLASS, value: ck.CKO_PRIVATE_KEY },
      { type: ck.CKA_TOKEN, value: true },
    ]);
    return handles.map((handle) => readSigningKey(this.#native, this.#anchor, handle));
  }

  readAttributes(key: SigningKey): KeyAttributes {
    return readKeyAttributes(this.#native, this.#anchor, key.handle);
  }

  /**
   * Signs one digest, one at a time (a ceremony's pace; the daemon has its LanePool). ECDSA signatures are DER.
   * @throws `pkcs11_digest_length_wrong`, `pkcs11_algorithm_unfit`, or the class of a failed call.
   */
  sign(key: SigningKey, algorithm: SignatureAlgorithmName, digest: Uint8Array): Promise<Uint8Array> {
    const lane = (this.#signLane ??= this.openLane());
    lane.reserve();
    const result = this.#signing.then(() => lane.sign(key, algorithm, digest)).finally(() => lane.release());
    this.#signing = result.catch(() => undefined);
    return result;
  }

  /** Whether a signature over a digest is right under an SPKI, by C_Verify on a session object made from it. */
  verify(spki: Uint8Array, algorithm: SignatureAlgorithmName, digest: Uint8Array, signature: Uint8Array): boolean {
    const native = this.#native;
    // A session of its own: a refused C_Verify must not leave an operation behind, and it takes the object with it.
    const session = callNative('C_OpenSession', () => native.C_OpenSession(this.#slot, ck.CKF_SERIAL_SESSION));
    try {
      const key = createVerificationKey(native, session, spki);
      const { mechanism, input } = createDigestOperation(key.spec, algorithm, digest);
      const spec = keySpecs[key.spec];
      const raw = spec.kind === 'ec' ? parseEcdsaSignature(signature, spec.bits / 8) : signature;
      if (!raw) return false;
      callNative('C_VerifyInit', () => native.C_VerifyInit(session, mechanism, key.handle));
      return callNative('C_Verify', () => native.C_Verify(session, input, Buffer.from(raw)));
    } catch (error) {
      if (error instanceof Pkcs11Failure && error.returnCode && signatureRefusals.has(error.returnCode)) return false;
      throw error;
    } finally {
      callNative('C_CloseSession', () => native.C_CloseSession(session));
    }
  }

  /** A public key as a session object that lives as long as the token is open. */
  createVerificationKey(spki: Uint8Array): VerificationKey {
    return createVerificationKey(this.#native, this.#anchor, spki);
  }

  /** One more session for one operation at a time; see {@link Lane} for `isInProcess`. */
  openLane(isInProcess = false): Lane {
    if (!this.#isOpen) throw new RangeError('the token is closed');
    const lane = new Lane(this.#native, this.#slot, isInProcess);
    this.#lanes.add(lane);
    return lane;
  }

  /**
   * Closes all sessions, which logs out.
   * @throws `pkcs11_busy` while an operation is in flight.
   */
  close(): void {
    if (!this.#isOpen) return;
    if ([...this.#lanes].some((lane) => lane.isBusy)) {
      throw new SigillumError('pkcs11_busy', 'An operation is in flight; wait for it before closing the token.');
    }
    for (const lane of this.#lanes) lane.close();
    this.#isOpen = false;
    callNative('C_CloseSession', () => this.#native.C_CloseSession(this.#anchor));
    this.#onClose();
  }
}
