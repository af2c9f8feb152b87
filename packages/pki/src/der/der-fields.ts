import { SigillumError } from '@sigillum/errors';
import type { DerNode } from './read-der.ts';

/**
 * Walks the elements of a constructed node in order, as an ASN.1 SEQUENCE is written: `take` what must be there,
 * `takeIf` what is optional, `end` to demand that nothing is left. Throws `pki_der_invalid` naming the structure.
 *
 * @example const fields = new DerFields(node, 'TSTInfo'); const version = decodeInteger(fields.take(tags.integer));
 */
export class DerFields {
  readonly #children: readonly DerNode[];
  readonly #what: string;
  #index = 0;

  constructor(node: DerNode, what: string, tag: number = 0x30) {
    if (node.tag !== tag) throw new SigillumError('pki_der_invalid', `${what} has the wrong type.`);
    this.#children = node.children;
    this.#what = what;
  }

  /** The next element, which must have that identifier octet (any, when left out). */
  take(tag?: number): DerNode {
    const node = this.#children[this.#index];
    if (!node) throw new SigillumError('pki_der_invalid', `${this.#what} lacks a part.`);
    if (tag !== undefined && node.tag !== tag) {
      throw new SigillumError('pki_der_invalid', `${this.#what} has a part of the wrong type.`);
    }
    this.#index++;
    return node;
  }

  /** The next element when it has that identifier octet, else undefined. */
  takeIf(tag: number): DerNode | undefined {
    const node = this.#children[this.#index];
    if (node?.tag !== tag) return undefined;
    this.#index++;
    return node;
  }

  /** Demands that nothing is left. */
  end(): void {
    if (this.#index < this.#children.length) {
      throw new SigillumError('pki_der_invalid', `${this.#what} has a part too many.`);
    }
  }
}
