import type { ShownRectangle } from '../request/appearance-request.ts';
import type { PlacedText } from './placed-text.ts';

/** What is less than this part of the font size below the highest of a line belongs to it: raised and lowered letters too. */
const sameLine = 0.5;
/** A gap from which on it may be a space, and one that parts columns; in font sizes. */
const spaceGap = 0.12;
const columnGap = 3;
/** A character that is written twice at almost one place is bold. */
const sameCharacter = 0.15;
/** Height of a line above and below its base line, in font sizes. */
const ascent = 0.78;
const descent = 0.22;
/** Spellings of one character that people don't tell apart. */
const folded = new Map<string, string>([
  ['‘', "'"],
  ['’', "'"],
  ['ʼ', "'"],
  ['“', '"'],
  ['”', '"'],
  ['„', '"'],
  ['‐', '-'],
  ['‑', '-'],
  ['‒', '-'],
  ['–', '-'],
  ['—', '-'],
  ['−', '-'],
  ['\u00ad', '-'],
]);

type Gap = 'none' | 'maybe' | 'space' | 'column';
type Character = { readonly value: string; readonly gap: Gap; readonly from: PlacedText };
/** Text with its position along and across its direction. */
type Positioned = {
  readonly placed: PlacedText;
  readonly along: number;
  readonly across: number;
  readonly length: number;
  readonly size: number;
};

/**
 * Where a text stands on a page, in reading order: lines from top to bottom, upright ones first, each by its position and
 * not by the order of the content. Spaces are those that are written, or gaps as wide.
 */
export function findInLines(placed: readonly PlacedText[], text: string): readonly ShownRectangle[] {
  const wanted = splitText(text);
  if (wanted.length === 0) return [];
  return makeLines(placed).flatMap((line) => findInLine(line, wanted));
}

function splitText(text: string): { value: string; space: boolean }[] {
  const wanted: { value: string; space: boolean }[] = [];
  let space = false;
  for (const character of fold(text.trim())) {
    if (/\s/u.test(character)) space = true;
    else {
      wanted.push({ value: character, space });
      space = false;
    }
  }
  return wanted;
}

function makeLines(placed: readonly PlacedText[]): (readonly Positioned[])[] {
  const directions = new Map<number, Positioned[]>();
  for (const one of placed) {
    const size = Math.hypot(one.upX, one.upY);
    if (!(size > 0) || !Number.isFinite(one.x + one.y + size)) continue;
    // the base line's direction: a right angle from up, so that it is known for characters without a width too
    const angle = Math.round((Math.atan2(-one.upX, one.upY) * 180) / Math.PI);
    const [cos, sin] = [one.upY / size, -one.upX / size];
    const positioned = {
      placed: one,
      along: one.x * cos + one.y * sin,
      across: -one.x * sin + one.y * cos,
      length: one.dx * cos + one.dy * sin,
      size,
    };
    const direction = directions.get(angle);
    if (direction) direction.push(positioned);
    else directions.set(angle, [positioned]);
  }
  const angles = [...directions].sort(([a], [b]) => Math.abs(a) - Math.abs(b) || b - a);
  return angles.flatMap(([, members]) => splitLines(members));
}

function splitLines(members: Positioned[]): Positioned[][] {
  const sorted = members.sort((a, b) => b.across - a.across);
  const lines: Positioned[][] = [];
  let top = Number.NaN;
  for (const one of sorted) {
    const line = lines.at(-1);
    if (line && top - one.across <= sameLine * one.size) line.push(one);
    else {
      lines.push([one]);
      top = one.across;
    }
  }
  // the sort is stable: what stands at one place keeps the order of the content
  for (const line of lines) line.sort((a, b) => a.along - b.along);
  return lines;
}

function findInLine(
  line: readonly Positioned[],
  wanted: readonly { value: string; space: boolean }[],
): ShownRectangle[] {
  const characters = listCharacters(line);
  const found: ShownRectangle[] = [];
  for (let start = 0; start + wanted.length <= characters.length; start++) {
    if (!matches(characters, start, wanted)) continue;
    found.push(spanBox(characters.slice(start, start + wanted.length).map(({ from }) => from)));
    start += wanted.length - 1;
  }
  return found;
}

function matches(
  characters: readonly Character[],
  start: number,
  wanted: readonly { value: string; space: boolean }[],
): boolean {
  for (const [index, { value, space }] of wanted.entries()) {
    const character = characters[start + index];
    if (character?.value !== value) return false;
    if (index === 0) continue;
    const { gap } = character;
    if (gap === 'column' || (space ? gap === 'none' : gap === 'space')) return false;
  }
  return true;
}

function listCharacters(line: readonly Positioned[]): Character[] {
  const characters: Character[] = [];
  let written = false;
  let end = Number.NaN;
  let last: Positioned | undefined;
  for (const one of line) {
    const { text } = one.placed;
    if (last && text === last.placed.text && one.along - last.along < sameCharacter * one.size) continue;
    last = one;
    const distance = (one.along - end) / one.size;
    if (distance > columnGap) written = false;
    let gap: Gap = written ? 'space' : distance > columnGap ? 'column' : distance > spaceGap ? 'maybe' : 'none';
    for (const value of fold(text)) {
      if (/\s/u.test(value)) {
        written = true;
        continue;
      }
      characters.push({ value, gap, from: one.placed });
      gap = 'none';
      written = false;
    }
    end = Math.max(Number.isNaN(end) ? one.along : end, one.along + one.length);
  }
  return characters;
}

/** Compatibility decomposition: ligatures are their letters, and accents are characters of their own however they are written. */
function fold(text: string): string[] {
  return [...text.normalize('NFKD')].map((character) => folded.get(character) ?? character);
}

function spanBox(parts: readonly PlacedText[]): ShownRectangle {
  const points = parts.flatMap(({ x, y, dx, dy, upX, upY }) =>
    [0, 1].flatMap((along) =>
      [ascent, -descent].map((up) => [x + dx * along + upX * up, y + dy * along + upY * up] as const),
    ),
  );
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
