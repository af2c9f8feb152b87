import { limits } from '../limits.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { ByteWindow } from '../source/byte-window.ts';
import { ObjectParser } from '../syntax/object-parser.ts';

/** Where a value stands: offset of its first byte and of the one after its last. */
export type ValueSpan = { readonly start: number; readonly end: number };

/**
 * Where the values of the dictionary stand that is the indirect object at an offset, by key; a key that comes twice has its
 * first place. Undefined when there is something else. Throws what the parser throws.
 */
export function locateDictValues(source: ByteSource, offset: number): ReadonlyMap<string, ValueSpan> | undefined {
  const parser = new ObjectParser(new ByteWindow(source), offset);
  const { lexer } = parser;
  if (lexer.nextCount() < 0 || lexer.nextCount() < 0 || !lexer.nextIs('obj')) return undefined;
  if (lexer.next() !== 'dict-open') return undefined;
  const spans = new Map<string, ValueSpan>();
  for (let keys = 0; keys < limits.objectValues; keys++) {
    if (lexer.next() !== 'name') return spans;
    const key = lexer.text;
    lexer.skipWhiteSpace();
    const start = lexer.position;
    parser.parse();
    if (!spans.has(key)) spans.set(key, { start, end: lexer.position });
  }
  return spans;
}
