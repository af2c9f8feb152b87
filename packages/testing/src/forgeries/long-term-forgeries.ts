import { assembleDocumentTimeStamp, prepareDocumentTimeStamp } from '@sigillum/pades';
import {
  createArraySource,
  isPdfArray,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfNewStream,
  PdfRef,
  PdfStream,
} from '@sigillum/pdf';
import { equalBytes, parseCertificate, parseCrl, verifyTimeStampToken } from '@sigillum/pki';
import { type ForgedFile, forged, type ForgeryTools } from './forgery.ts';
import { makeSoftwareTokenOf } from './make-software-token.ts';
import { createSoftwareInput, extendBySoftware, sealAtLevel } from './seal-at-level.ts';
import { makeSoftwareCrl, type SoftwarePki } from './software-pki.ts';
import { updateObjects } from './update-objects.ts';

/** Broken files of level B-LTA, made of a document by its seal and archive, with the tools of a forger. */
export async function makeLongTermForgeries(
  document: Uint8Array,
  { pki, strangers }: ForgeryTools,
): Promise<readonly ForgedFile[]> {
  const { bytes: longTerm } = await sealAtLevel(document, pki, { level: 'b-lt' });
  const { bytes: archived } = await extendBySoftware(longTerm, pki, { to: 'b-lta' });
  const other = await sealAtLevel(document, pki, { level: 'b-lta', options: { reason: 'Something else' } });
  const hour = 3_600_000;
  const time = new Date(pki.now.getTime() - 2 * hour);
  const revoked = new Map([[parseCertificate(pki.leaf.certificate).serialNumber, { time, reason: undefined }]]);
  // newer than the list that it takes the place of, or it is chance which one a judge believes
  const revoking = await makeSoftwareCrl(pki.issuing, new Date(pki.now.getTime() + hour / 2), revoked);
  return [
    forged('lta-dss-removed', 'the store of validation data is taken out', dropStore(archived)),
    forged(
      'lt-crl-revoking',
      'the list in the store says that the signer was revoked',
      swapCrl(longTerm, pki, revoking),
    ),
    forged('lta-crl-revoking', 'the same behind an archive time-stamp', swapCrl(archived, pki, revoking)),
    forged('lta-crl-flipped', 'a bit of a list that the archive time-stamp covers', flipCrl(archived)),
    forged('lta-token-flipped', 'a bit of the archive time-stamp', flipToken(archived)),
    forged('lta-token-of-another', "another file's archive time-stamp", swapToken(archived, other.bytes)),
    forged('lta-token-by-stranger', 'archived by an authority that nobody trusts', stamp(longTerm, strangers, pki.now)),
    forged('lta-token-backdated', 'archived a day before it was sealed', stamp(longTerm, pki, before(pki))),
    forged(
      'lta-page-changed',
      'a page changed between seal and archive time-stamp',
      stamp(turn(longTerm), pki, pki.now),
    ),
    forged('lta-changed-afterwards', 'a page changed after the archive time-stamp', turn(archived)),
  ];
}

function before({ now }: SoftwarePki): Date {
  return new Date(now.getTime() - 24 * 3_600_000);
}

function dropStore(bytes: Uint8Array): Uint8Array {
  return updateObjects(bytes, (update, document) =>
    update.set(document.catalogRef, document.catalog.with({ DSS: undefined })),
  );
}

/** Puts another list where that of the issuing CA stands. */
function swapCrl(bytes: Uint8Array, pki: SoftwarePki, crl: Uint8Array): Uint8Array {
  return updateObjects(bytes, (update, document) => {
    const found = listCrls(document).find(({ stream }) => isOf(document.readStream(stream), pki.issuing.certificate));
    if (!found) throw new Error('the file has no list of the issuing CA');
    update.set(found.ref, new PdfNewStream(new PdfDict(), crl));
  });
}

function flipCrl(bytes: Uint8Array): Uint8Array {
  const [first] = listCrls(openPdf(createArraySource(bytes)));
  if (!first) throw new Error('the file has no list');
  const copy = Buffer.from(bytes);
  const at = first.stream.dataOffset + 100;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

function listCrls(document: PdfDocument): readonly { readonly ref: PdfRef; readonly stream: PdfStream }[] {
  const store = document.getDict(document.catalog.find('DSS'), 'The store');
  const list = document.find(store, 'CRLs');
  return (isPdfArray(list) ? list : []).flatMap((ref) => {
    const stream = document.resolve(ref);
    return ref instanceof PdfRef && stream instanceof PdfStream ? [{ ref, stream }] : [];
  });
}

function isOf(crl: Uint8Array, issuer: Uint8Array): boolean {
  return equalBytes(parseCrl(crl).issuer.der, parseCertificate(issuer).subject.der);
}

/** The gap of the archive time-stamp, the last signature of the file: offsets of its first and behind its last digit. */
function findLastGap(bytes: Uint8Array): { readonly start: number; readonly end: number } {
  const text = Buffer.from(bytes).toString('latin1');
  const range = [...text.matchAll(/\/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)/g)].at(-1);
  return { start: Number(range?.[1]) + 1, end: Number(range?.[2]) - 1 };
}

function flipToken(bytes: Uint8Array): Uint8Array {
  const { start } = findLastGap(bytes);
  const copy = Buffer.from(bytes);
  // inside the TSTInfo, which comes early
  const at = start + 2 * 120;
  copy[at] = copy[at] === 0x31 ? 0x32 : 0x31;
  return copy;
}

function swapToken(bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const [to, from] = [findLastGap(bytes), findLastGap(other)];
  const copy = Buffer.from(bytes);
  copy.set(other.subarray(from.start, from.end), to.start);
  return copy;
}

/** An archive time-stamp by any authority at any time. */
function stamp(bytes: Uint8Array, { tsu, root }: SoftwarePki, time: Date): Uint8Array {
  const prepared = prepareDocumentTimeStamp(
    createSoftwareInput(bytes, 'sha256'),
    { contentsSize: 8192 },
    (length) => new Uint8Array(length),
  );
  const imprint = { algorithm: prepared.digestAlgorithm, digest: prepared.digest };
  const token = verifyTimeStampToken(makeSoftwareTokenOf(tsu, imprint, time), { imprint, roots: [root.certificate] });
  return Buffer.concat([bytes, assembleDocumentTimeStamp(prepared, token)]);
}

/** The first page, turned. */
function turn(bytes: Uint8Array): Uint8Array {
  return updateObjects(bytes, (update, document) => {
    const pages = document.getDict(document.catalog.find('Pages'), 'The pages');
    const kids = document.find(pages, 'Kids');
    const ref = isPdfArray(kids) ? kids[0] : undefined;
    if (!(ref instanceof PdfRef)) throw new Error('the file has no page');
    const page = document.getDict(ref, 'The page');
    update.set(ref, page.with({ Rotate: 180 }));
  });
}
