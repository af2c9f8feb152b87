import { type DigestName, findDigestByOid } from '@sigillum/algorithms';
import { isSigillumError } from '@sigillum/errors';
import {
  type Certificate,
  cmsOids,
  decodeOctetString,
  decodeOid,
  equalBytes,
  isNamedBySha1,
  matchesCertificate,
  parseSigningCertificateV2,
  readIssuerAndSerial,
} from '@sigillum/pki';
import { hasKnownAlgorithms, verifyValue } from './check-algorithms.ts';
import { isStrongKey, readCertificates } from './check-certificates.ts';
import type { Findings } from './findings.ts';
import { type Cms, type CmsSigner, readCms } from './read-cms.ts';

/** What a CMS signature over a document says, as far as its own bytes and the document's can prove it. */
export type CheckedSignature = {
  /** Digests and signature values of all signers are right. */
  readonly intact: boolean;
  readonly signer: Certificate | undefined;
  /** All certificates of the CMS. */
  readonly bag: readonly Certificate[];
  readonly algorithm: string | undefined;
  /** SignerInfo.signature: what a time-stamp is over. */
  readonly signature: Uint8Array;
  readonly timeStamps: readonly Uint8Array[];
};

/** adbe-revocationInfoArchival: what PAdES keeps in the DSS (EN 319 142-1 §6.3). */
const adobeRevocation = '1.2.840.113583.1.1.8';

const unsignedOnly = ['1.2.840.113549.1.9.6', cmsOids.signatureTimeStamp];

/**
 * Checks the CMS of a detached signature (RFC 5652, EN 319 122-1, EN 319 142-1 §6.3) but for the trust in its certificates.
 *
 * @param digestDocument the digest over the ByteRange
 */
export function checkSignature(
  der: Uint8Array,
  digestDocument: (name: DigestName) => Uint8Array,
  findings: Findings,
): CheckedSignature | undefined {
  const cms = readCms(der, findings);
  if (cms === undefined) return undefined;
  const bag = readCertificates(cms.certificates, findings);
  if (cms.hasContent) findings.add('cms_content_inside');
  if (cms.contentType !== cmsOids.data) findings.add('content_type_wrong');
  // RFC 5652 §5.1: id-data, certificates of X.509 only and signers of version 1 make version 1
  if (cms.version !== 1) findings.add('cms_malformed', 'It says a version that it is not of.');
  if (cms.hasRevocation) findings.add('cms_revocation_inside');
  if (cms.signers.length > 1) findings.add('several_signers');
  const checked = cms.signers.map((signer) => checkSigner(cms, signer, bag, digestDocument, findings));
  const [first] = checked;
  const [info] = cms.signers;
  if (first === undefined || info === undefined) return undefined;
  return {
    intact: checked.every(({ intact }) => intact) && !cms.hasContent,
    signer: first.certificate,
    bag,
    algorithm: describeAlgorithm(info, first.certificate),
    signature: info.signature,
    timeStamps: (info.unsignedAttributes.get(cmsOids.signatureTimeStamp) ?? []).map(({ bytes }) => bytes),
  };
}

function checkSigner(
  cms: Cms,
  signer: CmsSigner,
  bag: readonly Certificate[],
  digestDocument: (name: DigestName) => Uint8Array,
  findings: Findings,
): { intact: boolean; certificate: Certificate | undefined } {
  checkAttributes(signer, findings);
  const certificate = findSigner(signer, bag, findings);
  const digest = findDigestByOid(signer.digestOid);
  if (digest === undefined) findings.add('algorithm_weak', 'The digest algorithm is not accepted.');
  else if (!hasKnownAlgorithms(cms, signer)) findings.add('cms_algorithms_wrong');
  if (certificate === undefined) findings.add('signer_certificate_missing');
  else if (!isStrongKey(certificate.publicKey)) findings.add('algorithm_weak', 'The key is not accepted.');
  if (certificate === undefined || digest === undefined) return { intact: false, certificate };

  const actual = digestDocument(digest.name);
  const said = signer.attributes.get(cmsOids.messageDigest);
  const isSame = said !== undefined && isOctets(said) && equalBytes(decodeOctetString(said), actual);
  if (said === undefined) findings.add('signed_attributes_wrong', 'message-digest');
  else if (!isSame) findings.add('hash_failure');
  const isRight = hasKnownAlgorithms(cms, signer) && isValueRight(signer, certificate);
  if (!isRight) findings.add('signature_wrong');
  return { intact: isSame && isRight, certificate };
}

