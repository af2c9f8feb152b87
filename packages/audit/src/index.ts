export { canonicalJson } from './canonical-json.ts';
export { nextHash, startOfChain } from './chain.ts';
export { type ChainLine, encodeChainLine, findChainLine, type ReadChainLine } from './chain-line.ts';
export type { JsonObject, JsonValue } from './json-value.ts';
export {
  type ChainHead,
  type ChainKnowledge,
  type ChainProblem,
  type ChainProblemKind,
  type ChainReport,
  ChainVerifier,
  splitLines,
  verifyChain,
} from './verify-chain.ts';
export type { AuditFile, AuditFileSystem } from './audit-file-system.ts';
export { AuditLog, type AuditLogOptions } from './audit-log.ts';
export { createNodeFileSystem } from './node-file-system.ts';
export { findLastAuditEvent, readAuditEvents } from './read-audit-events.ts';
export {
  type AuditLogReport,
  type AuditSegment,
  verifyAuditLog,
  type VerifyAuditLogOptions,
} from './verify-audit-log.ts';
