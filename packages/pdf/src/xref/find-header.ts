import { SigillumError } from '@sigillum/errors';
import { limits } from '../limits.ts';
import type { ByteSource } from '../source/byte-source.ts';

export type Header = {
  /** Where `%PDF-` begins; 0 in a proper file. */
  readonly offset: number;
  /** As it stands there, e.g. `1.7`. The catalog's `/Version` may say more (ISO 32000-2 §7.5.2). */
  readonly version: string;
};

/** The first header within the first KiB (ISO 32000-1 annex H.3, note 13). */
export function findHeader(source: ByteSource): Header {
  const length = Math.min(source.size, limits.headerSearch + 16);
  const bytes = source.read(0, length);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const match = /%PDF-(\d\.\d{1,2})/.exec(text);
  if (match === null || match[1] === undefined || match.index > limits.headerSearch) {
    throw new SigillumError(
      'pdf_header_missing',
      'The file does not begin with %PDF-: it is not a PDF, or something was put before it.',
    );
  }
  return { offset: match.index, version: match[1] };
}
