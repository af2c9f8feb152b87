import { readFileSync, statSync } from 'node:fs';
import { type AddedFont, AppearanceFonts, fontLimits, locateFontFiles } from '@sigillum/appearances';
import { SigillumError } from '@sigillum/errors';

/**
 * The fonts of visible seals: those that lie in a package of the tree, and those that were added.
 * @throws SigillumError `config_invalid` with a sentence that names the file
 */
export function openFonts(added: readonly string[]): AppearanceFonts {
  const { regular, bold } = locateFontFiles();
  return new AppearanceFonts({
    regular: readFileSync(regular),
    bold: readFileSync(bold),
    added: added.map(readFont),
  });
}

function readFont(path: string): AddedFont {
  try {
    // too large a one isn't read, and is refused by its size
    const { size } = statSync(path);
    return { name: path, bytes: size > fontLimits.bytes ? new Uint8Array(fontLimits.bytes + 1) : readFileSync(path) };
  } catch (cause) {
    throw new SigillumError('config_invalid', `The font ${path} can't be read.`, { cause });
  }
}
