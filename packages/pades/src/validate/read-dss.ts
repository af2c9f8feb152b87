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
  /** Where the store's newest dictionary stands: signatures that end before it came before it. 0 without a store. */
  readonly offset: number;
  readonly certificates: readonly Certificate[];
  readonly crls: readonly Stored<CertificateList>[];
  readonly ocsps: readonly Stored<OcspResponse>[];
};

/**
 * What the document security store holds (ISO 32000-2 §12.8.4.3). Nobody signs it, so it is only help: certificates are
 * believed when a path verifies, lists and answers when their issuers signed them. What can't be read is nothing.
 */
export function readDss(document: PdfDocument): DssFacts {
  const budget = { bytes: validationLimits.dssBytes };
  return {
    offset: findStore(document),
    certificates: readList(document, 'Certs', parseCertificate, validationLimits.dssCertificates, budget).map(
      ({ value }) => value,
    ),
    crls: readList(document, 'CRLs', parseCrl, validationLimits.dssLists, budget),
    ocsps: readList(document, 'OCSPs', parseOcspResponse, validationLimits.dssLists, budget),
  };
}

function findStore(document: PdfDocument): number {
  const value = document.catalog.find('DSS');
  if (value === undefined) return 0;
  const entry = document.findEntry((value instanceof PdfRef ? value : document.catalogRef).number);
  const home = entry?.type === 'compressed' ? document.findEntry(entry.container) : entry;
  return home?.type === 'plain' ? home.offset + document.base : 0;
}

function readList<Value>(
  document: PdfDocument,
  key: string,
  parse: (der: Uint8Array) => Value,
  most: number,
  budget: { bytes: number },
): readonly Stored<Value>[] {
  // one list that stands there hundreds of times is read once
  const read = new Set<number>();
  return (
    findReadable(() => {
      const dss = document.findDict(document.catalog.find('DSS'), 'The document security store');
      const list = dss && document.find(dss, key);
      return isPdfArray(list) ? list : [];
    }) ?? []
  )
    .slice(0, most)
    .flatMap((entry) => {
      if (!(entry instanceof PdfRef) || read.has(entry.number)) return [];
      read.add(entry.number);
      const place = document.findEntry(entry.number);
      if (place?.type !== 'plain' || budget.bytes <= 0) return [];
      const value = findReadable(() => {
        const stream = document.resolve(entry);
        if (!(stream instanceof PdfStream)) return undefined;
        const der = Uint8Array.from(document.readStream(stream));
        budget.bytes -= der.length;
        return budget.bytes < 0 ? undefined : parse(der);
      });
      return value === undefined ? [] : [{ value, offset: place.offset + document.base }];
    });
}
