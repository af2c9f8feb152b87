import { SigillumError } from '@sigillum/errors';
import { concatBytes, encodeSignedData, equalBytes, getIssuerAndSerial, type TimeStampToken } from '@sigillum/pki';
import { embedContents } from '../prepare/embed-contents.ts';
import { assertTimeStampTime } from './assert-seal-times.ts';
import type { SealLevel } from './seal-level.ts';
import { getTimeStampImprint, type SignedDigest } from './signed-digest.ts';

/** A finished seal with its time-stamp. Only {@link assembleSeal} makes one, and {@link raiseSeal} makes more of it. */
export class SealedDocument {
  /** Exists for the compiler only: a private member makes the type nominal. */
  declare private readonly assembled: true;
  readonly level: Exclude<SealLevel, 'b-b'>;
  /** What follows the input's bytes, CMS in place: all updates, that of the signature first. */
  readonly increment: Uint8Array;
  /** Bytes of the sealed file: input and increment. */
  readonly size: number;
  /** `/M` */
  readonly signingTime: Date;
  /** The time of the time-stamp over the signature. */
  readonly genTime: Date;
  readonly fieldName: string;
  /** The CMS, without the padding. */
  readonly cms: Uint8Array;
  /** The one over the signature. */
  readonly timeStampToken: TimeStampToken;
  /** The one over the document, at level b-lta. */
  readonly documentTimeStampToken: TimeStampToken | undefined;

  constructor(fields: Omit<SealedDocument, 'assembled'>) {
    this.level = fields.level;
    this.increment = fields.increment;
    this.size = fields.size;
    this.signingTime = fields.signingTime;
    this.genTime = fields.genTime;
    this.fieldName = fields.fieldName;
    this.cms = fields.cms;
    this.timeStampToken = fields.timeStampToken;
    this.documentTimeStampToken = fields.documentTimeStampToken;
    Object.freeze(this);
  }
}

/**
 * Step 6: the CMS with its signature-time-stamp, in its place (EN 319 142-1 §6.3, B-T). Throws `pades_timestamp_wrong`
 * for the token of something else, `pades_time_outside`, and `pades_contents_overflow`: then prepare again with more
 * room.
 */
export function assembleSeal(signed: SignedDigest, timeStampToken: TimeStampToken): SealedDocument {
  const { prepared, certificate, signingTime } = signed.toSign;
  const imprint = getTimeStampImprint(signed);
  if (
    timeStampToken.imprint.algorithm !== imprint.algorithm ||
    !equalBytes(timeStampToken.imprint.digest, imprint.digest)
  ) {
    throw new SigillumError('pades_timestamp_wrong', 'The time-stamp is not one of this signature.');
  }
  assertTimeStampTime({ genTime: timeStampToken.genTime, signingTime }, certificate);
  const cms = encodeCms(signed, timeStampToken.der);
  const [, , second, rest] = prepared.byteRange;
  return new SealedDocument({
    level: 'b-t',
    increment: embedContents(prepared, cms),
    size: second + rest,
    signingTime,
    genTime: timeStampToken.genTime,
    fieldName: prepared.fieldName,
    cms,
    timeStampToken,
    documentTimeStampToken: undefined,
  });
}

/** The CMS of a signature: signer and chain in its certificates, the token as unsigned attribute. */
export function encodeCms(signed: SignedDigest, token: Uint8Array | undefined): Uint8Array {
  const { credential, certificate, signedAttributes } = signed.toSign;
  return encodeSignedData({
    contentType: 'data',
    algorithm: credential.algorithm,
    signedAttributes,
    signature: signed.signature,
    signerCertificate: credential.certificate,
    signerName: getIssuerAndSerial(certificate),
    certificates: [credential.certificate, ...credential.chain],
    signatureTimeStamp: token,
  });
}

/** The seal with further updates behind it. */
export function raiseSeal(
  sealed: SealedDocument,
  level: 'b-lt' | 'b-lta',
  updates: Uint8Array,
  documentTimeStampToken: TimeStampToken | undefined,
): SealedDocument {
  return new SealedDocument({
    ...sealed,
    level,
    increment: concatBytes([sealed.increment, updates]),
    size: sealed.size + updates.length,
    documentTimeStampToken,
  });
}
