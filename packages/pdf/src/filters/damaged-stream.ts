import { SigillumError } from '@sigillum/errors';

/** The error of a stream that its filter can't decode. */
export function damagedStream(how: string, cause?: unknown): SigillumError {
  return new SigillumError('pdf_stream_damaged', `A stream that the PDF needs ${how}.`, { cause });
}
