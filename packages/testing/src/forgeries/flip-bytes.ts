import { findFirstPage, isPdfArray, PdfStream } from '@sigillum/pdf';
import { type DerNode, readDer } from '@sigillum/pki';
import { findCmsParts, type FoundSeal, findSeal, offsetIn } from './find-seal.ts';
import { type ForgedFile, forged, type SealedSample } from './forgery.ts';

/** One bit somewhere: in the page, in the update that the seal added, in each part of the CMS, in the padding's place. */
export function flipBytes({ bytes, input }: SealedSample): readonly ForgedFile[] {
  const seal = findSeal(bytes);
  const { certificate, authority, signedAttributes, signatureValue, token } = seal.parts;
  const stamp = findCmsParts(token);
  const info = stamp.content.children[1]?.children[0];
  const imprint = info && readDer(info.content).children[2];
  const flipIn = (part: DerNode | undefined) => flipInCms(bytes, seal, part);
  return [
    forged('flipped-content', "a bit of the first page's content", flip(bytes, findContent(seal) ?? input.length >> 1)),
    forged('flipped-dictionary', 'a digit of /M', flip(bytes, findInSignature(bytes, seal, '/M (D:') + 10)),
    forged('flipped-end', 'the last byte of the signed ranges', flip(bytes, seal.byteRange[2] + seal.byteRange[3] - 1)),
    forged('flipped-attributes', 'a bit of the signed attributes', flipIn(deepest(signedAttributes))),
    forged('flipped-signature', 'a bit of the signature value', flipIn(signatureValue)),
    forged('flipped-certificate', 'a bit of the certificate that signed', flipIn(certificate)),
    forged('flipped-ca-certificate', 'a bit of the other certificate', flipIn(authority)),
    forged('flipped-token', 'a bit of the time-stamped imprint', flipIn(imprint)),
    forged('flipped-token-signature', "a bit of the time-stamp's signature", flipIn(stamp.signatureValue)),
    forged('flipped-token-certificate', "a bit of the TSU's certificate", flipIn(stamp.certificate)),
  ];
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Changes the last byte of an element of the CMS, in its hexadecimal form in the file. */
function flipInCms(bytes: Uint8Array, { cms, byteRange }: FoundSeal, part: DerNode | undefined): Uint8Array {
  if (!part) throw new Error('the CMS lacks this part');
  const at = offsetIn(cms, part.bytes) + part.bytes.length - 1;
  const copy = Buffer.from(bytes);
  copy.write(((cms[at] ?? 0) ^ 1).toString(16).padStart(2, '0'), byteRange[1] + 1 + 2 * at, 'latin1');
  return copy;
}

/** The longest primitive element: the message digest, or the hash of the certificate. */
function deepest(node: DerNode): DerNode {
  if (node.children.length === 0) return node;
  const [first, ...others] = node.children.map(deepest);
  if (!first) return node;
  return others.reduce((longest, one) => (one.content.length > longest.content.length ? one : longest), first);
}

function findContent({ document }: FoundSeal): number | undefined {
  const contents = document.find(findFirstPage(document).dict, 'Contents');
  const first = document.resolve((isPdfArray(contents) ? contents[0] : contents) ?? null);
  return first instanceof PdfStream ? first.dataOffset : undefined;
}

function findInSignature(bytes: Uint8Array, { byteRange }: FoundSeal, text: string): number {
  const at = Buffer.from(bytes).indexOf(text, byteRange[2], 'latin1');
  if (at < 0) throw new Error(`the signature dictionary has no ${text}`);
  return at;
}
