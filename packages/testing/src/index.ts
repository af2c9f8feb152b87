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
export { type OpensslCertificate, OpensslPki, opensslExtensions, type OpensslKeyKind } from './openssl-pki.ts';
export { SoftwareSignerForTests } from './software-signer-for-tests.ts';
