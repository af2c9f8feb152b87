import { readFile, stat } from 'node:fs/promises';
import { type AddedFont, AppearanceFonts, fontLimits, locateFontFiles } from '@sigillum/appearances';
import { SigillumError } from '@sigillum/errors';

/**
 * The fonts of visible seals that are made here, as the service opens its own.
 * @throws SigillumError `config_invalid` with a sentence that names the file
 */
export async function openFonts(added: readonly string[]): Promise<AppearanceFonts> {
  const files = locateFontFiles();
  const [regular, bold, ...more] = await Promise.all([
    readFile(files.regular),
    readFile(files.bold),
    ...added.slice(0, fontLimits.files + 1).map(readFont),
  ]);
  return new AppearanceFonts({ regular, bold, added: more });
}

async function readFont(path: string): Promise<AddedFont> {
  try {
    // too large a one isn't read, and is refused by its size
    const { size } = await stat(path);
    return {
      name: path,
      bytes: size > fontLimits.bytes ? new Uint8Array(fontLimits.bytes + 1) : await readFile(path),
    };
  } catch (cause) {
    throw new SigillumError('config_invalid', `The font ${path} can't be read.`, { cause });
  }
}
