import { SigillumError } from '@sigillum/errors';
import { limits, openPdf } from '@sigillum/pdf';
import { addValidationData } from '../extend/add-validation-data.ts';
import { appendToInput } from '../extend/append-to-input.ts';
import { prepareDocumentTimeStamp } from '../extend/prepare-document-time-stamp.ts';
import type { PrepareInput } from '../prepare/prepare-input.ts';
import type { PreparedSignature } from '../prepare/prepared-signature.ts';
import { isAtLeast, type SealLevel } from './seal-level.ts';

/** Object numbers that must be left: validation data of three chains takes some twenty. */
const spareNumbers = 1024;

const nothing = (length: number): Uint8Array => new Uint8Array(length);
const rehearsed = { certificates: [Uint8Array.of(0)], crls: [], ocsps: [] };

/**
 * Goes through the updates that a level asks for behind the signature, with nothing in them: what of the file forbids or
 * prevents them must come out before a key signs and an authority time-stamps. The last one is that of a document time-stamp
 * by another authority than that of the signature.
 *
 * @throws SigillumError `pdf_*`: what can't be read, is not permitted, or has no room for them
 */
export function assertLevelReachable(
  { source, prefixHash: { algorithm } }: PrepareInput,
  prepared: PreparedSignature,
  level: SealLevel,
): void {
  if (!isAtLeast(level, 'b-lt')) return;
  // nobody asks for these digests
  const unhashed: PrepareInput = { source, prefixHash: { algorithm, finish: () => new Uint8Array() } };
  const sealed = appendToInput(unhashed, prepared.increment);
  if (openPdf(sealed.source).nextObjectNumber + spareNumbers > limits.objectNumber) {
    throw new SigillumError('pdf_limit_exceeded', 'The PDF has no object numbers left for validation data.');
  }
  const proved = appendToInput(sealed, addValidationData(sealed.source, rehearsed, nothing));
  if (level === 'b-lt') return;
  const stamp = prepareDocumentTimeStamp(proved, { contentsSize: 1 }, nothing);
  addValidationData(appendToInput(proved, stamp.increment).source, rehearsed, nothing);
}
