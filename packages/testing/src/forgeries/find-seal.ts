import {
  createArraySource,
  isPdfArray,
  listFormFields,
  openPdf,
  type PdfDict,
  type PdfDocument,
  PdfRef,
} from '@sigillum/pdf';
import { contextTag, type DerNode, equalBytes, readDer, tags } from '@sigillum/pki';

/** Where the last seal of a file lies, for those who want to spoil it. */
export type FoundSeal = {
  readonly document: PdfDocument;
  readonly field: { readonly ref: PdfRef; readonly dict: PdfDict };
  readonly signature: { readonly ref: PdfRef; readonly dict: PdfDict };
  readonly byteRange: readonly [number, number, number, number];
  /** The whole gap, `<` and `>` included. */
  readonly gap: Uint8Array;
  /** Without the padding. */
  readonly cms: Uint8Array;
  readonly parts: CmsParts & { readonly token: DerNode };
};

/** Elements of a SignedData; their bytes are views of it. */
export type CmsParts = {
  readonly whole: DerNode;
  readonly content: DerNode;
  readonly signedAttributes: DerNode;
  readonly signatureValue: DerNode;
  /** The certificate that SignerInfo names. */
  readonly certificate: DerNode;
  /** Another one beside it. */
  readonly authority: DerNode;
  /** The ContentInfo of the signature time-stamp; a time-stamp itself has none. */
  readonly token: DerNode | undefined;
};

/** Finds the seal that reaches farthest. Throws when the file has none with a time-stamp. */
export function findSeal(bytes: Uint8Array): FoundSeal {
  const document = openPdf(createArraySource(bytes));
  const found: FoundSeal[] = [];
  for (const field of listFormFields(document)) {
    if (field.type !== 'Sig' || !(field.value instanceof PdfRef) || field.ref === undefined) continue;
    const dict = document.getDict(field.value, 'A signature');
    const range = dict.find('ByteRange');
    const [start, length, second, rest] = isPdfArray(range) ? range.map(Number) : [];
    if (start !== 0 || length === undefined || second === undefined || rest === undefined) continue;
    const gap = bytes.subarray(length, second);
    const cms = readPaddedDer(Buffer.from(Buffer.from(gap).toString('latin1').slice(1, -1), 'hex'));
    const parts = findCmsParts(readDer(cms));
    const { token } = parts;
    if (!token) continue;
    found.push({
      document,
      field: { ref: field.ref, dict: field.dict },
      signature: { ref: field.value, dict },
      byteRange: [start, length, second, rest],
      gap,
      cms,
      parts: { ...parts, token },
    });
  }
  const last = found.toSorted((a, b) => a.byteRange[2] + a.byteRange[3] - b.byteRange[2] - b.byteRange[3]).at(-1);
  if (!last) throw new Error('the file has no seal');
  return last;
}

/** Elements of a SignedData with one signer by issuer and serial number (RFC 5652 §5.1, §5.3). */
export function findCmsParts(whole: DerNode): CmsParts {
  const signedData = whole.children[1]?.children[0]?.children ?? [];
  const [, , content, certificates] = signedData;
  const signer = signedData.at(-1)?.children[0]?.children ?? [];
  const [, sid] = signer;
  const [issuer, serialNumber] = sid?.children ?? [];
  const isSigner = ({ children: [tbs] }: DerNode) =>
    isSame(tbs?.children[3], issuer) && isSame(tbs?.children[1], serialNumber);
  const signedAttributes = signer.find(({ tag }) => tag === contextTag(0));
  const signatureValue = signer.find(({ tag }) => tag === tags.octetString);
  const certificate = certificates?.children.find(isSigner);
  const authority = certificates?.children.find((one) => !isSigner(one));
  const token = signer.find(({ tag }) => tag === contextTag(1))?.children[0]?.children[1]?.children[0];
  if (!content || !signedAttributes || !signatureValue || !certificate || !authority) throw new Error('an unusual CMS');
  return { whole, content, signedAttributes, signatureValue, certificate, authority, token };
}

function isSame(one: DerNode | undefined, other: DerNode | undefined): boolean {
  return one !== undefined && other !== undefined && equalBytes(one.bytes, other.bytes);
}

/** Where an element begins in the CMS that it is a view of. */
export function offsetIn(cms: Uint8Array, part: Uint8Array): number {
  return part.byteOffset - cms.byteOffset;
}

function readPaddedDer(padded: Uint8Array): Uint8Array {
  const first = padded[1] ?? 0;
  if (first < 0x80) return padded.subarray(0, 2 + first);
  const octets = first & 0x7f;
  const length = padded.subarray(2, 2 + octets).reduce((sum, octet) => sum * 256 + octet, 0);
  return padded.subarray(0, 2 + octets + length);
}
