import type { FontFace } from '../font/font-face.ts';

/**
 * Breaks lines at spaces so that none is wider than `width` thousandths of the font size; undefined when a word would have
 * to be broken and must not be. Words are measured one by one, so the work grows with the text and not with its tries.
 */
export function breakLines(
  face: FontFace,
  lines: readonly string[],
  width: number,
  breakWords: boolean,
): string[] | undefined {
  const space = face.shape(' ').width;
  const broken: string[] = [];
  for (const line of lines) {
    let current = '';
    let used = 0;
    for (const word of line.split(' ')) {
      const wordWidth = face.shape(word).width;
      if (current !== '' && used + space + wordWidth <= width) {
        current += ` ${word}`;
        used += space + wordWidth;
        continue;
      }
      if (current !== '') broken.push(current);
      if (wordWidth > width && !breakWords) return undefined;
      const parts = wordWidth > width ? splitWord(face, word, width) : [word];
      broken.push(...parts.slice(0, -1));
      current = parts.at(-1) ?? '';
      used = face.shape(current).width;
    }
    broken.push(current);
  }
  return broken;
}

/** A word in parts that fit, none of them without a character; combining marks stay with theirs. */
function splitWord(face: FontFace, word: string, width: number): string[] {
  const parts: string[] = [];
  let current = '';
  let used = 0;
  for (const [character] of word.matchAll(/\P{M}\p{M}*|\p{M}+/gu)) {
    const characterWidth = face.shape(character).width;
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
