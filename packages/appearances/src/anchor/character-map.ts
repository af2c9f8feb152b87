import { anchorLimits as limits } from './anchor-limits.ts';
import { ContentLexer, type Operand } from './content-lexer.ts';

/** A CMap (ISO 32000-2 §9.7.5, §9.10.3): the lengths of its codes, and what they are mapped to. */
export type CharacterMap = {
  /** Lowest and highest code of each length in bytes. */
  readonly spaces: readonly { readonly length: number; readonly low: number; readonly high: number }[];
  readonly texts: ReadonlyMap<number, string>;
  readonly cids: ReadonlyMap<number, number>;
};

/** Reads both kinds of CMap, to Unicode and to CIDs; what is malformed in it is left out. */
export function readCharacterMap(bytes: Uint8Array): CharacterMap {
  const spaces: { length: number; low: number; high: number }[] = [];
  const texts = new Map<number, string>();
  const cids = new Map<number, number>();
  const lexer = new ContentLexer(bytes);
  for (let operation = lexer.next(); operation; operation = lexer.next()) {
    const { operator, operands } = operation;
    switch (operator) {
      case 'endcodespacerange':
        for (const [low, high] of group(operands, 2)) {
          if (!(low instanceof Uint8Array && high instanceof Uint8Array)) continue;
          if (low.length > 0 && low.length <= 4 && spaces.length < limits.codeSpaces)
            spaces.push({ length: low.length, low: toCode(low), high: toCode(high) });
        }
        break;
      case 'endbfchar':
        for (const [code, text] of group(operands, 2)) {
          if (code instanceof Uint8Array && text instanceof Uint8Array) put(texts, toCode(code), decodeUtf16(text));
        }
        break;
      case 'endbfrange':
        for (const [low, high, to] of group(operands, 3)) addTextRange(texts, low, high, to);
        break;
      case 'endcidchar':
        for (const [code, cid] of group(operands, 2)) {
          if (code instanceof Uint8Array && typeof cid === 'number') put(cids, toCode(code), cid);
        }
        break;
      case 'endcidrange':
        for (const [low, high, cid] of group(operands, 3)) {
          if (!(low instanceof Uint8Array && high instanceof Uint8Array && typeof cid === 'number')) continue;
          const start = toCode(low);
          for (let code = start; code <= toCode(high) && cids.size < limits.mappings; code++)
            put(cids, code, cid + code - start);
        }
        break;
      default:
    }
  }
  return { spaces, texts, cids };
}

function addTextRange(
  texts: Map<number, string>,
  low: Operand | undefined,
  high: Operand | undefined,
  to: Operand | undefined,
): void {
  if (!(low instanceof Uint8Array && high instanceof Uint8Array)) return;
  const start = toCode(low);
  const end = toCode(high);
  if (Array.isArray(to)) {
    for (const [index, text] of to.entries()) {
      if (text instanceof Uint8Array && start + index <= end) put(texts, start + index, decodeUtf16(text));
    }
  } else if (to instanceof Uint8Array && to.length >= 2) {
    const text = decodeUtf16(to);
    const last = text.codePointAt(text.length - 1) ?? 0;
    for (let code = start; code <= end && texts.size < limits.mappings; code++) {
      const point = last + code - start;
      if (point > 0xffff) break;
      put(texts, code, text.slice(0, -1) + String.fromCharCode(point));
    }
  }
}

function put<Value>(map: Map<number, Value>, code: number, value: Value): void {
  if (map.size < limits.mappings) map.set(code, value);
}

function group(operands: readonly Operand[], size: number): (readonly Operand[])[] {
  return Array.from({ length: Math.floor(operands.length / size) }, (_, index) =>
    operands.slice(index * size, (index + 1) * size),
  );
}

function toCode(bytes: Uint8Array): number {
  return bytes.subarray(0, 4).reduce((code, byte) => code * 256 + byte, 0);
}

function decodeUtf16(bytes: Uint8Array): string {
  return new TextDecoder('utf-16be', { ignoreBOM: true }).decode(bytes.subarray(0, limits.codeText * 2));
}
