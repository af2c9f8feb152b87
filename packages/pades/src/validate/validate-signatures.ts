import { isSigillumError } from '@sigillum/errors';
import { type ByteSource, openPdf } from '@sigillum/pdf';
import { Findings } from './findings.ts';
import { findClaimOfSignature } from './find-claim-of-signature.ts';
import { judgeDocument } from './judge-document.ts';
import type { ValidationProfile, ValidationReport } from './validation-report.ts';

export type ValidationOptions = {
  /** Trust anchors for signers and time-stamp authorities, DER. */
  readonly roots: readonly Uint8Array[];
  /** The time at which is judged; nothing signed later is accepted. */
  readonly now: Date;
  /** `baseline` when left out. */
  readonly profile?: ValidationProfile;
  /**
   * Which signatures the verdict on the file is about: all, the last one and the time-stamps after it, or that of one
   * field. The others are reported, but don't refuse the file; what is wrong with the file itself always does.
   */
  readonly only?: SignatureChoice;
};

export type SignatureChoice = 'all' | 'last' | { readonly field: string };

/**
 * Validates every signature and time-stamp of a PDF: integrity, coverage, what changed since, chain, time (EN 319 102-1,
 * EN 319 142-1, pades.md §5). Pure and bounded; whatever the file holds, the answer is a report. Revocation and trust
 * lists are not looked at.
 *
 * @throws SigillumError `pki_certificate_invalid` when a root given can't be read
 * @example validateSignatures(createArraySource(bytes), { roots: [root], now: new Date() }).accepted
 */
export function validateSignatures(source: ByteSource, options: ValidationOptions): ValidationReport {
  try {
    return judgeDocument(openPdf(source), options);
  } catch (error) {
    if (isSigillumError(error) && error.code !== 'pki_certificate_invalid') {
      return reportUnreadable(source, options, error.code, error.message);
    }
    // A slip of ours on a hostile file: nobody may take silence for a yes. What reading the source throws goes on.
    if (error instanceof RangeError || error instanceof TypeError) {
      return reportUnreadable(source, options, 'pdf_structure_damaged', 'The validation could not be carried out.');
    }
    throw error;
  }
}

/** A file that can't be read as a PDF. One that claims to be signed is refused as such, whatever is wrong with it. */
function reportUnreadable(
  source: ByteSource,
  options: ValidationOptions,
  code: string,
  message: string,
): ValidationReport {
  const findings = new Findings();
  const readable = code === 'pdf_limit_exceeded' || findClaimOfSignature(source);
  findings.add(code === 'pdf_limit_exceeded' ? 'pdf_limit_exceeded' : 'pdf_structure_damaged', message);
  return {
    version: 1,
    readable,
    accepted: false,
    profile: options.profile ?? 'baseline',
    summary: readable ? `Refused: ${message}` : `Not a readable PDF: ${message}`,
    validatedAt: options.now.toISOString(),
    fileSize: source.size,
    revisions: 0,
    findings: findings.list,
    signatures: [],
    notChecked: ['revocation', 'trust_lists'],
  };
}
