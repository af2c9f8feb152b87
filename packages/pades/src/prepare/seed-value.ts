import {
  decodeTextString,
  isPdfArray,
  type PdfDict,
  type PdfDocument,
  PdfName,
  type PdfObject,
  PdfReal,
  PdfString,
  wrongType,
} from '@sigillum/pdf';

/** What a field asks of the signature in it (ISO 32000-2 table 235). Only what it requires counts; wishes are left out. */
export type SeedValue = {
  readonly filter: string | undefined;
  readonly subFilters: readonly string[] | undefined;
  /** The capability that a reader of this dictionary must have. */
  readonly version: number | undefined;
  /** Reasons to choose from; empty: there must be none. */
  readonly reasons: readonly string[] | undefined;
  readonly legalAttestation: boolean;
  readonly revocation: boolean;
  /** As the dictionary spells them: `SHA256`. */
  readonly digests: readonly string[] | undefined;
  readonly lockDocument: string | undefined;
  readonly appearance: boolean;
  /** 0: no certification; 1 to 3: a certification with that `/P`. Always required when it is there. */
  readonly certification: number | undefined;
  readonly timeStamp: boolean;
  readonly certificate: CertificateSeed | undefined;
  /** Bits of `/Ff` that no edition of the standard defines. */
  readonly unknownFlags: boolean;
};

/** Constraints on the certificate (table 236), the required ones. */
export type CertificateSeed = {
  /** DER of certificates, one of which must be the signer's. */
  readonly subjects: readonly Uint8Array[] | undefined;
  /** DER of certificates, one of which must be an issuer of the signer's. */
  readonly issuers: readonly Uint8Array[] | undefined;
  /** Certificate policies, all of which must be in the signer's certificate; dotted decimals. */
  readonly policies: readonly string[] | undefined;
  /** One must match with all its attributes, by their short names. */
  readonly subjectNames: readonly (readonly (readonly [string, string])[])[] | undefined;
  /** One must match: `1` set, `0` not set, `X` any, in the order of RFC 5280. */
  readonly keyUsages: readonly string[] | undefined;
  readonly url: boolean;
  readonly signaturePolicy: boolean;
  readonly unknownFlags: boolean;
};

/** Bits of `/Ff` in table 235, from the lowest. */
const flagNames = [
  'Filter',
  'SubFilter',
  'V',
  'Reasons',
  'LegalAttestation',
  'AddRevInfo',
  'DigestMethod',
  'LockDocument',
  'AppearanceFilter',
] as const;
/** The same of table 236; the fifth is reserved. */
const certificateFlagNames = ['Subject', 'Issuer', 'OID', 'SubjectDN', undefined, 'KeyUsage', 'URL'] as const;
/** Entries of one list: far above what forms have. */
const maxEntries = 1000;

/** Reads `/SV` of a field; undefined when it has none. What is malformed is refused: it might be a requirement. */
export function readSeedValue(document: PdfDocument, field: PdfDict): SeedValue | undefined {
  const dict = document.findDict(field.find('SV'), '/SV of a signature field');
  if (dict === undefined) return undefined;
  const flags = readFlags(document, dict);
  const isRequired = (name: (typeof flagNames)[number]): boolean => hasFlag(flags, flagNames.indexOf(name));
  const permissions = document.findDict(dict.find('MDP'), '/MDP of a seed value');
  const timeStamp = document.findDict(dict.find('TimeStamp'), '/TimeStamp of a seed value');
  const reasons = isRequired('Reasons') ? (readTexts(document, dict, 'Reasons') ?? []) : undefined;
  return {
    filter: isRequired('Filter') ? readName(document, dict, 'Filter') : undefined,
    subFilters: isRequired('SubFilter') ? readNames(document, dict, 'SubFilter') : undefined,
    version: isRequired('V') ? readNumber(document, dict, 'V') : undefined,
    // a single period stands for none
    reasons: reasons?.length === 1 && reasons[0] === '.' ? [] : reasons,
    legalAttestation: isRequired('LegalAttestation') && dict.has('LegalAttestation'),
    revocation: isRequired('AddRevInfo') && document.find(dict, 'AddRevInfo') === true,
    digests: isRequired('DigestMethod') ? readTexts(document, dict, 'DigestMethod') : undefined,
    lockDocument: isRequired('LockDocument') ? readName(document, dict, 'LockDocument') : undefined,
    appearance: isRequired('AppearanceFilter') && dict.has('AppearanceFilter'),
    certification: permissions && readNumber(document, permissions, 'P'),
    timeStamp: timeStamp !== undefined && (readNumber(document, timeStamp, 'Ff') ?? 0) !== 0,
    certificate: readCertificateSeed(document, dict),
    unknownFlags: flags >>> flagNames.length !== 0,
  };
}

