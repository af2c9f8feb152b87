import { expect, test } from '@jest/globals';
import { openFonts } from './open-fonts.ts';

test('A font that is not there or is no font ends the start, by a sentence that names it', () => {
  expect(() => openFonts([])).not.toThrow();
  for (const [path, message] of [
    ['/nowhere/font.ttf', "The font /nowhere/font.ttf can't be read."],
    [import.meta.filename, `The font ${import.meta.filename} is not a TrueType file.`],
  ] as const) {
    expect(() => openFonts([path])).toThrow(expect.objectContaining({ code: 'config_invalid', message }));
  }
});
