import { CKF_TOKEN_INITIALIZED, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED } from './constants.ts';
import type { NativeHandle, NativeModule } from './native-addon.ts';
import { callNative } from './pkcs11-failure.ts';

/** A token by what stays the same: never by its slot, whose number changes after initialisation. */
export type TokenInfo = {
  readonly label: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly isInitialised: boolean;
  readonly isUserPinLocked: boolean;
  /** One more wrong user PIN locks the token. */
  readonly isUserPinFinalTry: boolean;
};

/** A token and the slot it sits in now. */
export type TokenInSlot = { readonly slot: NativeHandle; readonly info: TokenInfo };

/** Blank-padded fields (PKCS#11 v3.1 §3.2); some modules pad with zeros. */
// oxlint-disable-next-line no-control-regex -- zeros are what we look for
const trim = (text: string): string => text.replace(/[\0 ]+$/, '');

/** Every slot with a token in it, initialised or not. */
export function readTokens(native: NativeModule): TokenInSlot[] {
  return callNative('C_GetSlotList', () =>
    native.C_GetSlotList(true).map((slot) => {
      const token = native.C_GetTokenInfo(slot);
      const has = (flag: number): boolean => (token.flags & flag) !== 0;
      return {
        slot,
        info: {
          label: trim(token.label),
          serial: trim(token.serialNumber),
          manufacturer: trim(token.manufacturerID),
          model: trim(token.model),
          isInitialised: has(CKF_TOKEN_INITIALIZED),
          isUserPinLocked: has(CKF_USER_PIN_LOCKED),
          isUserPinFinalTry: has(CKF_USER_PIN_FINAL_TRY),
        },
      };
    }),
  );
}

/** CK_TOKEN_INFO.label: exactly 32 bytes, blank-padded; C_InitToken reads beyond a shorter one. */
export function padTokenLabel(label: string): string | undefined {
  const missing = 32 - Buffer.byteLength(label, 'utf8');
  return label.length === 0 || missing < 0 ? undefined : label + ' '.repeat(missing);
}
