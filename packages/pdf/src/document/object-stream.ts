import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import type { PdfDict, PdfObject } from '../objects/pdf-object.ts';
import { findCount, isName, wrongType } from '../objects/take.ts';
import { createArraySource } from '../source/byte-source.ts';
import { ByteWindow } from '../source/byte-window.ts';
import { Lexer } from '../syntax/lexer.ts';
import { ObjectParser } from '../syntax/object-parser.ts';
import type { Spend } from '../syntax/read-indirect-object.ts';

/** A decoded object stream (ISO 32000-2 §7.5.7): values without `obj`, behind a list of their numbers and places. */
export class ObjectStream {
  /** The decoded data. */
  readonly bytes: Uint8Array;
  readonly #view: ByteWindow;
  readonly #numbers: Int32Array;
  readonly #offsets: Int32Array;

  /** @param resolve gives the value behind a reference, for `/N` and `/First` */
  constructor(dict: PdfDict, decoded: Uint8Array, resolve: (value: PdfObject) => PdfObject) {
    if (!isName(resolve(dict.find('Type') ?? null), 'ObjStm')) throw wrongType('An object stream', 'of type /ObjStm');
    const what = 'an object stream';
    const direct = dict.with({ N: resolve(dict.find('N') ?? null), First: resolve(dict.find('First') ?? null) });
    const count = findCount(direct, 'N', what);
    const first = findCount(direct, 'First', what);
    if (count === undefined || first === undefined || first > decoded.length) throw malformed();
    if (count > limits.objectStreamObjects) {
      throw new SigillumError(
        'pdf_limit_exceeded',
        `An object stream holds more than ${limits.objectStreamObjects} objects.`,
      );
    }
    this.bytes = decoded;
    this.#view = new ByteWindow(createArraySource(decoded));
    this.#numbers = new Int32Array(count);
    this.#offsets = new Int32Array(count);
    const lexer = new Lexer(new ByteWindow(createArraySource(decoded.subarray(0, first))), 0);
    for (let index = 0; index < count; index++) {
      const number = lexer.nextCount();
      const offset = lexer.nextCount();
      if (number < 0 || number > limits.objectNumber || offset < 0 || first + offset > decoded.length)
        throw malformed();
      this.#numbers[index] = number;
      this.#offsets[index] = first + offset;
    }
  }

  /** Where the object at an index begins; −1 when it isn't the one of that number. */
  find(index: number, number: number): number {
    return this.#numbers[index] === number ? (this.#offsets[index] ?? -1) : -1;
  }

  /**
   * The object at an index, which must have the number that the cross-reference section says.
   *
   * @param spend is told what it cost, whether it can be read or not
   */
  read(index: number, number: number, spend: Spend): PdfObject {
    const offset = this.#offsets[index];
    if (offset === undefined || this.#numbers[index] !== number) {
      throw new SigillumError(
        'pdf_object_misplaced',
        `The PDF says that object ${number} is in an object stream, but that stream holds another one there.`,
      );
    }
    const parser = new ObjectParser(this.#view, offset);
    try {
      return parser.parse();
    } finally {
      spend(parser.lexer.position - offset, parser.values);
    }
  }
}

function malformed(): SigillumError {
  return new SigillumError('pdf_stream_damaged', 'The list at the head of an object stream of the PDF is malformed.');
}
