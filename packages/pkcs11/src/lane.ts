import type { SignatureAlgorithmName } from '@sigillum/algorithms';
import { keySpecs } from '@sigillum/algorithms';
import { CKF_SERIAL_SESSION } from './constants.ts';
import { encodeEcdsaSignature, parseEcdsaSignature } from './ecdsa-signature.ts';
import { createDigestOperation } from './mechanism.ts';
import type { NativeHandle, NativeModule } from './native-addon.ts';
import { callNative, Pkcs11Failure } from './pkcs11-failure.ts';
import { parseReturnCode, signatureRefusals } from './return-code.ts';
import type { SigningKey } from './signing-key.ts';
import type { VerificationKey } from './verification-key.ts';

/** Room for the largest signature that we know: RSA-4096. */
const MAX_SIGNATURE_BYTES = 512;

/**
 * One session with at most one operation in flight. After any error the session is closed and a new one opened: the
 * next C_SignInit would say OPERATION_ACTIVE, and 'draining' with C_Sign would sign.
 */
export class Lane {
  readonly #native: NativeModule;
  readonly #slot: NativeHandle;
  readonly #isInProcess: boolean;
  #session: NativeHandle | undefined;
  /** Input and output of the call in flight: the addon keeps bare pointers, so we keep the memory alive. */
  #inFlight: { readonly input: Buffer; readonly output: Buffer } | undefined;

  #reservations = 0;
  #isClosed = false;

  /**
   * @param isInProcess the module computes by itself, in this process: then another thread to call it on gains nothing,
   * and costs as much as a P-256 signature. For everything that waits (a network, a device) it must be false.
   */
  constructor(native: NativeModule, slot: NativeHandle, isInProcess = false) {
    this.#native = native;
    this.#slot = slot;
    this.#isInProcess = isInProcess;
    this.#session = this.#openSession();
  }

  /** An operation is in flight, or promised to somebody. */
  get isBusy(): boolean {
    return this.#inFlight !== undefined || this.#reservations > 0;
  }

  /** Keeps the lane open for an operation that begins later, until {@link Lane.release}. */
  reserve(): void {
    if (this.#isClosed) throw new RangeError('the lane is closed');
    this.#reservations += 1;
  }

  release(): void {
    this.#reservations -= 1;
  }

  #openSession(): NativeHandle {
    return callNative('C_OpenSession', () => this.#native.C_OpenSession(this.#slot, CKF_SERIAL_SESSION));
  }

  /** Signs one digest. ECDSA signatures come back in DER. */
  async sign(key: SigningKey, algorithm: SignatureAlgorithmName, digest: Uint8Array): Promise<Uint8Array> {
    const { mechanism, input } = createDigestOperation(key.spec, algorithm, digest);
    const output = Buffer.alloc(MAX_SIGNATURE_BYTES);
    const signature = await this.#run('C_Sign', input, output, async (session) => {
      this.#native.C_SignInit(session, mechanism, key.handle);
      return this.#isInProcess
        ? this.#native.C_Sign(session, input, output)
        : await this.#native.C_SignAsync(session, input, output);
    });
    const spec = keySpecs[key.spec];
    return spec.kind === 'ec' ? encodeEcdsaSignature(signature, spec.bits / 8) : new Uint8Array(signature);
  }

  /** Whether a signature over a digest is right, as the HSM sees it; ECDSA signatures are strict DER. */
  async verify(
    key: VerificationKey,
    algorithm: SignatureAlgorithmName,
    digest: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    const { mechanism, input } = createDigestOperation(key.spec, algorithm, digest);
    const spec = keySpecs[key.spec];
    const raw = spec.kind === 'ec' ? parseEcdsaSignature(signature, spec.bits / 8) : signature;
    if (!raw) return false;
    const signatureBuffer = Buffer.from(raw);
    try {
      return await this.#run('C_Verify', input, signatureBuffer, async (session) => {
        this.#native.C_VerifyInit(session, mechanism, key.handle);
        return this.#isInProcess
          ? this.#native.C_Verify(session, input, signatureBuffer)
          : await this.#native.C_VerifyAsync(session, input, signatureBuffer);
      });
    } catch (error) {
      if (error instanceof Pkcs11Failure && error.returnCode && signatureRefusals.has(error.returnCode)) return false;
      throw error;
    }
  }

  async #run<T>(
    operation: string,
    input: Buffer,
    output: Buffer,
    call: (session: NativeHandle) => Promise<T>,
  ): Promise<T> {
    if (this.#inFlight) throw new RangeError('a lane carries one operation at a time');
    if (this.#isClosed) throw new RangeError('the lane is closed');
    this.#inFlight = { input, output };
    try {
      this.#session ??= this.#openSession();
      return await call(this.#session);
    } catch (error) {
      this.#dropSession();
      throw error instanceof Pkcs11Failure ? error : new Pkcs11Failure(operation, parseReturnCode(error));
    } finally {
      this.#inFlight = undefined;
    }
  }

  /** The next operation opens a fresh session. */
  #dropSession(): void {
    const session = this.#session;
    this.#session = undefined;
    if (!session) return;
    try {
      this.#native.C_CloseSession(session);
    } catch {
      // It is gone already, which is what we want.
    }
  }

  /** Only when idle: closing a session under a running operation crashes. */
  close(): void {
    if (this.isBusy) throw new RangeError('a busy lane cannot be closed');
    this.#isClosed = true;
    this.#dropSession();
  }
}
