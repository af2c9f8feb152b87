import { SigillumError } from '@sigillum/errors';
import { encodeSignedData, equalBytes, type TimeStampToken } from '@sigillum/pki';
import { embedContents } from '../prepare/embed-contents.ts';
import { assertTimeStampTime } from './assert-seal-times.ts';
import { getTimeStampImprint, type SignedDigest } from './signed-digest.ts';

/** A finished B-T seal. Only {@link assembleSeal} makes one. */
export class SealedDocument {
  /** Exists for the compiler only: a private member makes the type nominal. */
  declare private readonly assembled: true;
  /** What follows the input's bytes, CMS in place. */
  readonly increment: Uint8Array;
  /** Bytes of the sealed file: input and increment. */
  readonly size: number;
  /** `/M` */
  readonly signingTime: Date;
  /** The time-stamp's time. */
  readonly genTime: Date;
  readonly fieldName: string;
  /** The CMS, without the padding. */
  readonly cms: Uint8Array;
  readonly timeStampToken: TimeStampToken;

  constructor(fields: Omit<SealedDocument, 'assembled'>) {
    this.increment = fields.increment;
    this.size = fields.size;
    this.signingTime = fields.signingTime;
    this.genTime = fields.genTime;
    this.fieldName = fields.fieldName;
    this.cms = fields.cms;
    this.timeStampToken = fields.timeStampToken;
    Object.freeze(this);
  }
}

/**
 * Step 6: the CMS with its signature-time-stamp, in its place (EN 319 142-1 §6.3, B-T). Throws `pades_timestamp_wrong`
 * for the token of something else, `pades_time_outside`, and `pades_contents_overflow`: then prepare again with more
 * room.
 */
export function assembleSeal(signed: SignedDigest, timeStampToken: TimeStampToken): SealedDocument {
  const { prepared, credential, certificate, signingTime, signedAttributes } = signed.toSign;
  const imprint = getTimeStampImprint(signed);
  if (
    timeStampToken.imprint.algorithm !== imprint.algorithm ||
    !equalBytes(timeStampToken.imprint.digest, imprint.digest)
  ) {
    throw new SigillumError('pades_timestamp_wrong', 'The time-stamp is not one of this signature.');
  }
  assertTimeStampTime({ genTime: timeStampToken.genTime, signingTime }, certificate);
  const cms = encodeSignedData({
    contentType: 'data',
    algorithm: credential.algorithm,
    signedAttributes,
    signature: signed.signature,
    signerCertificate: credential.certificate,
    certificates: [credential.certificate, ...credential.chain],
    signatureTimeStamp: timeStampToken.der,
  });
  const [, , second, rest] = prepared.byteRange;
  return new SealedDocument({
    increment: embedContents(prepared, cms),
    size: second + rest,
    signingTime,
    genTime: timeStampToken.genTime,
    fieldName: prepared.fieldName,
    cms,
    timeStampToken,
  });
}
