import { constants, type KeyObject, verify } from 'node:crypto';
import { digestAlgorithms as knownDigests, findDigestByOid } from '@sigillum/algorithms';
import {
  contextTag,
  decodeOid,
  decodeSmallInteger,
  type DerNode,
  encodeExplicit,
  encodeInteger,
  encodeNull,
  encodeOid,
  encodeSequence,
  equalBytes,
  tags,
} from '@sigillum/pki';
import type { Cms, CmsSigner } from './read-cms.ts';

/**
 * Nothing signs the algorithm identifiers of a CMS, so each must be one of the few spellings that the standards allow:
 * digests without parameters or with NULL (RFC 5754 §2), ECDSA without (RFC 5758 §3.2), RSA with NULL or without (RFC 4055
 * §5), PSS with hash, MGF1 of the same hash, a salt, and no trailer field (RFC 4055 §3.1).
 */
export function hasKnownAlgorithms(cms: Cms, signer: CmsSigner): boolean {
  const digest = findDigestByOid(signer.digestOid);
  if (digest === undefined) return false;
  // TS 119 312 §6.1: a salt at least as long as the hash; some writers take the longest that fits
  const salt = readSaltLength(signer.signatureAlgorithm) ?? digest.length;
  if (salt < digest.length || salt > longestSalt) return false;
  const isListed = cms.digestAlgorithms.length === cms.signers.length || cms.digestAlgorithms.length === 1;
  return (
    isListed &&
    cms.digestAlgorithms.some((node) => equalBytes(node.bytes, signer.digestAlgorithm.bytes)) &&
    isOneOf(signer.digestAlgorithm, encodeDigests(digest.oid)) &&
    isOneOf(signer.signatureAlgorithm, encodeSignatureAlgorithms(digest.oid, salt)) &&
    agreesWithProtection(signer)
  );
}

/** RFC 6211: an attribute that says the two algorithms once more, signed; a signature for which it lies was tampered with. */
function agreesWithProtection({ attributes, digestOid, signatureAlgorithm }: CmsSigner): boolean {
  const attribute = attributes.get('1.2.840.113549.1.9.52');
  if (attribute === undefined) return true;
  const [digest, signature] = attribute.children;
  return (
    isAlgorithm(digest, digestOid) &&
    signature?.tag === contextTag(1) &&
    isAlgorithm(signature, decodeOid(signatureAlgorithm.children[0] ?? signatureAlgorithm))
  );
}

function isAlgorithm(node: DerNode | undefined, oid: string): boolean {
  const [first] = node?.children ?? [];
  return first?.tag === tags.oid && decodeOid(first) === oid;
}

function isOneOf(node: DerNode, encodings: readonly Uint8Array[]): boolean {
  return encodings.some((encoding) => equalBytes(encoding, node.bytes));
}

function encodeDigests(oid: string): readonly Uint8Array[] {
  return [encodeSequence(encodeOid(oid)), encodeSequence(encodeOid(oid), encodeNull())];
}

/** What fits into an RSA key of 8192 bits. */
const longestSalt = 1022;
const rsaEncryption = '1.2.840.113549.1.1.1';
const pss = '1.2.840.113549.1.1.10';
const mgf1 = '1.2.840.113549.1.1.8';

function encodeSignatureAlgorithms(digestOid: string, saltLength: number): readonly Uint8Array[] {
  const index = knownDigests.findIndex(({ oid }) => oid === digestOid);
  // ecdsa-with-SHA256, 384, 512 are arcs 2 to 4; sha256, 384, 512WithRSAEncryption 11 to 13
  const ecdsa = encodeSequence(encodeOid(`1.2.840.10045.4.3.${index + 2}`));
  const rsa = [rsaEncryption, `1.2.840.113549.1.1.${index + 11}`].flatMap((oid) => encodeDigests(oid));
  const hashes = encodeDigests(digestOid);
  const pssForms = hashes.flatMap((hash) =>
    hashes.map((mgfHash) =>
      encodeSequence(
        encodeOid(pss),
        encodeSequence(
          encodeExplicit(0, hash),
          encodeExplicit(1, encodeSequence(encodeOid(mgf1), mgfHash)),
          encodeExplicit(2, encodeInteger(saltLength)),
        ),
      ),
    ),
  );
  return [ecdsa, ...rsa, ...pssForms];
}

/** The salt that PSS parameters say; that of the other algorithms is none. */
function readSaltLength({ children: [, parameters] }: DerNode): number | undefined {
  const [, , salt] = parameters?.children ?? [];
  const value = salt?.children[0];
  return value?.tag === tags.integer ? decodeSmallInteger(value) : undefined;
}

/**
 * Whether the signature value is one over the signed attributes by the key, whose kind must be that of the algorithm.
 * Only for signers whose algorithms are known (see {@link hasKnownAlgorithms}).
 */
export function verifyValue(signer: CmsSigner, key: KeyObject): boolean {
  const digest = findDigestByOid(signer.digestOid);
  const [oid] = signer.signatureAlgorithm.children;
  if (digest === undefined || oid === undefined) return false;
  const name = decodeOid(oid);
  const type = key.asymmetricKeyType;
  if (name.startsWith('1.2.840.10045.')) {
    return type === 'ec' && verify(digest.name, signer.signedAttributes, { key, dsaEncoding: 'der' }, signer.signature);
  }
  if (name === pss) {
    const saltLength = readSaltLength(signer.signatureAlgorithm);
    if ((type !== 'rsa' && type !== 'rsa-pss') || saltLength === undefined) return false;
    const options = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
    return verify(digest.name, signer.signedAttributes, options, signer.signature);
  }
  const options = { key, padding: constants.RSA_PKCS1_PADDING };
  return type === 'rsa' && verify(digest.name, signer.signedAttributes, options, signer.signature);
}
