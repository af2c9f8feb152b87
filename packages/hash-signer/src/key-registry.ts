import type { ServedKey } from './key-manifest.ts';

/** The keys that this daemon serves, and which of them are out of use. */
export class KeyRegistry {
  readonly #keys: ReadonlyMap<string, ServedKey>;
  readonly #quarantined = new Set<string>();

  constructor(keys: readonly ServedKey[]) {
    this.#keys = new Map(keys.map((key) => [key.keyId, key]));
  }

  find(keyId: string): ServedKey | undefined {
    return this.#keys.get(keyId);
  }

  list(): ServedKey[] {
    return [...this.#keys.values()];
  }

  /** After a wrong signature: nothing is signed with the key until a person has looked and started anew. */
  quarantine(keyId: string): void {
    this.#quarantined.add(keyId);
  }

  isQuarantined(keyId: string): boolean {
    return this.#quarantined.has(keyId);
  }

  get quarantinedCount(): number {
    return this.#quarantined.size;
  }
}
