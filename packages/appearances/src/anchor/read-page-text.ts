import { findInherited, isPdfArray, type Page, PdfDict, type PdfDocument, PdfRef, PdfStream } from '@sigillum/pdf';
import { identity, type Matrix, multiply } from '../place/matrix.ts';
import { anchorLimits as limits } from './anchor-limits.ts';
import { ContentLexer, type Operand } from './content-lexer.ts';
import { type Budget, decodeContent, spend } from './decode-content.ts';
import { findName, findNumbers } from './font-values.ts';
import { HiddenLayers } from './hidden-layers.ts';
import { listAnnotationForms } from './list-annotation-forms.ts';
import { TextState } from './text-state.ts';
import { readTextFont } from './read-text-font.ts';
import type { FontKnowledge, TextFont } from './text-font.ts';
import type { PlacedText } from './placed-text.ts';

/** What reading a font costs, and each of its widths and mappings, in bytes of content. */
const fontCost = 1024;
const entryCost = 8;
/** What looking at an annotation costs. */
const annotationCost = 256;

/** Reads pages of one document; fonts are read once, and what it costs is counted over all pages. */
export class PageTextReader {
  readonly #document: PdfDocument;
  readonly #knowledge: FontKnowledge;
  readonly #fonts = new Map<number | PdfDict, TextFont>();
  readonly #codes = { left: 0 };
  readonly #layers: HiddenLayers;
  readonly #budget: Budget = { bytes: limits.bytes, pageBytes: 0 };

  constructor(document: PdfDocument, knowledge: FontKnowledge) {
    this.#document = document;
    this.#knowledge = knowledge;
    this.#layers = new HiddenLayers(document);
  }

  /**
   * Every piece of text that the content of a page shows, form XObjects included (ISO 32000-2 §9.4), in the order of the
   * content, and then what its form fields and other annotations show. Invisible text counts: scanned pages have theirs
   * behind the picture. Text on layers that are switched off doesn't.
   *
   * @param toShown from default user space to where the text's position is wanted
   */
  read(page: Page, toShown: Matrix): readonly PlacedText[] {
    this.#budget.pageBytes = limits.pageBytes;
    this.#codes.left = limits.pageCodes;
    const resources = findInherited(this.#document, page, 'Resources');
    const placed: PlacedText[] = [];
    this.#run(this.#readContents(page.dict), toShown, resources instanceof PdfDict ? resources : undefined, placed, 0);
    for (const annotation of listAnnotationForms(this.#document, page)) {
      spend(this.#budget, annotationCost);
      if (annotation && !this.#layers.isHidden(annotation.layer))
        this.#runForm(annotation.form, multiply(annotation.toUser, toShown), undefined, placed, 1);
    }
    return placed;
  }

  /** §7.8.2: the streams of a page are one, as if white space stood between them. */
  #readContents(page: PdfDict): Uint8Array {
    const contents = this.#document.find(page, 'Contents');
    const streams = isPdfArray(contents) ? contents.map((one) => this.#document.resolve(one)) : [contents];
    const parts: Uint8Array[] = [];
    for (const stream of streams) {
      if (stream instanceof PdfStream)
        parts.push(decodeContent(this.#document, stream, this.#budget), Uint8Array.of(0x0a));
    }
    return new Uint8Array(Buffer.concat(parts));
  }

  #run(content: Uint8Array, ctm: Matrix, resources: PdfDict | undefined, placed: PlacedText[], depth: number): void {
    const lexer = new ContentLexer(content);
    const state = new TextState(ctm, placed, this.#codes);
    // marked content in each other, and at which depth a layer began that isn't shown (§8.11.3.2)
    let marks = 0;
    let hidden: { readonly mark: number; readonly placed: number } | undefined;
    for (let operation = lexer.next(); operation; operation = lexer.next()) {
      const { operator, operands } = operation;
      if (operator === 'Tf') {
        const [font, size] = operands;
        state.setFont(this.#findFont(resources, toName(font)), typeof size === 'number' ? size : 0);
      } else if (operator === 'gs') this.#setByState(state, resources, toName(operands[0]));
      else if (operator === 'Do') {
        const form = this.#findResource(resources, 'XObject', toName(operands[0]));
        if (form instanceof PdfStream && findName(this.#document, form.dict, 'Subtype') === 'Form') {
          this.#runForm(form, state.ctm, resources, placed, depth + 1);
        }
      } else if (operator === 'BMC' || operator === 'BDC') {
        marks++;
        if (hidden === undefined && this.#beginsHidden(resources, operands))
          hidden = { mark: marks, placed: placed.length };
      } else if (operator === 'EMC') {
        if (hidden?.mark === marks) {
          placed.length = hidden.placed;
          hidden = undefined;
        }
        marks = Math.max(0, marks - 1);
      } else state.apply(operator, operands);
    }
    if (hidden !== undefined) placed.length = hidden.placed;
  }

  #beginsHidden(resources: PdfDict | undefined, [tag, properties]: readonly Operand[]): boolean {
    if (toName(tag) !== 'OC') return false;
    const lists = resources && this.#document.find(resources, 'Properties');
    return lists instanceof PdfDict && this.#layers.isHidden(lists.find(toName(properties)));
  }

  #runForm(form: PdfStream, ctm: Matrix, outer: PdfDict | undefined, placed: PlacedText[], depth: number): void {
    if (depth > limits.formDepth || this.#layers.isHidden(form.dict.find('OC'))) return;
    const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = findNumbers(this.#document, form.dict, 'Matrix') ?? identity;
    const own = this.#document.find(form.dict, 'Resources');
    const content = decodeContent(this.#document, form, this.#budget);
    this.#run(content, multiply([a, b, c, d, e, f], ctm), own instanceof PdfDict ? own : outer, placed, depth);
  }

  /** §8.4.5: a graphics state dictionary may set the font. */
  #setByState(state: TextState, resources: PdfDict | undefined, name: string): void {
    const dict = this.#findResource(resources, 'ExtGState', name);
    const font = dict instanceof PdfDict ? this.#document.find(dict, 'Font') : undefined;
    if (!isPdfArray(font)) return;
    const size = this.#document.resolve(font[1] ?? null);
    state.setFont(this.#readFont(font[0] ?? null), typeof size === 'number' ? size : 0);
  }

  #findResource(resources: PdfDict | undefined, kind: string, name: string) {
    const dict = resources && this.#document.find(resources, kind);
    return dict instanceof PdfDict ? this.#document.find(dict, name) : undefined;
  }

  #findFont(resources: PdfDict | undefined, name: string): TextFont | undefined {
    const fonts = resources && this.#document.find(resources, 'Font');
    return fonts instanceof PdfDict ? this.#readFont(fonts.find(name) ?? null) : undefined;
  }

  #readFont(value: Parameters<PdfDocument['resolve']>[0]): TextFont | undefined {
    const dict = this.#document.resolve(value);
    if (!(dict instanceof PdfDict)) return undefined;
    const key = value instanceof PdfRef ? value.number : dict;
    const known = this.#fonts.get(key);
    if (known) return known;
    const font = readTextFont(this.#document, dict, this.#knowledge, this.#budget);
    // more fonts than are kept may be read again and again
    spend(this.#budget, fontCost + font.entries * entryCost);
    const oldest = this.#fonts.keys().next();
    if (this.#fonts.size >= limits.fonts && !oldest.done) this.#fonts.delete(oldest.value);
    this.#fonts.set(key, font);
    return font;
  }
}

function toName(operand: Operand | undefined): string {
  return operand !== null && typeof operand === 'object' && 'name' in operand ? operand.name : '';
}
