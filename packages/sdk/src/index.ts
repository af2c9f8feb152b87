export { SigillumApiError, type WireProblem } from './api-error.ts';
export type { CredentialResource, Page, SealResource, StatusResource } from './resources.ts';
export { SealedPdf } from './sealed-pdf.ts';
export {
  type PageOptions,
  type SealDocumentOptions,
  SigillumClient,
  type SigillumClientOptions,
} from './sigillum-client.ts';
