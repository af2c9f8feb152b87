import { SigillumError } from '@sigillum/errors';
import { isOidContent } from './oid.ts';
import { tags } from './tags.ts';

/** One element. `bytes`, `content` and the children's are views of the input, not copies. */
export type DerNode = {
  /** The identifier octet: class, constructed bit and number. */
  readonly tag: number;
  /** Tag, length and content. */
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
  /** Elements inside; empty for a primitive one. */
  readonly children: readonly DerNode[];
};

export type DerLimits = {
  /** Nesting at most; a time-stamp token with certificates needs 16. */
  readonly maxDepth?: number;
  /** Elements at most; a CRL has about four for each revoked certificate. */
  readonly maxElements?: number;
  /** Elements whose content nobody looks at here, for callers who read it themselves; they come without children. */
  readonly isLeft?: (element: { readonly tag: number; readonly depth: number; readonly before: number }) => boolean;
};

/** Deep enough for any certificate or CMS met, shallow enough for the stack. */
const defaultMaxDepth = 32;
/** About 40 MB of nodes at worst. */
const defaultMaxElements = 200_000;

/** One for all primitive elements: a long CRL has a million of them. */
const noChildren: readonly DerNode[] = [];

type State = Required<Omit<DerLimits, 'isLeft'>> &
  Pick<DerLimits, 'isLeft'> & { readonly input: Uint8Array; elements: number };

/**
 * Reads one DER element that fills `bytes` to the last byte: definite, minimal lengths, low tag numbers, no trailing
 * bytes, canonical BOOLEAN, INTEGER, NULL, BIT STRING and OBJECT IDENTIFIER, strings primitive (X.690 §10, §11).
 * Everything is looked at, also inside what the caller doesn't read. The order of SET OF is not: callers check it
 * where a signature depends on it. Throws `pki_der_invalid`.
 */
export function readDer(bytes: Uint8Array, limits: DerLimits = {}): DerNode {
  const node = readDerAt(bytes, 0, limits);
  if (node.bytes.length !== bytes.length) throw invalid('bytes follow the end of the structure');
  return node;
}

/** Reads the element that begins at `start`, likewise, but for what follows it. */
export function readDerAt(bytes: Uint8Array, start: number, limits: DerLimits = {}): DerNode {
  const { maxDepth = defaultMaxDepth, maxElements = defaultMaxElements, isLeft } = limits;
  return readElement({ input: bytes, maxDepth, maxElements, isLeft, elements: 0 }, start, bytes.length, 0, 0);
}

function readElement(state: State, start: number, end: number, depth: number, before: number): DerNode {
  const { input } = state;
  if (depth > state.maxDepth) throw invalid('it is nested too deeply');
  if (++state.elements > state.maxElements) throw invalid('it has too many elements');
  if (end - start < 2) throw invalid('it is cut short');
  const tag = input[start] ?? 0;
  if ((tag & 0x1f) === 0x1f) throw invalid('a tag number above 30 is used');
  if (tag === 0) throw invalid('an end-of-contents mark is used');
  const firstLength = input[start + 1] ?? 0;
  let contentStart = start + 2;
  let length = firstLength;
  if (firstLength >= 0x80) {
    const octets = firstLength & 0x7f;
    if (octets === 0) throw invalid('an indefinite length is used');
    if (octets > 4) throw invalid('a length has more than four octets');
    contentStart += octets;
    if (contentStart > end) throw invalid('it is cut short');
    length = 0;
    for (let index = start + 2; index < contentStart; index++) length = length * 256 + (input[index] ?? 0);
    if (length < 0x80 || (octets > 1 && length < 256 ** (octets - 1))) {
      throw invalid('a length is not in its shortest form');
    }
  }
  const contentEnd = contentStart + length;
  if (contentEnd > end) throw invalid('it is cut short');
  const content = input.subarray(contentStart, contentEnd);
  let children = noChildren;
  if ((tag & 0x20) !== 0) {
    const inside: DerNode[] = [];
    children = inside;
    // X.690 §10.2: strings are primitive; of the universal types only SEQUENCE, SET (and EXTERNAL, PDV) are not.
    if ((tag & 0xc0) === 0 && tag !== tags.sequence && tag !== tags.set) throw invalid('a string is in pieces');
    let last = 0;
    for (let offset = state.isLeft?.({ tag, depth, before }) ? contentEnd : contentStart; offset < contentEnd; ) {
      const child = readElement(state, offset, contentEnd, depth + 1, last);
      inside.push(child);
      last = child.tag;
      offset += child.bytes.length;
    }
  } else if ((tag & 0xc0) === 0) {
    assertPrimitive(tag, content);
  }
  return { tag, bytes: input.subarray(start, contentEnd), content, children };
}

function assertPrimitive(tag: number, content: Uint8Array): void {
  const first = content[0];
  switch (tag) {
    case tags.boolean:
      if (content.length !== 1 || (first !== 0 && first !== 0xff)) throw invalid('a BOOLEAN is neither 00 nor FF');
      return;
    case tags.integer:
    case tags.enumerated: {
      if (first === undefined) throw invalid('an INTEGER is empty');
      const second = content[1];
      if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
        throw invalid('an INTEGER is not in its shortest form');
      }
      return;
    }
    case tags.bitString: {
      if (first === undefined || first > 7 || (content.length === 1 && first !== 0)) {
        throw invalid('a BIT STRING is malformed');
      }
      const last = content.at(-1) ?? 0;
      if (content.length > 1 && (last & ((1 << first) - 1)) !== 0) throw invalid('unused bits are not zero');
      return;
    }
    case tags.null:
      if (content.length !== 0) throw invalid('a NULL is not empty');
      return;
    case tags.oid:
      if (!isOidContent(content)) throw invalid('an OBJECT IDENTIFIER is malformed');
      return;
    case 0x10:
    case 0x11:
      throw invalid('a SEQUENCE or SET is primitive');
    default:
  }
}

function invalid(why: string): SigillumError {
  return new SigillumError('pki_der_invalid', `The bytes are not valid DER: ${why}.`);
}
