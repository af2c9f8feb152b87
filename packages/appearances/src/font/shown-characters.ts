/**
 * Scripts that are written from left to right, a character beside the other. By the scripts that a character is used with:
 * an Arabic comma belongs to Arabic, though Unicode calls it common.
 */
const plainScripts = [
  'Common Inherited Latin Greek Cyrillic Armenian Georgian Coptic Cherokee Canadian_Aboriginal Ethiopic Braille Runic',
  'Ogham Gothic Glagolitic Deseret Shavian Tifinagh Vai Lisu Ol_Chiki Yi Han Hiragana Katakana Bopomofo Hangul',
].flatMap((line) => line.split(' '));
const plain = new RegExp(`^[${plainScripts.map((name) => `\\p{scx=${name}}`).join('')}]$`, 'u');

/** Parts of Korean syllables, and what joins Tifinagh letters: they would have to be put together. */
const joining = /^(?:[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]|\u2d7f)$/u;

/** Format characters could turn the text round, so that it reads as something else. */
const hidden = /^[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Variation_Selector}]$/u;

/** Scripts in use today whose letters change their order or their form beside each other, for errors to name. */
const shapedScripts = [
  'Hebrew Arabic Syriac Thaana Nko Adlam Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam',
  'Sinhala Thai Lao Tibetan Myanmar Khmer Mongolian Javanese Balinese',
]
  .flatMap((line) => line.split(' '))
  .map((name) => [name, new RegExp(`^\\p{scx=${name}}$`, 'u')] as const);

/** Why a character is not shown whatever the font: undefined when it may be shown. */
export function findObstacle(character: string): 'hidden' | 'script' | undefined {
  if (hidden.test(character)) return 'hidden';
  return joining.test(character) || !plain.test(character) ? 'script' : undefined;
}

/** The script of a character that {@link findObstacle} says `script` of; undefined for one that isn't known by name here. */
export function nameScript(character: string): string | undefined {
  if (joining.test(character)) return character === '\u2d7f' ? 'Tifinagh joiners' : 'Hangul jamo';
  return shapedScripts.find(([, belongs]) => belongs.test(character))?.[0];
}
