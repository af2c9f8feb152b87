/** Keys of a dictionary that are compared one by one; those of larger ones are sorted. */
const fewKeys = 24;

/** The keys of dictionaries inside each other, as hashes: tells whether one of them has a key twice, perhaps. */
export class KeyStack {
  hasKeyTwice = false;
  #keys = new Int32Array(64);
  /** How many there are: where those of a dictionary that is opened begin. */
  count = 0;

  clear(): void {
    this.count = 0;
    this.hasKeyTwice = false;
  }

  /** One more key of the dictionary whose keys begin at `start`. */
  add(key: number, start: number): void {
    const { count } = this;
    const keys = this.#keys;
    if (count - start < fewKeys) {
      for (let index = start; index < count; index++) if (keys[index] === key) this.hasKeyTwice = true;
    }
    if (count === keys.length) this.#keys = growArray(keys);
    this.#keys[count] = key;
    this.count = count + 1;
  }

  /** Ends that dictionary. */
  close(start: number): void {
    if (this.count - start > fewKeys && !this.hasKeyTwice) {
      const sorted = this.#keys.subarray(start, this.count).sort();
      for (let index = 1; index < sorted.length; index++) {
        if (sorted[index] === sorted[index - 1]) this.hasKeyTwice = true;
      }
    }
    this.count = start;
  }
}

/** The same values with as much room again. */
export function growArray(values: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(values.length * 2);
  larger.set(values);
  return larger;
}
