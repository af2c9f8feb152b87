import {
  contextTag,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTlv,
  primitiveContextTag,
} from '@sigillum/pki';

/** qcStatements (RFC 3739 §3.2.6) and id-etsi-tsts-EuQCompliance (EN 319 422 §9.1). */
const qcStatementsOid = '1.3.6.1.5.5.7.1.3';
const qualifiedTimeStampOid = '0.4.0.19422.1.1';

/** Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis [0] INTEGER (1..999) OPTIONAL, … } from milliseconds ≥ 1. */
export function encodeAccuracy(accuracyMs: number): Uint8Array {
  const seconds = Math.floor(accuracyMs / 1000);
  const millis = accuracyMs % 1000;
  const parts: Uint8Array[] = [];
  if (seconds > 0) parts.push(encodeInteger(seconds));
  if (millis > 0) parts.push(encodeTlv(primitiveContextTag(0), encodeInteger(millis).subarray(2)));
  return encodeSequence(...parts);
}

/**
 * TSTInfo.extensions [1] with the statement that the token is a qualified electronic time-stamp, not critical (EN 319
 * 422 §9.1). It is what an operator asserts about himself; nothing here can know it.
 */
export function encodeQualifiedClaim(): Uint8Array {
  const statements = encodeSequence(encodeSequence(encodeOid(qualifiedTimeStampOid)));
  return encodeTlv(contextTag(1), encodeSequence(encodeOid(qcStatementsOid), encodeOctetString(statements)));
}
