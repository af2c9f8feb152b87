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
export function decodeTime(node: DerNode): Date {
  const text = Buffer.from(node.content).toString('latin1');
  const match =
    node.tag === tags.utcTime
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)()Z$/.exec(text)
      : node.tag === tags.generalizedTime
        ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d*[1-9])?Z$/.exec(text)
        : null;
  if (!match) throw new SigillumError('pki_der_invalid', 'A time is not in the form that DER allows.');
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = ''] = match;
  // RFC 5280 §4.1.2.5.1: two-digit years from 50 on are 19xx.
  const fullYear = year.length === 2 ? `${Number(year) >= 50 ? '19' : '20'}${year}` : year;
  const milliseconds = `${fraction.slice(1)}000`.slice(0, 3);
  const iso = `${fullYear}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`;
  const time = new Date(iso);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) {
    throw new SigillumError('pki_der_invalid', 'A time names a day or an hour that does not exist.');
  }
  return time;
}
