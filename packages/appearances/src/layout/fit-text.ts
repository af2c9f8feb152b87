import { SigillumError } from '@sigillum/errors';
import type { FontStack } from '../font/font-stack.ts';
import { appearanceLimits as limits } from '../request/appearance-limits.ts';
import { breakLines } from './break-lines.ts';

/** Size of a title, and what stands between it and the text, in sizes of the text. */
const titleScale = 1.2;
const titleGap = 0.25;
/** From one base line to the next, in font sizes. */
const leading = 1.28;
/** Height above and below the base line that letters need, accents on capitals apart, in font sizes. */
const above = 0.78;
const below = 0.22;
/** Lines that aren't broken are preferred while they cost no more than this part of the size. */
const unbrokenWorth = 0.8;

export type TextLine = {
  readonly font: 'regular' | 'bold';
  readonly size: number;
  readonly text: string;
  readonly y: number;
};
/** Lines with their base lines, counted downwards from the block's top. */
export type TextBlock = { readonly lines: readonly TextLine[]; readonly height: number };

export type TextToFit = {
  readonly title: readonly string[];
  readonly text: readonly string[];
  readonly stacks: { readonly regular: FontStack; readonly bold: FontStack };
  readonly fontSize: number | undefined;
};

/**
 * Text in a box of the given size: in the font size asked for, or the largest that fits. Words are broken only when there
 * is no other way.
 *
 * @throws SigillumError `appearance_text_too_long`
 */
export function fitText(text: TextToFit, width: number, height: number): TextBlock {
  const sizes = text.fontSize === undefined ? listSizes() : [text.fontSize];
  const tryAll = (breakWords: boolean): TextBlock | undefined => {
    for (const size of sizes) {
      const block = setText(text, size, width, breakWords);
      if (block && block.height <= height + 0.01) return preferUnbroken(text, size, block, width, height);
    }
    return undefined;
  };
  const block = tryAll(false) ?? tryAll(true);
  if (block) return block;
  const advice = text.fontSize === undefined ? 'a larger rectangle' : 'a larger rectangle or a smaller font size';
  throw new SigillumError(
    'appearance_text_too_long',
    `The text of the seal does not fit into its rectangle; give it ${advice}.`,
    {
      fields: [{ pointer: '/text', detail: 'does not fit into the rectangle' }],
    },
  );
}

/** Largest first. */
function listSizes(): number[] {
  const { min, max } = limits.fit;
  return Array.from({ length: (max - min) * 4 + 1 }, (_, step) => max - step / 4);
}

function preferUnbroken(text: TextToFit, size: number, block: TextBlock, width: number, height: number): TextBlock {
  const wanted = text.title.length + text.text.length;
  if (block.lines.length === wanted || text.fontSize !== undefined) return block;
  for (const smaller of listSizes()) {
    if (smaller >= size || smaller < size * unbrokenWorth) continue;
    const unbroken = setText(text, smaller, width, false);
    if (unbroken?.lines.length === wanted && unbroken.height <= height) return unbroken;
  }
  return block;
}

function setText(text: TextToFit, size: number, width: number, breakWords: boolean): TextBlock | undefined {
  const titleSize = size * titleScale;
  const title = breakLines(text.stacks.bold, text.title, (width / titleSize) * 1000, breakWords);
  const body = breakLines(text.stacks.regular, text.text, (width / size) * 1000, breakWords);
  if (!title || !body) return undefined;
  const lines: TextLine[] = [];
  let y = 0;
  for (const [index, line] of title.entries()) {
    y += index === 0 ? above * titleSize : leading * titleSize;
    lines.push({ font: 'bold', size: titleSize, text: line, y });
  }
  for (const [index, line] of body.entries()) {
    const first = index === 0;
    y += first && title.length > 0 ? (leading + titleGap) * size : first ? above * size : leading * size;
    lines.push({ font: 'regular', size, text: line, y });
  }
  return { lines, height: y + below * (lines.at(-1)?.size ?? 0) };
}
