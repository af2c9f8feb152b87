import type { FontStack } from '../font/font-stack.ts';

/**
 * Breaks lines at spaces so that none is wider than `width` thousandths of the font size; undefined when a word would have
 * to be broken and must not be. Words are measured one by one, so the work grows with the text and not with its tries.
 */
export function breakLines(
  fonts: FontStack,
  lines: readonly string[],
  width: number,
  breakWords: boolean,
): string[] | undefined {
  const space = fonts.shape(' ').width;
  const broken: string[] = [];
  for (const line of lines) {
    let current = '';
    let used = 0;
    for (const [word, isSpaced] of splitAtBreaks(line)) {
      const wordWidth = fonts.shape(word).width;
      const gap = isSpaced ? space : 0;
      if (current !== '' && used + gap + wordWidth <= width) {
        current += isSpaced ? ` ${word}` : word;
        used += gap + wordWidth;
        continue;
      }
      if (current !== '') broken.push(current);
      if (wordWidth > width && !breakWords) return undefined;
      const parts = wordWidth > width ? splitWord(fonts, word, width) : [word];
      broken.push(...parts.slice(0, -1));
      current = parts.at(-1) ?? '';
      used = fonts.shape(current).width;
    }
    broken.push(current);
  }
  return broken;
}

/** Between ideographs a line may end, though not before what closes or lengthens, nor after what opens (JIS X 4051). */
const betweenIdeographs =
  /(?<=[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}])(?<![\p{Ps}〝])(?=[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}])(?![\p{Pe}〟、。，．・：；？！ー々〻ゝゞヽヾぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ])/u;

/** The parts of a line between which it may be broken, and whether a space stands before each. */
function splitAtBreaks(line: string): (readonly [string, boolean])[] {
  return line
    .split(' ')
    .flatMap((word) => word.split(betweenIdeographs).map((part, index) => [part, index === 0] as const));
}

/** A word in parts that fit, none of them without a character; combining marks stay with theirs. */
function splitWord(fonts: FontStack, word: string, width: number): string[] {
  const parts: string[] = [];
  let current = '';
  let used = 0;
  for (const [character] of word.matchAll(/\P{M}\p{M}*|\p{M}+/gu)) {
    const characterWidth = fonts.shape(character).width;
    if (current !== '' && used + characterWidth > width) {
      parts.push(current);
      current = '';
      used = 0;
    }
    current += character;
    used += characterWidth;
  }
  return [...parts, current];
}
