export { createSandboxKey } from './make-secrets.ts';
export { writeSamplePdf } from './sample-pdf.ts';
