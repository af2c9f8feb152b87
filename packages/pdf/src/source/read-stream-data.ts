import { SigillumError } from '@sigillum/errors';
import { isWhiteSpace } from '../syntax/characters.ts';
import type { ByteWindow } from './byte-window.ts';

/** White space between the data of a stream and `endstream`: one end of line by the standard, some writers put more. */
const longestGap = 64;

/** The raw bytes of a stream; `endstream` must follow them, white space apart (ISO 32000-2 §7.3.8.1). */
export function readStreamData(window: ByteWindow, offset: number, length: number): Uint8Array {
  const end = offset + length;
  if (end > window.size) throw damaged(offset);
  let position = end;
  while (position < end + longestGap && isWhiteSpace(window.at(position))) position++;
  for (const [index, character] of [...'endstream'].entries()) {
    if (window.at(position + index) !== character.charCodeAt(0)) throw damaged(offset);
  }
  return window.source.read(offset, length);
}

function damaged(offset: number): SigillumError {
  return new SigillumError(
    'pdf_stream_damaged',
    `The stream at byte ${offset} of the PDF does not end where its length says.`,
  );
}
