import { type DerNode, encodeTlv } from '@sigillum/pki';
import { findSeal, offsetIn } from './find-seal.ts';
import { type ForgedFile, forged, type ForgeryTools, type SealedSample } from './forgery.ts';
import { makeSoftwareToken } from './make-software-token.ts';
import { signPrepared } from './sign-prepared.ts';

/** What stands between the signed ranges is signed by nobody: other bytes, another CMS, another time-stamp. */
export function stuffContents(sealed: SealedSample, { pki, strangers }: ForgeryTools): readonly ForgedFile[] {
  const { bytes, input } = sealed;
  const seal = findSeal(bytes);
  const { cms, gap } = seal;
  const value = seal.parts.signatureValue.content;
  const hex = Buffer.from(cms).toString('hex');
  const fill = (start: string, end: string) =>
    replaceGap(bytes, seal.byteRange[1], start + '0'.repeat(gap.length - start.length - end.length) + end);
  const withToken = (token: Uint8Array) =>
    fill(`<${Buffer.from(replaceElement(seal.parts.whole, seal.parts.token, token)).toString('hex')}`, '>');
  const otherFile = signPrepared(Buffer.concat([input, Buffer.from('% another document\n')]), pki);
  const other = Buffer.from(findSeal(otherFile).cms).toString('hex');
  const genTime = pki.now;
  return [
    forged('junk-after-der', 'bytes after the CMS in /Contents', fill(`<${hex}`, '00deadbeef>')),
    forged('stuffed-gap', 'entries between two strings in the gap', fill(`<${hex}`, '> /Nobody (signed) /This <00>')),
    forged('stuffed-gap-not-hexadecimal', 'other characters in the padding', fill(`<${hex}`, 'no hexadecimal>')),
    forged('stuffed-gap-comment', 'a comment behind the string', fill(`<${hex}`, '> % nobody signed this\n')),
    forged(
      'contents-not-der',
      'an indefinite length around the CMS',
      fill(`<3080${Buffer.from(seal.parts.whole.content).toString('hex')}0000`, '>'),
    ),
    forged('zero-contents', 'nothing but zeros in /Contents', fill('<', '>')),
    forged('cms-of-another-document', 'a good CMS by the same signer, of another file', fill(`<${other}`, '>')),
    forged(
      'token-of-another',
      'the time-stamp of another signature',
      withToken(makeSoftwareToken(pki.tsu, Buffer.from('another'), genTime)),
    ),
    forged(
      'token-of-another-root',
      'a time-stamp by an authority that nobody trusts',
      withToken(makeSoftwareToken(strangers.tsu, value, genTime)),
    ),
    forged(
      'token-of-tomorrow',
      'a time-stamp of a time to come',
      withToken(makeSoftwareToken(pki.tsu, value, new Date(genTime.getTime() + 24 * 3_600_000))),
    ),
    forged(
      'token-of-expired-unit',
      'a time-stamp by a unit whose certificate had ended',
      withToken(makeSoftwareToken(pki.expiredTsu, value, genTime)),
    ),
    forged(
      'token-of-loose-unit',
      "a time-stamp by a unit whose purpose isn't critical",
      withToken(makeSoftwareToken(pki.tsuWithoutCriticalPurpose, value, genTime)),
    ),
    forged(
      'token-by-the-signer',
      'a time-stamp that the signer made for itself',
      withToken(makeSoftwareToken(pki.leaf, value, genTime)),
    ),
  ];
}

/** The same CMS with one element replaced; the lengths around it follow, and nothing else is encoded again. */
function replaceElement(node: DerNode, old: DerNode, replacement: Uint8Array): Uint8Array {
  if (node === old) return replacement;
  if (offsetIn(node.bytes, old.bytes) < 0 || offsetIn(node.bytes, old.bytes) >= node.bytes.length) return node.bytes;
  return encodeTlv(node.tag, ...node.children.map((child) => replaceElement(child, old, replacement)));
}

/** The sealed file with another gap of the same length. */
function replaceGap(bytes: Uint8Array, start: number, gap: string): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.write(gap, start, 'latin1');
  return copy;
}
