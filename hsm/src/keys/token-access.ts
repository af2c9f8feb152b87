import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadModule, type Pkcs11Module, type Token } from '@sigillum/pkcs11';
import type { VendorProfile } from './vendor-profile.ts';

/** Gives the user PIN of a token; the buffer is wiped by who logs in with it. */
export type PinSource = (tokenLabel: string) => Buffer;

/** Which module, and what it needs. */
export type ModuleChoice = {
  readonly path: string;
  /** Handed to C_Initialize, for modules that take parameters (NSS softokn). */
  readonly libraryParameters?: string | undefined;
  /** Without one, the module does all that is asked. */
  readonly profile?: VendorProfile | undefined;
};

/**
 * The PKCS#11 module and the tokens that were logged in to, for one process. A token is logged in to once, with one
 * attempt: a rejected PIN ends the ceremony, and nothing here tries again.
 */
export class TokenAccess {
  readonly #choice: ModuleChoice;
  readonly #readPin: PinSource;
  readonly #tokens = new Map<string, Token>();
  #module: Pkcs11Module | undefined;
  #moduleSha256: string | undefined;

  constructor(choice: ModuleChoice, readPin: PinSource) {
    this.#choice = choice;
    this.#readPin = readPin;
  }

  get modulePath(): string {
    return this.#choice.path;
  }

  get profile(): VendorProfile | undefined {
    return this.#choice.profile;
  }

  get module(): Pkcs11Module {
    this.#module ??= loadModule(this.modulePath, this.#choice.libraryParameters);
    return this.#module;
  }

  /** SHA-256 of the module's file, lowercase hex: the transcript says which code held the keys. */
  get moduleSha256(): string {
    this.#moduleSha256 ??= createHash('sha256').update(readFileSync(this.modulePath)).digest('hex');
    return this.#moduleSha256;
  }

  /** The token, logged in. */
  open(reference: { readonly label: string; readonly serial?: string | undefined }): Token {
    const info = this.module.findToken({
      label: reference.label,
      ...(reference.serial === undefined ? {} : { serial: reference.serial }),
    });
    let token = this.#tokens.get(info.serial);
    if (!token) {
      token = this.module.openToken(info, this.#readPin(info.label));
      this.#tokens.set(info.serial, token);
    }
    return token;
  }

  close(): void {
    if (!this.#module) return;
    for (const token of this.#tokens.values()) token.close();
    this.#tokens.clear();
    this.#module.finalize();
    this.#module = undefined;
  }
}
