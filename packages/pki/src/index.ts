// der
export { compareBytes, equalBytes } from './der/compare-bytes.ts';
export { concatBytes } from './der/concat-bytes.ts';
export {
  decodeBitString,
  decodeBoolean,
  decodeInteger,
  decodeNamedBits,
  decodeOctetString,
  decodeOid,
  decodeSmallInteger,
} from './der/decode-der.ts';
export { DerFields } from './der/der-fields.ts';
export { decodeTime, encodeGeneralizedTime, encodeTime } from './der/der-time.ts';
export {
  encodeBitString,
  encodeBoolean,
  encodeEnumerated,
  encodeExplicit,
  encodeIa5String,
  encodeImplicitPrimitive,
  encodeInteger,
  encodeNamedBits,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodePrintableString,
  encodeSequence,
  encodeSet,
  encodeTlv,
  encodeUnsignedInteger,
  encodeUtf8String,
  retag,
} from './der/encode-der.ts';
export { type DerLimits, type DerNode, readDer } from './der/read-der.ts';
export { contextTag, primitiveContextTag, tags } from './der/tags.ts';
// pem
export { decodePem, encodePem, type PemLabel } from './pem/pem.ts';
// x509
export { assertCertificateMatches } from './x509/assert-certificate-matches.ts';
export { assertIssuedBy } from './x509/assert-issued-by.ts';
export type { Certificate } from './x509/certificate.ts';
export { isIssuedBy } from './x509/is-issued-by.ts';
export {
  type CertificateProfile,
  type CertificateProfileName,
  certificateProfileNames,
  getCertificateProfile,
} from './x509/certificate-profile.ts';
export type { CertificateRequest } from './x509/certificate-request.ts';
export { developmentMark } from './x509/development-mark.ts';
export type { DigestSigner, MessageSigner } from './x509/digest-signer.ts';
export { createName, type DistinguishedName, type NameAttribute } from './x509/distinguished-name.ts';
export { issueCertificate } from './x509/issue-certificate.ts';
export { computeKeyIdentifier } from './x509/key-identifier.ts';
export { KnownCertificates } from './x509/known-certificates.ts';
export type { ExtendedKeyUsageName, KeyUsageName } from './x509/key-usage.ts';
export { listProfileProblems } from './x509/list-profile-problems.ts';
export { findKeySpecOf, parseCertificate } from './x509/parse-certificate.ts';
export { createSerialNumber } from './x509/serial-number.ts';
// crl
export type { CertificateList, CrlScope, RevokedCertificate, RevokedCertificates } from './crl/certificate-list.ts';
export { isInCrlScope } from './crl/crl-scope.ts';
export { type CrlRequest, issueCrl } from './crl/issue-crl.ts';
export { parseCrl } from './crl/parse-crl.ts';
export { type RevocationReason, revocationReasons } from './crl/revocation-reason.ts';
export { verifyCrl } from './crl/verify-crl.ts';
// ocsp
export type { CertificateIdHash, OcspCertificateId } from './ocsp/ocsp-certificate-id.ts';
export { encodeOcspRequest, type OcspRequest } from './ocsp/ocsp-request.ts';
export type {
  OcspCertificateStatus,
  OcspResponderId,
  OcspResponse,
  OcspSingleResponse,
} from './ocsp/ocsp-response.ts';
export { ocspOids } from './ocsp/ocsp-oids.ts';
export { parseOcspResponse } from './ocsp/parse-ocsp-response.ts';
export { type OcspExpectation, type OcspVerdict, verifyOcspResponse } from './ocsp/verify-ocsp-response.ts';
// cms
export { encodeAttribute, encodeSignedAttributes } from './cms/encode-signed-attributes.ts';
export { encodeSignedData, type SignedDataInput } from './cms/encode-signed-data.ts';
export { getIssuerAndSerial, type IssuerAndSerial, readIssuerAndSerial } from './cms/issuer-and-serial.ts';
export { parseCertificateFile } from './cms/parse-certificate-file.ts';
export { cmsOids, type SignedContentType } from './cms/oids.ts';
export { parseSignedData, type SignedData, type SignerInfo } from './cms/parse-signed-data.ts';
export {
  type EssCertificateId,
  isNamedBySha1,
  matchesCertificate,
  parseSigningCertificateV2,
} from './cms/signing-certificate.ts';
export { hashContent, verifySigner } from './cms/verify-signer.ts';
// path
export { buildPath, type PathBudget } from './path/build-path.ts';
// tsp
export { encodeMessageImprint, type MessageImprint } from './tsp/message-imprint.ts';
export { findPkiFailure, type PkiFailure, pkiFailures } from './tsp/pki-failure.ts';
export { TimeStampRefusal } from './tsp/time-stamp-refusal.ts';
export { encodeTimeStampRequest, parseTimeStampRequest, type TimeStampRequest } from './tsp/time-stamp-request.ts';
export {
  encodeTimeStampFailure,
  encodeTimeStampResponse,
  parseTimeStampResponse,
  type TimeStampResponse,
} from './tsp/time-stamp-response.ts';
// The class itself stays inside: only verifyTimeStampToken makes a token.
export type { TimeStampToken, TimeStampTokenFields } from './tsp/time-stamp-token.ts';
export { encodeTstInfo, parseTstInfo, type TstInfo } from './tsp/tst-info.ts';
export { type TimeStampExpectation, verifyTimeStampToken } from './tsp/verify-time-stamp-token.ts';
