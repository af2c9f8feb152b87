import { embedContents } from '../prepare/embed-contents.ts';
import { encodeCms } from './sealed-document.ts';
import type { SignedDigest } from './signed-digest.ts';

/**
 * A signature without a time-stamp (B-B): a type of its own, so that nobody takes it for a seal by mistake. The product's
 * services never make one.
 */
export class UnstampedDocument {
  /** Exists for the compiler only: a private member makes the type nominal. */
  declare private readonly unstamped: true;
  readonly level = 'b-b';
  /** What follows the input's bytes, CMS in place. */
  readonly increment: Uint8Array;
  /** Bytes of the signed file: input and increment. */
  readonly size: number;
  /** `/M`: no more than the signer's word. */
  readonly signingTime: Date;
  readonly fieldName: string;
  /** The CMS, without the padding. */
  readonly cms: Uint8Array;

  constructor(fields: Omit<UnstampedDocument, 'unstamped' | 'level'>) {
    this.increment = fields.increment;
    this.size = fields.size;
    this.signingTime = fields.signingTime;
    this.fieldName = fields.fieldName;
    this.cms = fields.cms;
    Object.freeze(this);
  }
}

/** The CMS in its place, without a time-stamp. Throws `pades_contents_overflow`: then prepare again with more room. */
export function assembleUnstamped(signed: SignedDigest): UnstampedDocument {
  const { prepared, signingTime } = signed.toSign;
  const cms = encodeCms(signed, undefined);
  const [, , second, rest] = prepared.byteRange;
  return new UnstampedDocument({
    increment: embedContents(prepared, cms),
    size: second + rest,
    signingTime,
    fieldName: prepared.fieldName,
    cms,
  });
}
