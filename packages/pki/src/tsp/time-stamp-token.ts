import type { MessageImprint } from './message-imprint.ts';

export type TimeStampTokenFields = {
  /** ContentInfo. */
  readonly der: Uint8Array;
  readonly genTime: Date;
  /** In milliseconds; undefined when the token doesn't say. */
  readonly accuracyMs: number | undefined;
  /** Lowercase hex. */
  readonly serialNumber: string;
  readonly policy: string;
  readonly imprint: MessageImprint;
  /** Content octets of the nonce INTEGER. */
  readonly nonce: Uint8Array | undefined;
  /** DER of the certificate that signed it. */
  readonly signerCertificate: Uint8Array;
  /** The path that was found, signer first, root last, DER. */
  readonly path: readonly Uint8Array[];
};

/**
 * A time-stamp token that has been verified. Only `verifyTimeStampToken` makes one: whoever asks for this type can't be
 * given bytes that nobody has checked.
 */
export class TimeStampToken implements TimeStampTokenFields {
  /** Exists for the compiler only: a private member makes the type nominal, so that no object literal fits it. */
  declare private readonly verified: true;
  readonly der: Uint8Array;
  readonly genTime: Date;
  readonly accuracyMs: number | undefined;
  readonly serialNumber: string;
  readonly policy: string;
  readonly imprint: MessageImprint;
  readonly nonce: Uint8Array | undefined;
  readonly signerCertificate: Uint8Array;
  readonly path: readonly Uint8Array[];

  constructor(fields: TimeStampTokenFields) {
    this.der = fields.der;
    this.genTime = fields.genTime;
    this.accuracyMs = fields.accuracyMs;
    this.serialNumber = fields.serialNumber;
    this.policy = fields.policy;
    this.imprint = fields.imprint;
    this.nonce = fields.nonce;
    this.signerCertificate = fields.signerCertificate;
    this.path = fields.path;
    Object.freeze(this);
  }
}
