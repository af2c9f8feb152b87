/**
 * Values by number, a bounded number of them. What wasn't put in lately leaves first, half of all at once: taking out the
 * oldest one by one would make a Map look past all that has been taken out of it.
 */
export class BoundedCache<Value> {
  readonly #half: number;
  #recent = new Map<number, Value>();
  #older = new Map<number, Value>();

  /** @param most how many are kept; half of that at least */
  constructor(most: number) {
    this.#half = Math.ceil(most / 2);
  }

  get(key: number): Value | undefined {
    return this.#recent.get(key) ?? this.#older.get(key);
  }

  set(key: number, value: Value): void {
    if (this.#recent.size >= this.#half) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
  }
}
