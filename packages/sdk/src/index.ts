export { SigillumApiError, type WireProblem } from './api-error.ts';
export type { UploadedDocument } from './document-request.ts';
export type { LocalDocument } from './local/local-document.ts';
export type { LocallySealedPdf } from './local/locally-sealed-pdf.ts';
export type { SealLocallyOptions } from './local/seal-locally.ts';
export { ExtendedPdf, PdfDownload, SealedPdf } from './pdf-download.ts';
export type { CredentialResource, Page, SealResource, StatusResource } from './resources.ts';
export type { SealRequestOptions } from './seal-request-options.ts';
export {
  type ExtendOptions,
  type KeepOptions,
  type PageOptions,
  type SealDocumentOptions,
  SigillumClient,
  type SigillumClientOptions,
} from './sigillum-client.ts';
