export { DevelopmentHome, type ReadyFile, type ServiceName } from './development-home.ts';
export {
  findProcessTree,
  listProcesses,
  type ProcessEntry,
  readMappedFiles,
  readOpenFiles,
  waitForEnd,
} from './process-table.ts';
export { makeSamplePdf, rewriteWithQpdf, type SampleKind } from './sample-pdf.ts';
export { type NtpBehaviour, NtpServerForTests } from './ntp-server-for-tests.ts';
export { type OpensslCertificate, OpensslPki, opensslExtensions, type OpensslKeyKind } from './openssl-pki.ts';
export { SoftwareSignerForTests } from './software-signer-for-tests.ts';
export { judgesDirectory } from './judges/find-judges.ts';
export type {
  JudgeName,
  Judgement,
  JudgeOptions,
  Opinion,
  Selection,
  SignatureFacts,
  Verdict,
  Word,
} from './judges/judgement.ts';
export { judgeNames } from './judges/judgement.ts';
export { makeJudgeSamples } from './judges/make-judge-samples.ts';
export { judgeFiles, Judges, wordOf } from './judges/judges.ts';
export type { PreparedTargets } from './forgeries/attack-targets.ts';
export { makeTargets } from './forgeries/attack-targets.ts';
export { findSeal, type FoundSeal } from './forgeries/find-seal.ts';
export type { Forgery, ForgeryTools, SealedSample } from './forgeries/forgery.ts';
export { makeLongTermForgeries } from './forgeries/long-term-forgeries.ts';
export { makeForgeries } from './forgeries/make-forgeries.ts';
export { sealBySoftware } from './forgeries/seal-by-software.ts';
export { makeSoftwareToken, makeSoftwareTokenOf } from './forgeries/make-software-token.ts';
export {
  createSoftwareInput,
  createSoftwareTimeStamps,
  extendBySoftware,
  sealAtLevel,
  type SoftwareSealOptions,
} from './forgeries/seal-at-level.ts';
export { makeSoftwareCrl, type SoftwareIdentity, SoftwarePki } from './forgeries/software-pki.ts';
export { makeSoftwareOcsp, SoftwareRevocation } from './forgeries/software-revocation.ts';
export { FaultShim } from './pkcs11-shim/fault-shim.ts';
export { expectedRefusals, knownDisagreements } from './input-attacks/expected-outcomes.ts';
export type { InputAttack } from './input-attacks/input-attack.ts';
export { makeInputAttacks } from './input-attacks/make-input-attacks.ts';
export { type TwoStageAttack, twoStageAttacks } from './input-attacks/two-stage-attacks.ts';
export { oddRefusals } from './odd-files/expected-refusals.ts';
export { makeOddFiles } from './odd-files/make-odd-files.ts';
export type { OddFile } from './odd-files/odd-file.ts';
export {
  type EngineName,
  engineNames,
  listMissingEngines,
  looksAlike,
  show,
  type Shown,
} from './input-attacks/reader-engines.ts';
