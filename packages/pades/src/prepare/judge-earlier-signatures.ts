import { isSigillumError } from '@sigillum/errors';
import { type PdfDocument, PdfRef } from '@sigillum/pdf';
import { equalBytes, hashContent, parseCertificate, parseSignedData, parseTstInfo, verifySigner } from '@sigillum/pki';
import { checkSignature } from '../validate/check-signature.ts';
import { digestRange } from '../validate/digest-range.ts';
import { Findings } from '../validate/findings.ts';
import { type ByteRange, readSignatureDictionary } from '../validate/read-signature-dictionary.ts';
import type { EarlierSignature } from './list-earlier-signatures.ts';
import type { EarlierSignatureState } from './prepared-signature.ts';

/** Bytes hashed for all earlier signatures together: a few milliseconds. What is larger is for validation. */
const maxHashedBytes = 16 * 1024 * 1024;

/** Whether each earlier signature is intact: the digest over its ByteRange, and its signature value. It stops nothing. */
export function judgeEarlierSignatures(
  document: PdfDocument,
  signatures: readonly EarlierSignature[],
): readonly EarlierSignatureState[] {
  let left = maxHashedBytes;
  return signatures.map((signature) => {
    const fieldName = signature.field?.name;
    try {
      const read = readEarlier(document, signature);
      if (read === 'broken' || read === 'not-checked') return { fieldName, state: read };
      left -= read.byteRange[1] + read.byteRange[3];
      return { fieldName, state: left < 0 ? 'not-checked' : judge(document, read) };
    } catch (error) {
      if (isSigillumError(error)) return { fieldName, state: 'broken' };
      throw error;
    }
  });
}

type ReadEarlier = { readonly isTimeStamp: boolean; readonly byteRange: ByteRange; readonly contents: Uint8Array };

function readEarlier(document: PdfDocument, { dict, field }: EarlierSignature): ReadEarlier | 'broken' | 'not-checked' {
  const value = field?.value;
  // only /Perms leads to it: no field says where it stands
  if (field === undefined) return 'not-checked';
  const ref = value instanceof PdfRef ? value : undefined;
  const entry = ref && document.findEntry(ref.number);
  const findings = new Findings();
  const read = readSignatureDictionary(document.source, document.base, { ref, dict, entry }, findings);
  const { byteRange, contents, isTimeStamp } = read;
  // formats of ISO 32000-1 that are looked at nowhere in this product
  if (findings.has('signature_type_wrong') && read.subFilter !== undefined) return 'not-checked';
  return byteRange === undefined || contents === undefined ? 'broken' : { isTimeStamp, byteRange, contents };
}

function judge(
  document: PdfDocument,
  { isTimeStamp, byteRange, contents }: ReadEarlier,
): EarlierSignatureState['state'] {
  const digest = (name: Parameters<typeof digestRange>[2]): Uint8Array => digestRange(document.source, byteRange, name);
  if (isTimeStamp) return isTokenIntact(contents, digest) ? 'intact' : 'broken';
  const findings = new Findings();
  const checked = checkSignature(contents, digest, findings);
  if (checked?.intact) return 'intact';
  // SHA-1 and the like say nothing either way here
  const isUnknown = findings.has(
    'algorithm_weak',
    'cms_algorithms_wrong',
    'signer_certificate_missing',
    'certificate_malformed',
  );
  return isUnknown && !findings.has('hash_failure') ? 'not-checked' : 'broken';
}

/** RFC 3161 §2.4.2: the imprint is that of the ranges, and one of the token's certificates made its signature. */
function isTokenIntact(der: Uint8Array, digest: (name: Parameters<typeof digestRange>[2]) => Uint8Array): boolean {
  const signedData = parseSignedData(der);
  const content = signedData.content ?? new Uint8Array();
  const { imprint } = parseTstInfo(content);
  if (!equalBytes(imprint.digest, digest(imprint.algorithm))) return false;
  return signedData.certificates.some((certificate) => {
    try {
      verifySigner(signedData, hashContent(content), parseCertificate(certificate).publicKey);
      return true;
    } catch (error) {
      if (isSigillumError(error)) return false;
      throw error;
    }
  });
}
