import { SigillumError } from '@sigillum/errors';
import type { JsonValue } from './json-value.ts';

/** Events are flat; deeper is a mistake, and recursion needs an end. */
const maxDepth = 32;

/**
 * The one way to write a JSON value as bytes (RFC 8785, UTF-8).
 * @throws SigillumError `audit_event_invalid` for what JSON or I-JSON can't say: NaN, infinities, lone surrogates,
 * `undefined`, functions, instances of classes, more than 32 levels.
 */
export function canonicalJson(value: JsonValue): Uint8Array {
  return new TextEncoder().encode(writeCanonicalJson(value));
}

/** {@link canonicalJson} as text, for who puts it into a larger one. */
export function writeCanonicalJson(value: JsonValue): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > maxDepth) throw refuse('has more than 32 levels');
  switch (typeof value) {
    case 'string':
      return writeString(value);
    case 'boolean':
      return String(value);
    case 'number':
      // RFC 8785 §3.2.2.3: ECMAScript's own formatting, in which -0 is 0.
      if (!Number.isFinite(value)) throw refuse('holds a number that is not finite');
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
    default:
      throw refuse(`holds a value of type ${typeof value}`);
  }
}

/** Printable ASCII without quote and backslash, as nearly all of our strings are: nothing to escape, nothing to refuse. */
const plain = /^[ !#-[\]-~]*$/;

/** RFC 8785 §3.2.2.2: the escapes of ECMAScript; a lone surrogate is an error. */
function writeString(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw refuse('holds a lone surrogate');
  return JSON.stringify(text);
}

function writeArray(items: readonly unknown[], depth: number): string {
  // Array.from, because map would skip the holes of a sparse array.
  return `[${Array.from(items, (item) => write(item, depth + 1)).join(',')}]`;
}

function writeObject(object: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(object);
  // Plain objects only, of any realm; a Map or Date would become {} in silence.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw refuse('holds an instance of a class');
  if ('toJSON' in object && typeof object.toJSON === 'function') throw refuse('holds an object with its own toJSON');
  const members = object as Readonly<Record<string, unknown>>;
  let text = '';
  // RFC 8785 §3.2.3: by UTF-16 code units, which is how ECMAScript sorts strings.
  for (const key of Object.keys(members).sort()) {
    text += `${text === '' ? '' : ','}${writeString(key)}:${write(members[key], depth + 1)}`;
  }
  return `{${text}}`;
}

function refuse(what: string): SigillumError {
  return new SigillumError('audit_event_invalid', `The event ${what}, which canonical JSON can't say.`);
}
