export { assertKeyAttributes, type KeyAttributes } from './key-attributes.ts';
export type { KeyDepartures } from './key-departures.ts';
export type { Lane } from './lane.ts';
export { LanePool, type LanePoolOptions } from './lane-pool.ts';
export { getFailureClass, Pkcs11Failure } from './pkcs11-failure.ts';
export { loadModule, type ModuleInfo, type Pkcs11Module } from './pkcs11-module.ts';
export {
  classifyReturnCode,
  parseReturnCode,
  type ReturnCodeClass,
  type ReturnCodeProfile,
  returnCodeClasses,
} from './return-code.ts';
export type { SigningKey } from './signing-key.ts';
export type { GeneratedKey, Token } from './token.ts';
export type { TokenInfo } from './token-info.ts';
export type { VerificationKey } from './verification-key.ts';
