import { decodeBoolean, decodeInteger, decodeOid, decodeSmallInteger } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { decodeTime, encodeGeneralizedTime } from '../der/der-time.ts';
import { encodeInteger, encodeOid, encodeSequence, encodeTlv, encodeUnsignedInteger } from '../der/encode-der.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { contextTag, primitiveContextTag, tags } from '../der/tags.ts';
import { SigillumError } from '@sigillum/errors';
import { findImprint, type MessageImprint, readMessageImprint } from './message-imprint.ts';

export type TstInfo = {
  readonly policy: string;
  readonly imprint: MessageImprint;
  /** Lowercase hex of the INTEGER's content octets without a leading zero. */
  readonly serialNumber: string;
  readonly genTime: Date;
  /** Seconds, milliseconds and microseconds together, in milliseconds; undefined when the token doesn't say. */
  readonly accuracyMs?: number;
  readonly ordering: boolean;
  readonly nonce?: Uint8Array;
};

/** TSTInfo in DER (RFC 3161 §2.4.2). `ordering` is false, so absent; `tsa` and extensions are not written. */
export function encodeTstInfo(info: {
  readonly policy: string;
  /** MessageImprint exactly as the request had it. */
  readonly imprintDer: Uint8Array;
  /** Big-endian; at most 20 bytes. */
  readonly serialNumber: Uint8Array;
  /** Written with milliseconds unless they are zero. */
  readonly genTime: Date;
  /** 1 … 999 999 ms. */
  readonly accuracyMs: number;
  /** Content octets of the request's nonce. */
  readonly nonce?: Uint8Array | undefined;
}): Uint8Array {
  const parts = [
    encodeInteger(1),
    encodeOid(info.policy),
    info.imprintDer,
    encodeUnsignedInteger(info.serialNumber),
    encodeGeneralizedTime(info.genTime),
    encodeAccuracy(info.accuracyMs),
  ];
  if (info.nonce) parts.push(encodeTlv(tags.integer, info.nonce));
  return encodeSequence(...parts);
}

/** Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis [0] INTEGER (1..999) OPTIONAL, … }. */
function encodeAccuracy(accuracyMs: number): Uint8Array {
  const seconds = Math.floor(accuracyMs / 1000);
  const millis = accuracyMs % 1000;
  const parts: Uint8Array[] = [];
  if (seconds > 0) parts.push(encodeInteger(seconds));
  if (millis > 0) {
    const integer = encodeInteger(millis);
    parts.push(encodeTlv(primitiveContextTag(0), integer.subarray(2)));
  }
  return encodeSequence(...parts);
}

/** Reads a TSTInfo. Throws `pki_der_invalid`, or `pki_timestamp_token_invalid` when its version or imprint can't be used. */
export function parseTstInfo(der: Uint8Array): TstInfo {
  const fields = new DerFields(readDer(der, { maxElements: 2000 }), 'TSTInfo');
  if (decodeInteger(fields.take(tags.integer)) !== 1n) {
    throw new SigillumError('pki_timestamp_token_invalid', 'The time-stamp token has an unknown version.');
  }
  const policy = decodeOid(fields.take(tags.oid));
  const imprint = findImprint(readMessageImprint(fields.take(tags.sequence)));
  if (!imprint) {
    throw new SigillumError(
      'pki_timestamp_token_invalid',
      'The time-stamp uses a hash algorithm that is not accepted.',
    );
  }
  const serial = fields.take(tags.integer);
  const genTime = decodeTime(fields.take(tags.generalizedTime));
  const accuracy = fields.takeIf(tags.sequence);
  const ordering = fields.takeIf(tags.boolean);
  const nonce = fields.takeIf(tags.integer);
  fields.takeIf(contextTag(0)); // tsa: a name is no proof of anything, the certificate is
  const extensions = fields.takeIf(contextTag(1));
  fields.end();
  if (extensions?.children.some(isCritical)) {
    throw new SigillumError(
      'pki_timestamp_token_invalid',
      'The time-stamp has a critical extension that is not known.',
    );
  }
  return {
    policy,
    imprint,
    serialNumber: Buffer.from(serial.content)
      .toString('hex')
      .replace(/^00(?=.)/, ''),
    genTime,
    ordering: ordering ? decodeBoolean(ordering) : false,
    ...(accuracy ? { accuracyMs: readAccuracy(accuracy) } : {}),
    ...(nonce ? { nonce: nonce.content } : {}),
  };
}

function isCritical(extension: DerNode): boolean {
  const flag = extension.children[1];
  return flag?.tag === tags.boolean && decodeBoolean(flag);
}

function readAccuracy(node: DerNode): number {
  const fields = new DerFields(node, 'Accuracy');
  const seconds = fields.takeIf(tags.integer);
  const millis = fields.takeIf(primitiveContextTag(0));
  const micros = fields.takeIf(primitiveContextTag(1));
  fields.end();
  return (seconds ? decodeSmallInteger(seconds) * 1000 : 0) + fraction(millis) + fraction(micros) / 1000;
}

/** INTEGER (1..999) under an implicit tag. */
function fraction(node: DerNode | undefined): number {
  if (!node) return 0;
  const value = decodeSmallInteger({ ...node, tag: tags.integer });
  if (value < 1 || value > 999) throw new SigillumError('pki_der_invalid', 'Accuracy has a part out of range.');
  return value;
}
