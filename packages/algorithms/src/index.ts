export {
  type DigestAlgorithm,
  type DigestName,
  digestAlgorithms,
  findDigestByOid,
  getDigestAlgorithm,
} from './digest-algorithm.ts';
export { findKeySpec, type KeySpec, type KeySpecName, keySpecs } from './key-spec.ts';
export {
  findSignatureAlgorithm,
  getDigestOf,
  getSignatureAlgorithm,
  type SignatureAlgorithm,
  type SignatureAlgorithmName,
  signatureAlgorithms,
} from './signature-algorithm.ts';
export { getVerifyParameters, type VerifyParameters } from './verify-parameters.ts';
