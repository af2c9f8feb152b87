import { SigillumError } from '@sigillum/errors';
import { CKF_OS_LOCKING_OK, CKF_RW_SESSION, CKF_SERIAL_SESSION, CKU_SO } from './constants.ts';
import { createNativeModule, type NativeModule } from './native-addon.ts';
import { callNative, Pkcs11Failure } from './pkcs11-failure.ts';
import { usePin } from './pin.ts';
import { parseReturnCode } from './return-code.ts';
import { openToken, type Token } from './token.ts';
import { padTokenLabel, readTokens, type TokenInfo, type TokenInSlot } from './token-info.ts';

/** Information about the loaded module, for transcripts. */
export type ModuleInfo = { readonly manufacturer: string; readonly description: string; readonly version: string };

/**
 * Module state on purpose, the one exception of the house: when the addon's object is collected, the module is
 * unloaded under the feet of its own threads and the process dies with SIGSEGV. So it is referenced for ever.
 */
const loadedModules = new Map<string, { readonly native: NativeModule; current: Pkcs11Module | undefined }>();

/**
 * Loads and initialises a PKCS#11 module; the same path gives the same object until {@link Pkcs11Module.finalize}.
 * @param libraryParameters for modules that take some at C_Initialize (NSS softokn); pReserved elsewhere stays NULL
 * @throws `pkcs11_module_unusable` when the file can't be loaded or C_Initialize fails.
 */
export function loadModule(path: string, libraryParameters?: string): Pkcs11Module {
  let entry = loadedModules.get(path);
  if (!entry) {
    const native = createNativeModule();
    try {
      native.load(path);
    } catch (cause) {
      throw new SigillumError('pkcs11_module_unusable', `The PKCS#11 module ${path} cannot be loaded.`, { cause });
    }
    entry = { native, current: undefined };
    loadedModules.set(path, entry);
  }
  if (entry.current) return entry.current;
  const { native } = entry;
  try {
    // Without the flag two lanes at once are a SIGSEGV or an endless loop.
    native.C_Initialize({
      flags: CKF_OS_LOCKING_OK,
      ...(libraryParameters === undefined ? {} : { libraryParameters }),
    });
  } catch (error) {
    const cause = new Pkcs11Failure('C_Initialize', parseReturnCode(error));
    throw new SigillumError('pkcs11_module_unusable', `The PKCS#11 module ${path} does not start.`, { cause });
  }
  const loaded = entry;
  entry.current = new Pkcs11Module(native, () => {
    loaded.current = undefined;
  });
  return entry.current;
}

/** A loaded, initialised PKCS#11 module. Get it with {@link loadModule}. */
export class Pkcs11Module {
  readonly #native: NativeModule;
  readonly #forget: () => void;
  readonly #openTokens = new Set<Token>();

  constructor(native: NativeModule, forget: () => void) {
    this.#native = native;
    this.#forget = forget;
  }

