export { addValidationData } from './extend/add-validation-data.ts';
export { appendToInput, appendToSource } from './extend/append-to-input.ts';
export { assembleDocumentTimeStamp } from './extend/assemble-document-time-stamp.ts';
export type { LeftAlone } from './extend/choose-extendable.ts';
export { type ExtendedDocument, extendDocument, type ExtensionRequest } from './extend/extend-document.ts';
export { prepareDocumentTimeStamp } from './extend/prepare-document-time-stamp.ts';
export { embedContents } from './prepare/embed-contents.ts';
export type { PrefixHash } from './prepare/prefix-hash.ts';
export type { PrepareInput, SealSigner } from './prepare/prepare-input.ts';
export { type PrepareOptions, prepareSignature } from './prepare/prepare-signature.ts';
export type { EarlierSignatureState, PreparedSignature } from './prepare/prepared-signature.ts';
export type { FieldPlace, PlacedAppearance, SealAppearance } from './prepare/seal-appearance.ts';
export type { Random, SealOptions } from './prepare/seal-options.ts';
// The classes of the steps are exported as types: only their functions make them, so no step can be left out.
export { maxTimeDifferenceMs } from './seal/assert-seal-times.ts';
export { type AttributesToSign, createSignedAttributes } from './seal/attributes-to-sign.ts';
export { estimateContentsSize, estimateTokenRoom, unknownTokenSize } from './seal/estimate-contents-size.ts';
export {
  type SealHooks,
  type SealPorts,
  type SealRequest,
  sealDocument,
  type UnstampedSealRequest,
} from './seal/seal-document.ts';
export { type Freshness, listSealChains } from './seal/list-seal-chains.ts';
export { listTokenCertificates, type RaiseHooks, type RaisePorts } from './seal/raise-level.ts';
export type { RevocationData, RevocationRequest, RevocationSource } from './seal/revocation-source.ts';
export { type SealLevel, sealLevels } from './seal/seal-level.ts';
export { assembleSeal, type SealedDocument } from './seal/sealed-document.ts';
export { assembleUnstamped, type UnstampedDocument } from './seal/unstamped-document.ts';
export { acceptSignature, getTimeStampImprint, type SignedDigest } from './seal/signed-digest.ts';
export type { SigningCredential } from './seal/signing-credential.ts';
export type { TimeStampSource } from './seal/time-stamp-source.ts';
export { type CheckCode, type CheckDefinition, checks, type Indication } from './validate/checks.ts';
export type { JudgedDocument } from './validate/judge-document.ts';
export { examineSignatures, validateSignatures } from './validate/validate-signatures.ts';
export type { SignatureChoice, ValidationOptions } from './validate/validation-options.ts';
export type {
  CertificateFacts,
  ChangeLevel,
  Finding,
  RevocationState,
  SignatureReport,
  TimeStampFacts,
  ValidationProfile,
  ValidationReport,
} from './validate/validation-report.ts';
