import { isSigillumError } from '@sigillum/errors';
import {
  type ByteSource,
  isPdfArray,
  locateDictValues,
  type PdfDict,
  PdfName,
  type PdfObject,
  PdfRef,
  PdfString,
  type ValueSpan,
} from '@sigillum/pdf';
import type { Findings } from './findings.ts';
import type { FoundSignature } from './find-signatures.ts';
import { hasDuplicates } from './has-duplicates.ts';
import { readPdfDate } from './read-pdf-date.ts';
import { validationLimits } from './validation-limits.ts';

export type ByteRange = readonly [number, number, number, number];

/** What the signature dictionary says, as far as it can be believed. */
export type SignatureDictionary = {
  readonly subFilter: string | undefined;
  readonly isTimeStamp: boolean;
  readonly byteRange: ByteRange | undefined;
  /** Where the signed revision ends. */
  readonly end: number | undefined;
  /** The DER without its padding. */
  readonly contents: Uint8Array | undefined;
  readonly signingTime: Date | undefined;
};

/** Formats of signatures that are looked at; the others are refused. The first is PAdES. */
const signatureFormats = ['ETSI.CAdES.detached', 'adbe.pkcs7.detached'] as const;
const timeStampFormat = 'ETSI.RFC3161';
/** Values that must stand in the dictionary itself: an update of another object must not change what they are. */
const directKeys = [
  'Type',
  'Filter',
  'SubFilter',
  'ByteRange',
  'Contents',
  'M',
  'Name',
  'Reason',
  'Location',
  'ContactInfo',
];

/** Reads a signature dictionary strictly; what isn't as it must be is added to the findings (pades.md §5.2). */
export function readSignatureDictionary(
  source: ByteSource,
  base: number,
  { ref, dict, entry }: Omit<FoundSignature, 'field'>,
  findings: Findings,
): SignatureDictionary {
  const nothing: SignatureDictionary = {
    subFilter: undefined,
    isTimeStamp: false,
    byteRange: undefined,
    end: undefined,
    contents: undefined,
    signingTime: undefined,
  };
  if (dict === undefined || ref === undefined || entry?.type !== 'plain') {
    findings.add('signature_object_wrong');
    return nothing;
  }
  if (hasDuplicates(dict)) findings.add('signature_key_duplicate');
  for (const key of directKeys)
    if (dict.find(key) instanceof PdfRef) findings.add('signature_value_indirect', `/${key}`);
  const subFilter = nameOf(dict.find('SubFilter'));
  const isTimeStamp = subFilter === timeStampFormat;
  checkType(dict, subFilter, isTimeStamp, findings);
  const byteRange = readByteRange(dict.find('ByteRange'), source.size, findings);
  const spans = locate(source, entry.offset + base);
  const contents = byteRange && readContents(source, byteRange, spans, findings);
  return {
    subFilter,
    isTimeStamp,
    byteRange,
    end: byteRange && byteRange[2] + byteRange[3],
    contents,
    signingTime: readSigningTime(dict.find('M'), isTimeStamp, findings),
  };
}

function checkType(dict: PdfDict, subFilter: string | undefined, isTimeStamp: boolean, findings: Findings): void {
  const type = dict.find('Type');
  const expected = isTimeStamp ? 'DocTimeStamp' : 'Sig';
  const known = isTimeStamp || signatureFormats.some((format) => format === subFilter);
  if (!known || (type !== undefined && nameOf(type) !== expected) || nameOf(dict.find('Filter')) === undefined) {
    findings.add('signature_type_wrong', subFilter === undefined ? undefined : printable(subFilter));
  } else if (!isTimeStamp && subFilter !== signatureFormats[0]) findings.add('subfilter_not_pades', subFilter);
  // EN 319 142-1 §6.3, table 1
  if (dict.has('Cert')) findings.add('certificate_entry_present');
}

function readByteRange(value: PdfObject | undefined, size: number, findings: Findings): ByteRange | undefined {
  const numbers = isPdfArray(value) ? value.filter((entry) => typeof entry === 'number') : [];
  const [first, firstLength, second, secondLength] = numbers;
  if (
    !isPdfArray(value) ||
    value.length !== 4 ||
    first !== 0 ||
    firstLength === undefined ||
    second === undefined ||
    secondLength === undefined ||
    firstLength <= 0 ||
    secondLength <= 0 ||
    // "<00>" is the smallest gap
    second < firstLength + 4
  ) {
    findings.add('byte_range_wrong');
    return undefined;
  }
  if (second + secondLength > size) {
    findings.add('byte_range_past_end');
    return undefined;
  }
  return [first, firstLength, second, secondLength];
}

/** The gap is one `<hex>` token, and that token is this dictionary's /Contents. */
function readContents(
  source: ByteSource,
  [, start, end]: ByteRange,
  spans: ReadonlyMap<string, ValueSpan> | undefined,
  findings: Findings,
): Uint8Array | undefined {
  const span = spans?.get('Contents');
  if (span?.start !== start || span.end !== end || end - start > 2 * validationLimits.contents) {
    findings.add('byte_range_gap_wrong');
    return undefined;
  }
  const bytes = source.read(start, end - start);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  // one case throughout: the digits aren't signed, and nothing about them may change unnoticed
  if (!/^<(?:[0-9a-f]*|[0-9A-F]*)>$/.test(text) || text.length % 2 !== 0) {
    findings.add('contents_not_hex');
    return undefined;
  }
  const decoded = new Uint8Array(Buffer.from(text.slice(1, -1), 'hex'));
  const length = readDerLength(decoded);
  if (length === undefined) {
    findings.add('cms_not_der');
    return undefined;
  }
  if (decoded.subarray(length).some((byte) => byte !== 0)) findings.add('contents_padding_wrong');
  return decoded.subarray(0, length);
}

/** Bytes of the SEQUENCE that begins there; undefined when none of definite length does. */
function readDerLength(bytes: Uint8Array): number | undefined {
  const first = bytes[1] ?? 0;
  if (bytes[0] !== 0x30) return undefined;
  if (first < 0x80) return first + 2 <= bytes.length ? first + 2 : undefined;
  const octets = first & 0x7f;
  if (octets < 1 || octets > 4) return undefined;
  let length = 0;
  for (let index = 2; index < 2 + octets; index++) length = length * 256 + (bytes[index] ?? 0);
  const total = 2 + octets + length;
  return total <= bytes.length ? total : undefined;
}

function readSigningTime(value: PdfObject | undefined, isTimeStamp: boolean, findings: Findings): Date | undefined {
  if (value === undefined) {
    if (!isTimeStamp) findings.add('signing_time_missing');
    return undefined;
  }
  const time = value instanceof PdfString ? readPdfDate(value.bytes) : undefined;
  if (time === undefined && !(value instanceof PdfRef)) findings.add('signing_time_malformed');
  return time;
}

function locate(source: ByteSource, offset: number): ReadonlyMap<string, ValueSpan> | undefined {
  try {
    return locateDictValues(source, offset);
  } catch (error) {
    if (isSigillumError(error)) return undefined;
    throw error;
  }
}

function nameOf(value: PdfObject | undefined): string | undefined {
  return value instanceof PdfName ? value.value : undefined;
}

function printable(name: string): string {
  return name.replaceAll(/[^!-~]/g, '?').slice(0, 64);
}
