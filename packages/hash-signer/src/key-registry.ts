import type { Quarantine } from './quarantine.ts';
import { isSameKey, type ServedKey } from './served-keys.ts';

/** The keys that this daemon serves, and which of them are out of use. */
export class KeyRegistry {
  #keys: ReadonlyMap<string, ServedKey>;
  readonly #quarantine: Quarantine;

  constructor(keys: readonly ServedKey[], quarantine: Quarantine) {
    this.#keys = new Map(keys.map((key) => [key.keyId, key]));
    this.#quarantine = quarantine;
  }

  find(keyId: string): ServedKey | undefined {
    return this.#keys.get(keyId);
  }

  /** Whether the key is the one that is served under its identifier, and not one of before a reload. */
  serves(key: ServedKey): boolean {
    const served = this.#keys.get(key.keyId);
    return served === key || (served !== undefined && isSameKey(served, key));
  }

  list(): ServedKey[] {
    return [...this.#keys.values()];
  }

  /** Keys that are to be used no more: nothing that comes from now on finds them. */
  remove(keyIds: ReadonlySet<string>): void {
    this.#keys = new Map(Array.from(this.#keys).filter(([keyId]) => !keyIds.has(keyId)));
  }

  /** The keys of one token, after its signer processes know them. */
  replaceToken(tokenSerial: string, keys: readonly ServedKey[]): void {
    const others = this.list().filter((key) => key.tokenSerial !== tokenSerial);
    this.#keys = new Map([...others, ...keys].map((key) => [key.keyId, key]));
  }

  /**
   * After a wrong signature: nothing is signed with the key until a person has looked.
   * @throws Error when that can't be made durable
   */
  quarantine(keyId: string): void {
    this.#quarantine.add(keyId);
  }

  isQuarantined(keyId: string): boolean {
    return this.#quarantine.has(keyId);
  }

  /** Of the keys that are served. */
  get quarantinedCount(): number {
    return this.list().filter(({ keyId }) => this.#quarantine.has(keyId)).length;
  }
}