function readCertificateSeed(document: PdfDocument, seedValue: PdfDict): CertificateSeed | undefined {
  const dict = document.findDict(seedValue.find('Cert'), '/Cert of a seed value');
  if (dict === undefined) return undefined;
  const flags = readFlags(document, dict);
  const isRequired = (name: (typeof certificateFlagNames)[number]): boolean =>
    hasFlag(flags, certificateFlagNames.indexOf(name));
  return {
    subjects: isRequired('Subject') ? readStrings(document, dict, 'Subject') : undefined,
    issuers: isRequired('Issuer') ? readStrings(document, dict, 'Issuer') : undefined,
    policies: isRequired('OID') ? readTexts(document, dict, 'OID') : undefined,
    subjectNames: isRequired('SubjectDN') ? readSubjectNames(document, dict) : undefined,
    keyUsages: isRequired('KeyUsage') ? readTexts(document, dict, 'KeyUsage') : undefined,
    url: isRequired('URL') && dict.has('URL'),
    // ISO 32000-2 has no flag for it: who names a policy wants the signature to be under it
    signaturePolicy: dict.has('SignaturePolicyOID'),
    unknownFlags:
      flags >>> certificateFlagNames.length !== 0 || hasFlag(flags, certificateFlagNames.indexOf(undefined)),
  };
}

function readSubjectNames(document: PdfDocument, dict: PdfDict): CertificateSeed['subjectNames'] {
  return readList(document, dict, 'SubjectDN')?.map((value) => {
    const name = document.getDict(value, '/SubjectDN of a seed value');
    return [...name.entries()].map(([key, text]) => [key, toText(document.resolve(text), 'SubjectDN')] as const);
  });
}

function hasFlag(flags: number, bit: number): boolean {
  return ((flags >>> bit) & 1) === 1;
}

function readFlags(document: PdfDocument, dict: PdfDict): number {
  const value = document.find(dict, 'Ff') ?? 0;
  if (typeof value === 'number' && value >= 0 && value <= 0xffff_ffff) return value;
  throw wrongType('/Ff of a seed value', 'an integer of 32 bits');
}

function readName(document: PdfDocument, dict: PdfDict, key: string): string | undefined {
  const value = document.find(dict, key);
  if (value === undefined) return undefined;
  // table 235 says name for some entries, but booleans and strings are seen
  if (value instanceof PdfName) return value.value;
  if (typeof value === 'boolean') return String(value);
  return toText(value, key);
}

function readNumber(document: PdfDocument, dict: PdfDict, key: string): number | undefined {
  const value = document.find(dict, key);
  if (value === undefined || typeof value === 'number') return value;
  if (value instanceof PdfReal) return value.value;
  throw wrongType(`/${key} of a seed value`, 'a number');
}

function readNames(document: PdfDocument, dict: PdfDict, key: string): readonly string[] | undefined {
  return readList(document, dict, key)?.map((value) => {
    const name = document.resolve(value);
    if (name instanceof PdfName) return name.value;
    throw wrongType(`/${key} of a seed value`, 'a list of names');
  });
}

function readTexts(document: PdfDocument, dict: PdfDict, key: string): readonly string[] | undefined {
  return readList(document, dict, key)?.map((value) => toText(document.resolve(value), key));
}

function readStrings(document: PdfDocument, dict: PdfDict, key: string): readonly Uint8Array[] | undefined {
  return readList(document, dict, key)?.map((value) => toString(document.resolve(value), key).bytes);
}

/** An array, or a single value in its stead. */
function readList(document: PdfDocument, dict: PdfDict, key: string): readonly PdfObject[] | undefined {
  const value = document.find(dict, key);
  if (value === undefined) return undefined;
  const list = isPdfArray(value) ? value : [value];
  if (list.length > maxEntries) throw wrongType(`/${key} of a seed value`, `a list of at most ${maxEntries}`);
  return list;
}

function toText(value: PdfObject, key: string): string {
  // KeyUsage and digest names are written as names by some
  return value instanceof PdfName ? value.value : decodeTextString(toString(value, key));
}

function toString(value: PdfObject, key: string): PdfString {
  if (value instanceof PdfString) return value;
  throw wrongType(`/${key} of a seed value`, 'made of strings');
}
