export { type KeyManifest, parseKeyManifest } from './key-manifest.ts';
export { checkSignerIdentity, hashSignerUri, listUriNames } from './server-identity.ts';
export { SignerClient, type SignerClientOptions, type SignerClientTls, type SignResult } from './signer-client.ts';
export {
  algorithmSchema,
  type HealthAnswer,
  healthAnswerSchema,
  type KeysAnswer,
  keyIdSchema,
  keysAnswerSchema,
  MAX_ANSWER_BYTES,
  MAX_DIGESTS,
  MAX_REQUEST_BYTES,
  MAX_TIMEOUT_MS,
  type MethodName,
  methodNames,
  type Purpose,
  purposeNames,
  type SignContext,
  type SignDigestsAnswer,
  type SignDigestsRequest,
  signContextSchema,
  signDigestsAnswerSchema,
  signDigestsRequestSchema,
} from './wire.ts';
