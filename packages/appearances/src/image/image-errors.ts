import { SigillumError } from '@sigillum/errors';
import { appearanceLimits as limits } from '../request/appearance-limits.ts';

const fields = (detail: string) => ({ fields: [{ pointer: '/image', detail }] });

export function damaged(what: string): SigillumError {
  return new SigillumError('appearance_image_damaged', `The image of the seal is damaged: ${what}.`, fields(what));
}

export function unsupported(what: string): SigillumError {
  return new SigillumError(
    'appearance_image_unsupported',
    `The image of the seal can't be shown: ${what}.`,
    fields(what),
  );
}

export function assertImageBytes(bytes: number): void {
  if (bytes > limits.imageBytes) throw tooLarge(`it has more than ${limits.imageBytes} bytes`);
}

/** Refuses by the header, before anything is decoded. */
export function assertImageSize(width: number, height: number): void {
  if (width < 1 || height < 1) throw damaged('it has no pixels');
  if (width > limits.imageSide || height > limits.imageSide || width * height > limits.imagePixels) {
    throw tooLarge(
      `it has ${width} × ${height} pixels, more than ${limits.imagePixels} altogether or ${limits.imageSide} a side`,
    );
  }
}

function tooLarge(what: string): SigillumError {
  return new SigillumError('appearance_image_too_large', `The image of the seal is too large: ${what}.`, fields(what));
}
