import { constants, createHash, type KeyObject, verify } from 'node:crypto';
import { type DigestName, findDigestByOid } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import { decodeOctetString, decodeOid } from '../der/decode-der.ts';
import type { DerNode } from '../der/read-der.ts';
import { cmsOids } from './oids.ts';
import type { SignedData } from './parse-signed-data.ts';

type Scheme = { readonly kind: 'ecdsa' | 'pkcs1' | 'pss'; readonly digest?: DigestName };

/**
 * Signature algorithms that a time-stamp of another authority may use. Wider than what this product signs with, but with
 * the digests of the one table only.
 */
const schemes = new Map<string, Scheme>([
  ['1.2.840.10045.4.3.2', { kind: 'ecdsa', digest: 'sha256' }],
  ['1.2.840.10045.4.3.3', { kind: 'ecdsa', digest: 'sha384' }],
  ['1.2.840.10045.4.3.4', { kind: 'ecdsa', digest: 'sha512' }],
  // rsaEncryption: the digest is that of SignerInfo.digestAlgorithm (RFC 3370 §3.2).
  ['1.2.840.113549.1.1.1', { kind: 'pkcs1' }],
  ['1.2.840.113549.1.1.11', { kind: 'pkcs1', digest: 'sha256' }],
  ['1.2.840.113549.1.1.12', { kind: 'pkcs1', digest: 'sha384' }],
  ['1.2.840.113549.1.1.13', { kind: 'pkcs1', digest: 'sha512' }],
  ['1.2.840.113549.1.1.10', { kind: 'pss' }],
]);

const mgf1 = '1.2.840.113549.1.1.8';

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
  const scheme = getScheme(signer.signatureAlgorithm, digest.name);
  assertKeyFits(scheme, key);
  const parameters =
    scheme.kind === 'ecdsa'
      ? { key, dsaEncoding: 'der' as const }
      : scheme.kind === 'pkcs1'
        ? { key, padding: constants.RSA_PKCS1_PADDING }
        : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: digest.length };
  if (!verify(digest.name, signer.signedAttributes, parameters, signer.signature))
    throw invalid('Its signature is wrong.');
}

/** The digest of content that is at hand. */
export function hashContent(content: Uint8Array): (name: DigestName) => Uint8Array {
  return (name) => createHash(name).update(content).digest();
}

function getScheme(identifier: DerNode, digest: DigestName): Scheme {
  const [oid, parameters, ...others] = identifier.children;
  const scheme = oid && schemes.get(decodeOid(oid));
  if (!scheme || others.length > 0) throw invalid('Its signature algorithm is not accepted.');
  if (scheme.kind === 'pss') assertPssParameters(parameters, digest);
  if (scheme.digest !== undefined && scheme.digest !== digest) throw invalid('Its two digest algorithms differ.');
  return scheme;
}

/** RFC 4055 §3.1: the hash, MGF1 with the same hash, a salt as long as the hash; nothing else is accepted. */
function assertPssParameters(parameters: DerNode | undefined, digest: DigestName): void {
  const [hash, mgf, salt, ...others] = parameters?.children ?? [];
  const [mgfOid, mgfHash] = mgf?.children[0]?.children ?? [];
  const hashOid = hash?.tag === 0xa0 ? hash.children[0]?.children[0] : undefined;
  const mgfHashOid = mgfHash?.children[0];
  const length = salt?.tag === 0xa2 ? salt.children[0]?.content : undefined;
  const ok =
    others.length === 0 &&
    hashOid !== undefined &&
    mgf?.tag === 0xa1 &&
    mgfOid !== undefined &&
    mgfHashOid !== undefined &&
    findDigestByOid(decodeOid(hashOid))?.name === digest &&
    decodeOid(mgfOid) === mgf1 &&
    findDigestByOid(decodeOid(mgfHashOid))?.name === digest &&
    length?.length === 1 &&
    length[0] === findDigestByOid(decodeOid(hashOid))?.length;
  if (!ok) throw invalid('Its PSS parameters are not accepted.');
}

function assertKeyFits(scheme: Scheme, key: KeyObject): void {
  const details = key.asymmetricKeyDetails;
  const fits =
    scheme.kind === 'ecdsa'
      ? key.asymmetricKeyType === 'ec' && ['prime256v1', 'secp384r1', 'secp521r1'].includes(details?.namedCurve ?? '')
      : (key.asymmetricKeyType === 'rsa' || (scheme.kind === 'pss' && key.asymmetricKeyType === 'rsa-pss')) &&
        (details?.modulusLength ?? 0) >= 2048;
  if (!fits) throw invalid('Its key is of the wrong kind or too weak.');
}

function invalid(why: string): SigillumError {
  return new SigillumError('pki_cms_invalid', `The CMS signature can't be used. ${why}`);
}
