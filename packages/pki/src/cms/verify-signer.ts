import { createHash, type KeyObject } from 'node:crypto';
import { type DigestName, findDigestByOid } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import { decodeOctetString, decodeOid } from '../der/decode-der.ts';
import { findSignatureScheme, isKeyFit, verifyByScheme } from '../signatures/signature-scheme.ts';
import { cmsOids } from './oids.ts';
import type { SignedData } from './parse-signed-data.ts';

/**
 * Checks the SignerInfo against a public key: content-type and message-digest agree with the content, the algorithms
 * belong together and are strong enough, and the signature over the signed attributes is right (RFC 5652 §5.6).
 * Throws `pki_cms_invalid`.
 */
export function verifySigner(
  signedData: SignedData,
  contentDigest: (name: DigestName) => Uint8Array,
  key: KeyObject,
): void {
  const { signer } = signedData;
  const digest = findDigestByOid(signer.digestOid);
  if (!digest) throw invalid('Its digest algorithm is not accepted.');
  const contentType = signer.attributes.get(cmsOids.contentType);
  if (!contentType || decodeOid(contentType) !== signedData.contentType)
    throw invalid('Its content type is not the signed one.');
  const messageDigest = signer.attributes.get(cmsOids.messageDigest);
  if (!messageDigest || !equalBytes(decodeOctetString(messageDigest), contentDigest(digest.name))) {
    throw invalid('Its content is not the signed one.');
  }
  const scheme = findSignatureScheme(signer.signatureAlgorithm, digest.name);
  if (!scheme) throw invalid('Its signature algorithm is not accepted.');
  if (scheme.digest !== digest.name) throw invalid('Its two digest algorithms differ.');
  if (!isKeyFit(scheme, key)) throw invalid('Its key is of the wrong kind or too weak.');
  if (!verifyByScheme(scheme, signer.signedAttributes, signer.signature, key)) throw invalid('Its signature is wrong.');
}

/** The digest of content that is at hand. */
export function hashContent(content: Uint8Array): (name: DigestName) => Uint8Array {
  return (name) => createHash(name).update(content).digest();
}

function invalid(why: string): SigillumError {
  return new SigillumError('pki_cms_invalid', `The CMS signature can't be used. ${why}`);
}
