import { SigillumError } from '@sigillum/errors';
import { limits, openPdf } from '@sigillum/pdf';
import { addValidationData } from '../extend/add-validation-data.ts';
import { appendToInput } from '../extend/append-to-input.ts';
import { prepareDocumentTimeStamp } from '../extend/prepare-document-time-stamp.ts';
import type { PrepareInput } from '../prepare/prepare-input.ts';
import type { PreparedSignature } from '../prepare/prepared-signature.ts';
import type { SealLevel } from './seal-level.ts';

/** Object numbers that must be left: validation data of three chains takes some twenty. */
const spareNumbers = 1024;

/**
 * Updates behind the signature: validation data, a document time-stamp, and its validation data when it comes from another
 * authority than the time-stamp of the signature.
 */
const updatesOf = { 'b-lt': 1, 'b-lta': 3 } as const;

const nothing = (length: number): Uint8Array => new Uint8Array(length);
const rehearsed = { certificates: [Uint8Array.of(0)], crls: [], ocsps: [] };

/**
 * Goes through the updates that a level asks for behind the signature, with nothing in them: what of the file forbids or
 * prevents them must come out before a key signs and an authority time-stamps.
 *
 * @throws SigillumError `pdf_*`: what can't be read, is not permitted, or has no room for them; `fieldmdp_forbids_time_stamp`
 */
export function assertLevelReachable(
  { source, prefixHash: { algorithm } }: PrepareInput,
  prepared: PreparedSignature,
  level: SealLevel,
): void {
  if (level === 'b-b' || level === 'b-t') return;
  // nobody asks for these digests
  const unhashed: PrepareInput = { source, prefixHash: { algorithm, finish: () => new Uint8Array() } };
  const sealed = appendToInput(unhashed, prepared.increment);
  const { nextObjectNumber, sections } = openPdf(sealed.source);
  if (nextObjectNumber + spareNumbers > limits.objectNumber) {
    throw new SigillumError('pdf_limit_exceeded', 'The PDF has no object numbers left for validation data.');
  }
  if (sections.length + updatesOf[level] > limits.xrefSections) {
    throw new SigillumError('pdf_limit_exceeded', 'The PDF was updated so often that it takes no validation data.');
  }
  const proved = appendToInput(sealed, addValidationData(sealed.source, rehearsed, nothing));
  if (level === 'b-lt') return;
  prepareDocumentTimeStamp(proved, { contentsSize: 1 }, nothing);
}