  readInfo(): ModuleInfo {
    const info = callNative('C_GetInfo', () => this.#native.C_GetInfo());
    return {
      manufacturer: info.manufacturerID.trim(),
      description: info.libraryDescription.trim(),
      version: `${info.libraryVersion.major}.${info.libraryVersion.minor}`,
    };
  }

  /** Every initialised token. */
  listTokens(): TokenInfo[] {
    return this.#initialisedTokens().map(({ info }) => info);
  }

  /**
   * The one token with that label and, if given, serial.
   * @throws `pkcs11_token_not_found`, `pkcs11_token_ambiguous`
   */
  findToken(wanted: { readonly label: string; readonly serial?: string }): TokenInfo {
    return this.#findToken(wanted).info;
  }

  #initialisedTokens(): TokenInSlot[] {
    return readTokens(this.#native).filter(({ info }) => info.isInitialised);
  }

  #findToken(wanted: { readonly label: string; readonly serial?: string }): TokenInSlot {
    const matches = this.#initialisedTokens().filter(
      ({ info }) => info.label === wanted.label && (wanted.serial === undefined || info.serial === wanted.serial),
    );
    const name = wanted.serial === undefined ? wanted.label : `${wanted.label} (${wanted.serial})`;
    const token = matches[0];
    if (!token) throw new SigillumError('pkcs11_token_not_found', `There is no token ${name}.`);
    if (matches.length > 1) {
      throw new SigillumError('pkcs11_token_ambiguous', `There are ${matches.length} tokens ${name}; name the serial.`);
    }
    return token;
  }

  /**
   * Makes a token in a free slot: sets the SO PIN, then the user PIN. Wipes both Buffers.
   * @throws `pkcs11_token_exists` when the label is taken, `pkcs11_slot_not_free`, or the class of a failed call.
   */
  initToken(request: { readonly label: string; readonly soPin: Buffer; readonly userPin: Buffer }): TokenInfo {
    try {
      return this.#initToken(request);
    } finally {
      request.soPin.fill(0);
      request.userPin.fill(0);
    }
  }

  #initToken(request: { readonly label: string; readonly soPin: Buffer; readonly userPin: Buffer }): TokenInfo {
    const padded = padTokenLabel(request.label);
    if (padded === undefined) {
      throw new SigillumError('pkcs11_request_refused', 'A token label has between 1 and 32 bytes.');
    }
    const before = readTokens(this.#native);
    if (before.some(({ info }) => info.isInitialised && info.label === request.label)) {
      throw new SigillumError('pkcs11_token_exists', `There is already a token ${request.label}.`);
    }
    const free = before.find(({ info }) => !info.isInitialised);
    if (!free) throw new SigillumError('pkcs11_slot_not_free', 'No slot has an uninitialised token.');
    // The SO PIN is needed twice, so the first use gets a copy.
    usePin(Buffer.from(request.soPin), (pin) =>
      callNative('C_InitToken', () => this.#native.C_InitToken(free.slot, pin, padded)),
    );
    // Slot and serial are new now; the label is unique, as checked above.
    const token = this.#findToken({ label: request.label });
    this.#initUserPin(token, request.soPin, request.userPin);
    return this.findToken({ label: request.label, serial: token.info.serial });
  }

  #initUserPin(token: TokenInSlot, soPin: Buffer, userPin: Buffer): void {
    const native = this.#native;
    const session = callNative('C_OpenSession', () =>
      native.C_OpenSession(token.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION),
    );
    try {
      usePin(soPin, (pin) => callNative('C_Login', () => native.C_Login(session, CKU_SO, pin)));
      usePin(userPin, (pin) => callNative('C_InitPIN', () => native.C_InitPIN(session, pin)));
    } finally {
      // Closing a token's last session logs the SO out (PKCS#11 v3.1 §5.6.7).
      callNative('C_CloseSession', () => native.C_CloseSession(session));
    }
  }

  /**
   * Logs in once on an anchor session. Wipes the PIN. One attempt: a rejected PIN is `pkcs11_pin_rejected`, and so is
   * a token whose next failure would lock it (a person decides about that one).
   * @param onAttempt told right before C_Login: from then on the HSM may have counted it
   */
  openToken(info: { readonly label: string; readonly serial: string }, pin: Buffer, onAttempt?: () => void): Token {
    try {
      const place = this.#findToken(info);
      const token = openToken(this.#native, place, pin, () => this.#openTokens.delete(token), onAttempt);
      this.#openTokens.add(token);
      return token;
    } finally {
      pin.fill(0);
    }
  }

  /**
   * Closes all tokens and finalises the module; {@link loadModule} starts it again.
   * @throws `pkcs11_busy` while an operation is in flight: finalising then is a crash or a hang. Drain first.
   */
  finalize(): void {
    for (const token of this.#openTokens) token.close();
    callNative('C_Finalize', () => this.#native.C_Finalize());
    this.#forget();
  }
}
