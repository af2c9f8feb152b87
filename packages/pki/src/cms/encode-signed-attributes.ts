import { encodeOctetString, encodeOid, encodeSequence, encodeSet } from '../der/encode-der.ts';
import { type IssuerAndSerial, readIssuerAndSerial } from './issuer-and-serial.ts';
import { cmsOids, type SignedContentType } from './oids.ts';
import { encodeSigningCertificateV2 } from './signing-certificate.ts';

/**
 * The signed attributes as a DER SET OF, in the form that is hashed and signed (RFC 5652 §5.4): content-type,
 * message-digest and signing-certificate-v2, and nothing else (EN 319 142-1 §6.3: no signing-time).
 */
export function encodeSignedAttributes(input: {
  readonly contentType: SignedContentType;
  /** Digest of the document's byte ranges, or of the TSTInfo. */
  readonly messageDigest: Uint8Array;
  /** The signer's certificate, DER. */
  readonly certificate: Uint8Array;
  /** Its name, for those who know it already. */
  readonly signerName?: IssuerAndSerial | undefined;
}): Uint8Array {
  const name = input.signerName ?? readIssuerAndSerial(input.certificate);
  return encodeSet(
    encodeAttribute(cmsOids.contentType, encodeOid(cmsOids[input.contentType])),
    encodeAttribute(cmsOids.messageDigest, encodeOctetString(input.messageDigest)),
    encodeAttribute(cmsOids.signingCertificateV2, encodeSigningCertificateV2(input.certificate, name)),
  );
}

/** Attribute ::= SEQUENCE { attrType, attrValues SET OF } with one value. */
export function encodeAttribute(type: string, value: Uint8Array): Uint8Array {
  return encodeSequence(encodeOid(type), encodeSet(value));
}