function isValueRight(signer: CmsSigner, certificate: Certificate): boolean {
  try {
    return verifyValue(signer, certificate.publicKey);
  } catch (error) {
    if (isCryptoError(error)) return false;
    throw error;
  }
}

/** OpenSSL throws where a key can't be used as the algorithm wants. */
function isCryptoError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && String(error.code).startsWith('ERR_');
}

function checkAttributes(signer: CmsSigner, findings: Findings): void {
  const { attributes } = signer;
  if (!signer.attributesAreWellFormed) findings.add('signed_attributes_wrong');
  const contentType = attributes.get(cmsOids.contentType);
  if (contentType === undefined) findings.add('signed_attributes_wrong', 'content-type');
  else if (contentType.tag !== 0x06 || decodeOid(contentType) !== cmsOids.data) findings.add('content_type_wrong');
  if (attributes.has(cmsOids.signingTime)) findings.add('signing_time_attribute');
  if (attributes.has(adobeRevocation)) findings.add('attribute_not_baseline', 'adbe-revocationInfoArchival');
  // RFC 5652 §11.4, RFC 3161 appendix A: what is made of a signature can't be signed by it
  const misplaced = unsignedOnly.find((type) => attributes.has(type));
  if (misplaced !== undefined) findings.add('signed_attributes_wrong', `${misplaced} can not be signed.`);
  if (signer.unsignedIsEmpty) findings.add('cms_malformed', 'Unsigned attributes are there but empty.');
  if (new Set(signer.unsignedTypes).size !== signer.unsignedTypes.length) {
    findings.add('cms_malformed', 'An unsigned attribute comes twice.');
  }
  const others = signer.unsignedTypes.filter((type) => type !== cmsOids.signatureTimeStamp);
  if (others.length > 0) findings.add('attribute_not_baseline', others[0]);
}

/** The certificate that the SignerInfo names; the one that the ESS attribute names must be the same. */
function findSigner(signer: CmsSigner, bag: readonly Certificate[], findings: Findings): Certificate | undefined {
  const named = bag.find(({ der }) => {
    const { issuer, serialNumber } = readIssuerAndSerial(der);
    return equalBytes(issuer, signer.sid.issuer) && equalBytes(serialNumber, signer.sid.serialNumber);
  });
  const attribute = signer.attributes.get(cmsOids.signingCertificateV2);
  const older = signer.attributes.get(cmsOids.signingCertificate);
  try {
    // it proves nothing, but must not say something else
    if (older && named && !isNamedBySha1(older, named.der)) findings.add('signing_certificate_mismatch', 'by SHA-1');
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    findings.add('signing_certificate_mismatch', error.message);
  }
  if (attribute === undefined) {
    findings.add('signing_certificate_attribute_missing');
    return named;
  }
  try {
    const id = parseSigningCertificateV2(attribute);
    if (named !== undefined && !matchesCertificate(id, named.der)) findings.add('signing_certificate_mismatch');
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    findings.add('signing_certificate_mismatch', error.message);
  }
  return named;
}

function isOctets(node: { readonly tag: number }): boolean {
  return node.tag === 0x04;
}

function describeAlgorithm(signer: CmsSigner, certificate: Certificate | undefined): string | undefined {
  const key = certificate?.publicKey;
  const digest = findDigestByOid(signer.digestOid)?.name;
  if (key === undefined || digest === undefined) return undefined;
  const size = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyDetails?.modulusLength;
  return `${key.asymmetricKeyType} ${size ?? ''} ${digest}`;
}
