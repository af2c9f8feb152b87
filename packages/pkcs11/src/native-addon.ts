import { createRequire } from 'node:module';
import type * as Pkcs11Js from 'pkcs11js';

/** The addon's object for one loaded module. */
export type NativeModule = Pkcs11Js.PKCS11;
/** A session or object handle: a CK_ULONG as the addon hands it out. */
export type NativeHandle = Pkcs11Js.Handle;
export type NativeTemplate = Pkcs11Js.Template;
export type NativeMechanism = Pkcs11Js.Mechanism;
export type NativePssParameters = Pkcs11Js.RsaPSS;

/**
 * Makes the addon's object. `require` at the moment of use, not an import: importing this package must not map
 * native code, and a CommonJS module that spreads its exports offers no names to ESM.
 */
export function createNativeModule(): NativeModule {
  const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as typeof Pkcs11Js;
  return new PKCS11();
}
