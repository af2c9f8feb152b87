import { isPdfArray, type PdfDocument, PdfRef, PdfStream } from '@sigillum/pdf';
import {
  type Certificate,
  type CertificateList,
  type OcspResponse,
  parseCertificate,
  parseCrl,
  parseOcspResponse,
} from '@sigillum/pki';
import { findReadable } from './find-readable.ts';
import { validationLimits } from './validation-limits.ts';

/** A value of the store, and where its object begins: what covers that offset proves that the value existed then. */
export type Stored<Value> = { readonly value: Value; readonly offset: number };

export type DssFacts = {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly Stored<CertificateList>[];
  readonly ocsps: readonly Stored<OcspResponse>[];
};

/**
 * What the document security store holds (ISO 32000-2 §12.8.4.3). Nobody signs it, so it is only help: certificates are
 * believed when a path verifies, lists and answers when their issuers signed them. What can't be read is nothing.
 */
export function readDss(document: PdfDocument): DssFacts {
  return {
    certificates: readList(document, 'Certs', parseCertificate, validationLimits.dssCertificates).map(
      ({ value }) => value,
    ),
    crls: readList(document, 'CRLs', parseCrl, validationLimits.dssLists),
    ocsps: readList(document, 'OCSPs', parseOcspResponse, validationLimits.dssLists),
  };
}

function readList<Value>(
  document: PdfDocument,
  key: string,
  parse: (der: Uint8Array) => Value,
  most: number,
): readonly Stored<Value>[] {
  return (
    findReadable(() => {
      const dss = document.findDict(document.catalog.find('DSS'), 'The document security store');
      const list = dss && document.find(dss, key);
      return isPdfArray(list) ? list : [];
    }) ?? []
  )
    .slice(0, most)
    .flatMap((entry) => {
      const place = entry instanceof PdfRef ? document.findEntry(entry.number) : undefined;
      if (place?.type !== 'plain') return [];
      const value = findReadable(() => {
        const stream = document.resolve(entry);
        return stream instanceof PdfStream ? parse(Uint8Array.from(document.readStream(stream))) : undefined;
      });
      return value === undefined ? [] : [{ value, offset: place.offset + document.base }];
    });
}
