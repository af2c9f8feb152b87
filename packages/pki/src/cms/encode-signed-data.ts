import { getDigestOf, getSignatureAlgorithm, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { compareBytes, equalBytes } from '../der/compare-bytes.ts';
import {
  encodeExplicit,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSet,
  encodeTlv,
  retag,
} from '../der/encode-der.ts';
import { contextTag } from '../der/tags.ts';
import { encodeAttribute } from './encode-signed-attributes.ts';
import { type IssuerAndSerial, readIssuerAndSerial } from './issuer-and-serial.ts';
import { cmsOids, type SignedContentType } from './oids.ts';

export type SignedDataInput = {
  readonly contentType: SignedContentType;
  /** eContent; left out for a detached signature. */
  readonly content?: Uint8Array | undefined;
  readonly algorithm: SignatureAlgorithmName;
  /** The SET OF that was signed. */
  readonly signedAttributes: Uint8Array;
  /** ECDSA as DER ECDSA-Sig-Value. */
  readonly signature: Uint8Array;
  /** The signer's certificate, DER. Whether it is embedded is said by `certificates`. */
  readonly signerCertificate: Uint8Array;
  /** Its name, for those who know it already. */
  readonly signerName?: IssuerAndSerial | undefined;
  /** What goes into SignedData.certificates; doubles are dropped, none leaves the field out. */
  readonly certificates: readonly Uint8Array[];
  /** A token over `signature`, as unsigned attribute. */
  readonly signatureTimeStamp?: Uint8Array | undefined;
};

/**
 * ContentInfo with a SignedData of one SignerInfo, in DER throughout (RFC 5652 §5): SignerInfo version 1 by
 * issuerAndSerialNumber; SignedData version 1 for id-data and 3 for any other content type (§5.1).
 */
export function encodeSignedData(input: SignedDataInput): Uint8Array {
  // RFC 5754 §2: SHA-2 identifiers without parameters.
  const digestAlgorithm = encodeSequence(encodeOid(getDigestOf(input.algorithm).oid));
  const name = input.signerName ?? readIssuerAndSerial(input.signerCertificate);
  const signerInfo = [
    encodeInteger(1),
    encodeSequence(name.issuer, name.serialNumber),
    digestAlgorithm,
    // [0] IMPLICIT: the same bytes under another tag (RFC 5652 §5.3).
    retag(contextTag(0), input.signedAttributes),
    getSignatureAlgorithm(input.algorithm).identifierDer,
    encodeOctetString(input.signature),
  ];
  if (input.signatureTimeStamp) {
    signerInfo.push(encodeTlv(contextTag(1), encodeAttribute(cmsOids.signatureTimeStamp, input.signatureTimeStamp)));
  }
  const content = input.content ? [encodeExplicit(0, encodeOctetString(input.content))] : [];
  const signedData = [
    encodeInteger(input.contentType === 'data' ? 1 : 3),
    encodeSet(digestAlgorithm),
    encodeSequence(encodeOid(cmsOids[input.contentType]), ...content),
  ];
  const certificates = input.certificates.toSorted(compareBytes).filter((certificate, index, sorted) => {
    const previous = sorted[index - 1];
    return !previous || !equalBytes(previous, certificate);
  });
  if (certificates.length > 0) signedData.push(encodeTlv(contextTag(0), ...certificates));
  signedData.push(encodeSet(encodeSequence(...signerInfo)));
  return encodeSequence(encodeOid(cmsOids.signedData), encodeExplicit(0, encodeSequence(...signedData)));
}
