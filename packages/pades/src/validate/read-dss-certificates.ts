import { isSigillumError } from '@sigillum/errors';
import { isPdfArray, type PdfDocument, PdfStream } from '@sigillum/pdf';
import type { Certificate } from '@sigillum/pki';
import { findCertificate } from './check-certificates.ts';

/** Certificates taken from a DSS at most; paths through them are searched in bounded steps. */
const maxCertificates = 64;

export type DssFacts = {
  readonly certificates: readonly Certificate[];
  readonly hasRevocation: boolean;
};

/** What the document security store holds, as help for building paths: what it says is believed only when a path verifies. */
export function readDss(document: PdfDocument): DssFacts {
  try {
    const dss = document.findDict(document.catalog.find('DSS'), 'The document security store');
    const list = dss && document.find(dss, 'Certs');
    const certificates = (isPdfArray(list) ? list.slice(0, maxCertificates) : []).flatMap((value) => {
      const stream = document.resolve(value);
      return stream instanceof PdfStream ? (findCertificate(new Uint8Array(document.readStream(stream))) ?? []) : [];
    });
    const hasRevocation = dss !== undefined && ['CRLs', 'OCSPs'].some((key) => isFilled(document.find(dss, key)));
    return { certificates, hasRevocation };
  } catch (error) {
    if (isSigillumError(error)) return { certificates: [], hasRevocation: false };
    throw error;
  }
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
