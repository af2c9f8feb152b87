import { identity, type Matrix, multiply } from '../place/matrix.ts';
import { tooMuch } from './anchor-errors.ts';
import { anchorLimits as limits } from './anchor-limits.ts';
import type { Operand } from './content-lexer.ts';
import type { PlacedText } from './placed-text.ts';
import type { TextFont } from './text-font.ts';

/** What q saves (ISO 32000-2 tables 51 and 102), as far as text needs it. */
type Saved = {
  ctm: Matrix;
  font: TextFont | undefined;
  size: number;
  characterSpacing: number;
  wordSpacing: number;
  scale: number;
  leading: number;
  rise: number;
};

/** Follows the operators that move and show text (ISO 32000-2 §9.3, §9.4), and notes where each character comes to stand. */
export class TextState {
  readonly #placed: PlacedText[];
  readonly #codes: { left: number };
  readonly #stack: Saved[] = [];
  #now: Saved;
  #text: Matrix = identity;
  #line: Matrix = identity;

  /** @param codes how many character codes may still be shown */
  constructor(ctm: Matrix, placed: PlacedText[], codes: { left: number }) {
    this.#placed = placed;
    this.#codes = codes;
    this.#now = { ctm, font: undefined, size: 0, characterSpacing: 0, wordSpacing: 0, scale: 1, leading: 0, rise: 0 };
  }

  get ctm(): Matrix {
    return this.#now.ctm;
  }

  setFont(font: TextFont | undefined, size: number): void {
    this.#now.font = font;
    this.#now.size = size;
  }

  apply(operator: string, operands: readonly Operand[]): void {
    const number = (index: number): number => {
      const value = operands[index];
      return typeof value === 'number' ? value : 0;
    };
    const matrix = (): Matrix => [number(0), number(1), number(2), number(3), number(4), number(5)];
    switch (operator) {
      case 'q':
        if (this.#stack.length < limits.states) this.#stack.push({ ...this.#now });
        break;
      case 'Q':
        this.#now = this.#stack.pop() ?? this.#now;
        break;
      case 'cm':
        this.#now.ctm = multiply(matrix(), this.#now.ctm);
        break;
      case 'BT':
        this.#text = this.#line = identity;
        break;
      case 'Tc':
        this.#now.characterSpacing = number(0);
        break;
      case 'Tw':
        this.#now.wordSpacing = number(0);
        break;
      case 'Tz':
        this.#now.scale = number(0) / 100;
        break;
      case 'TL':
        this.#now.leading = number(0);
        break;
      case 'Ts':
        this.#now.rise = number(0);
        break;
      case 'Td':
        this.#moveLine(number(0), number(1));
        break;
      case 'TD':
        this.#now.leading = -number(1);
        this.#moveLine(number(0), number(1));
        break;
      case 'Tm':
        this.#text = this.#line = matrix();
        break;
      case 'T*':
        this.#moveLine(0, -this.#now.leading);
        break;
      case 'Tj':
        this.#show(operands[0]);
        break;
      case "'":
        this.#moveLine(0, -this.#now.leading);
        this.#show(operands[0]);
        break;
      case '"':
        this.#now.wordSpacing = number(0);
        this.#now.characterSpacing = number(1);
        this.#moveLine(0, -this.#now.leading);
        this.#show(operands[2]);
        break;
      case 'TJ':
        this.#showAll(operands[0]);
        break;
      default:
    }
  }

  #moveLine(x: number, y: number): void {
    this.#text = this.#line = multiply([1, 0, 0, 1, x, y], this.#line);
  }

  #showAll(list: Operand | undefined): void {
    if (!Array.isArray(list)) return;
    const { size, scale } = this.#now;
    for (const item of list as readonly Operand[]) {
      if (typeof item === 'number') this.#advance((-item / 1000) * size * scale);
      else this.#show(item);
    }
  }

  #show(bytes: Operand | undefined): void {
    const { font, size, scale, rise, characterSpacing, wordSpacing, ctm } = this.#now;
    if (!font || !(bytes instanceof Uint8Array)) return;
    const shown = font.decode(bytes);
    this.#codes.left -= shown.length;
    if (this.#codes.left < 0) throw tooMuch(`more than ${limits.pageCodes} characters on a page`);
    for (const { text, width, isSpace } of shown) {
      const [a, b, c, d, e, f] = multiply(multiply([size * scale, 0, 0, size, 0, rise], this.#text), ctm);
      if (text !== '') {
        this.#placed.push({ text, x: e, y: f, dx: a * width, dy: b * width, upX: c, upY: d });
      }
      this.#advance((width * size + characterSpacing + (isSpace ? wordSpacing : 0)) * scale);
    }
  }

  #advance(x: number): void {
    this.#text = multiply([1, 0, 0, 1, x, 0], this.#text);
  }
}
