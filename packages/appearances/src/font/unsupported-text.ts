import { SigillumError } from '@sigillum/errors';
import type { FontStack } from './font-stack.ts';
import { findObstacle, nameScript } from './shown-characters.ts';

/** Characters that an error names. */
const named = 10;

/** Says of a text what can't be shown of it, why not, and what to do about it. */
export function unsupportedText(
  characters: readonly string[],
  fonts: FontStack,
  pointer: '/title' | '/text',
): SigillumError {
  const by = (why: ReturnType<typeof findObstacle>) => characters.filter((one) => findObstacle(one) === why);
  const [hidden, script, missing] = [by('hidden'), by('script'), by(undefined)];
  const sentences: string[] = [];
  if (script.length > 0) {
    const scripts = [...new Set(script.map((one) => nameScript(one) ?? 'another such script'))];
    sentences.push(
      `Text that is written from right to left or whose letters join is not set (${scripts.join(', ')}): ${list(script)}.`,
    );
  }
  if (hidden.length > 0) sentences.push(`Characters that can not be seen are refused: ${list(hidden)}.`);
  if (missing.length > 0) {
    sentences.push(
      `The fonts of visible seals (${fonts.faces.map(({ name }) => name).join(', ')}) lack ${list(missing)}; add a TrueType font that has them: fonts in the service's configuration, and for a seal made locally fonts of the SDK or --font.`,
    );
  }
  if (pointer === '/title') {
    sentences.push("This is the title: the signer's name, unless the appearance has a title of its own.");
  }
  return new SigillumError('appearance_text_unsupported', sentences.join(' '), {
    fields: [{ pointer, detail: `has characters that can not be shown: ${list(characters)}` }],
  });
}

function list(characters: readonly string[]): string {
  const shown = characters.slice(0, named).map((character) => {
    const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    return /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character) ? `${character} (${code})` : code;
  });
  return `${shown.join(', ')}${characters.length > shown.length ? ', …' : ''}`;
}
