import { isSigillumError } from '@sigillum/errors';
import { PdfDict, type PdfDocument, PdfRef } from '@sigillum/pdf';
import { checkSignature } from './check-signature.ts';
import { digestRange } from './digest-range.ts';
import { Findings } from './findings.ts';
import { readSignatureDictionary } from './read-signature-dictionary.ts';

/** What is a finding of a signature of the newest profiles only, and says nothing of an older one's hash and value. */
const unknownTo = ['algorithm_weak', 'cms_algorithms_wrong', 'signer_certificate_missing', 'cms_not_der'] as const;

/**
 * The signature of usage rights (`/Perms /UR3`, ISO 32000-2 §12.8.2.3), by which a reader of one maker lets forms be saved. It
 * promises nothing about the document, so whatever is wrong with it refuses nothing; but who looks for signatures finds
 * it, and is told when it isn't intact, or when that couldn't be found out.
 */
export function checkUsageRights(document: PdfDocument, findings: Findings): void {
  try {
    const permissions = document.findDict(document.catalog.find('Perms'), '/Perms of the catalog');
    const ref = permissions?.find('UR3') ?? permissions?.find('UR');
    const dict = document.resolve(ref ?? null);
    if (!(ref instanceof PdfRef) || !(dict instanceof PdfDict)) return;
    const state = judge(document, ref, dict);
    if (state !== 'intact') findings.add('usage_rights_not_intact', state);
  } catch (error) {
    if (!isSigillumError(error) || error.code === 'pdf_limit_exceeded') throw error;
    findings.add('usage_rights_not_intact', error.message);
  }
}

function judge(document: PdfDocument, ref: PdfRef, dict: PdfDict): string {
  const own = new Findings();
  const found = { ref, dict, entry: document.findEntry(ref.number) };
  const { byteRange, contents } = readSignatureDictionary(document.source, document.base, found, own);
  const checked =
    byteRange && contents && checkSignature(contents, (name) => digestRange(document.source, byteRange, name), own);
  if (checked?.intact) return 'intact';
  if (own.has(...unknownTo) && !own.has('hash_failure')) return 'It is of a kind that is not checked here.';
  return contents === undefined
    ? 'Its ByteRange does not lead to it.'
    : 'The document was another one when they were signed.';
}
