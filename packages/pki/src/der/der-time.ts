import { SigillumError } from '@sigillum/errors';
import { encodeTlv } from './encode-der.ts';
import type { DerNode } from './read-der.ts';
import { tags } from './tags.ts';

const ascii = new TextEncoder();

/** GeneralizedTime in UTC; milliseconds only when there are some, without trailing zeros (X.690 §11.7, RFC 3161 §2.4.2). */
export function encodeGeneralizedTime(time: Date): Uint8Array {
  const iso = time.toISOString();
  if (iso.length !== 24) throw new RangeError('the year is out of range');
  const fraction = iso.slice(20, 23).replace(/0+$/, '');
  const text = `${iso.slice(0, 19).replace(/[-T:]/g, '')}${fraction === '' ? '' : `.${fraction}`}Z`;
  return encodeTlv(tags.generalizedTime, ascii.encode(text));
}

/** Time of certificates and CRLs: UTCTime until 2049, then GeneralizedTime, whole seconds (RFC 5280 §4.1.2.5). */
export function encodeTime(time: Date): Uint8Array {
  const whole = new Date(Math.floor(time.getTime() / 1000) * 1000);
  const year = whole.getUTCFullYear();
  if (year < 1950 || year > 2049) return encodeGeneralizedTime(whole);
  const text = `${whole.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`;
  return encodeTlv(tags.utcTime, ascii.encode(text));
}

/** A UTCTime or GeneralizedTime in the one form that DER allows. Digits beyond milliseconds are cut. */
export function decodeTime({ tag, content }: DerNode): Date {
  const yearDigits = tag === tags.utcTime ? 2 : tag === tags.generalizedTime ? 4 : undefined;
  if (yearDigits === undefined) throw malformed();
  // A long CRL has one for each entry: digits are read as they stand, without texts between.
  const short = readDigits(content, 0, yearDigits);
  // RFC 5280 §4.1.2.5.1: two-digit years from 50 on are 19xx.
  const year = yearDigits === 4 ? short : short + (short >= 50 ? 1900 : 2000);
  const pair = (index: number): number => readDigits(content, yearDigits + 2 * index, 2);
  const [month, day, hour, minute, second] = [pair(0), pair(1), pair(2), pair(3), pair(4)];
  const milliseconds = readFraction(content, yearDigits + 10, tag === tags.generalizedTime);
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  time.setUTCHours(hour, minute, second, milliseconds);
  // A day that does not exist has become one of the next month.
  const exists =
    hour < 24 && minute < 60 && second < 60 && time.getUTCMonth() === month - 1 && time.getUTCDate() === day;
  if (!exists) throw new SigillumError('pki_der_invalid', 'A time names a day or an hour that does not exist.');
  return time;
}

const codes = { zero: 0x30, nine: 0x39, point: 0x2e, z: 0x5a } as const;

function readDigits(content: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let index = start; index < start + count; index++) {
    const code = content[index] ?? 0;
    if (code < codes.zero || code > codes.nine) throw malformed();
    value = value * 10 + code - codes.zero;
  }
  return value;
}

/** What follows the seconds up to the end: `Z`, or a fraction without trailing zeros and `Z` where that is allowed. */
function readFraction(content: Uint8Array, start: number, isAllowed: boolean): number {
  const end = content.length - 1;
  if (content[end] !== codes.z || end < start) throw malformed();
  if (end === start) return 0;
  const digits = end - start - 1;
  if (!isAllowed || content[start] !== codes.point || digits === 0 || content[end - 1] === codes.zero)
    throw malformed();
  for (let index = start + 1; index < end; index++) readDigits(content, index, 1);
  return readDigits(content, start + 1, Math.min(3, digits)) * 10 ** (3 - Math.min(3, digits));
}

function malformed(): SigillumError {
  return new SigillumError('pki_der_invalid', 'A time is not in the form that DER allows.');
}
