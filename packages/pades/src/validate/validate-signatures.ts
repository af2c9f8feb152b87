import { isSigillumError } from '@sigillum/errors';
import { type ByteSource, openPdf } from '@sigillum/pdf';
import { Findings } from './findings.ts';
import { findClaimOfSignature } from './find-claim-of-signature.ts';
import { type JudgedDocument, judgeDocument } from './judge-document.ts';
import type { ValidationOptions } from './validation-options.ts';
import type { ValidationReport } from './validation-report.ts';

/**
 * Validates every signature and time-stamp of a PDF: integrity, coverage, what changed since, chain, time (EN 319 102-1,
 * EN 319 142-1, pades.md §5), and revocation as far as the file's own document security store tells. Pure and bounded;
 * whatever the file holds, the answer is a report. Trust lists are not looked at.
 *
 * @throws SigillumError `pki_certificate_invalid` when a root given can't be read
 * @example validateSignatures(createArraySource(bytes), { roots: [root], now: new Date() }).accepted
 */
export function validateSignatures(source: ByteSource, options: ValidationOptions): ValidationReport {
  return examineSignatures(source, options).report;
}

/** The report, and the chains that it is about. */
export function examineSignatures(source: ByteSource, options: ValidationOptions): JudgedDocument {
  try {
    return judgeDocument(openPdf(source), options);
  } catch (error) {
    if (isSigillumError(error) && error.code !== 'pki_certificate_invalid') {
      return { report: reportUnreadable(source, options, error.code, error.message), chains: [] };
    }
    // A slip of ours on a hostile file: nobody may take silence for a yes. What reading the source throws goes on.
    if (error instanceof RangeError || error instanceof TypeError || isCryptoError(error)) {
      const why = 'The validation could not be carried out.';
      return { report: reportUnreadable(source, options, 'pdf_structure_damaged', why), chains: [] };
    }
    throw error;
  }
}

/** OpenSSL's refusals of keys and signatures that it can make nothing of. */
function isCryptoError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && String(error.code).startsWith('ERR_');
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
