import { constants, type KeyObject, verify } from 'node:crypto';
import { type DigestName, findDigestByOid, getDigestAlgorithm } from '@sigillum/algorithms';
import { decodeOid } from '../der/decode-der.ts';
import type { DerNode } from '../der/read-der.ts';

/**
 * How a signature of somebody else was made. Wider than what this product signs with (P-521, PSS with longer hashes), but
 * with the digests of the one table only: SHA-1 and MD5 are never a scheme.
 */
export type SignatureScheme = { readonly kind: 'ecdsa' | 'pkcs1' | 'pss'; readonly digest: DigestName };

type Entry = { readonly kind: SignatureScheme['kind']; readonly digest?: DigestName };

/** Every signature algorithm that is accepted in certificates, CRLs, OCSP responses and CMS. */
const entries = new Map<string, Entry>([
  // RFC 5758 §3.2
  ['1.2.840.10045.4.3.2', { kind: 'ecdsa', digest: 'sha256' }],
  ['1.2.840.10045.4.3.3', { kind: 'ecdsa', digest: 'sha384' }],
  ['1.2.840.10045.4.3.4', { kind: 'ecdsa', digest: 'sha512' }],
  // rsaEncryption: CMS alone, with the digest of SignerInfo.digestAlgorithm (RFC 3370 §3.2)
  ['1.2.840.113549.1.1.1', { kind: 'pkcs1' }],
  // RFC 8017 appendix A.2.4
  ['1.2.840.113549.1.1.11', { kind: 'pkcs1', digest: 'sha256' }],
  ['1.2.840.113549.1.1.12', { kind: 'pkcs1', digest: 'sha384' }],
  ['1.2.840.113549.1.1.13', { kind: 'pkcs1', digest: 'sha512' }],
  ['1.2.840.113549.1.1.10', { kind: 'pss' }],
]);

const curves: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1'];
const minimumRsaBits = 2048;
/** Of no key in use, and verifying takes a millisecond then: files may bring thousands of certificates of their own. */
const maximumRsaBits = 8192;
/** 65537 nearly everywhere. As long as the modulus, it would make verifying as slow as signing without the primes. */
const maximumRsaExponent = 0xffff_ffffn;
const mgf1 = '1.2.840.113549.1.1.8';

/**
 * Reads an AlgorithmIdentifier; undefined when it isn't one that is accepted. `impliedDigest` is the one that stands
 * beside it in CMS: `rsaEncryption` names none.
 */
export function findSignatureScheme(identifier: DerNode, impliedDigest?: DigestName): SignatureScheme | undefined {
  const [oid, parameters, ...others] = identifier.children;
  const entry = oid && entries.get(decodeOid(oid));
  if (!entry || others.length > 0) return undefined;
  const digest = entry.kind === 'pss' ? findPssDigest(parameters) : (entry.digest ?? impliedDigest);
  return digest && { kind: entry.kind, digest };
}

/** Whether a key is of the kind that the scheme needs, strong enough, and not made to cost: the three NIST curves, RSA of 2048 to 8192 bits. */
export function isKeyFit(scheme: SignatureScheme, key: KeyObject): boolean {
  const details = key.asymmetricKeyDetails;
  if (scheme.kind === 'ecdsa') return key.asymmetricKeyType === 'ec' && curves.includes(details?.namedCurve);
  const isRsa = key.asymmetricKeyType === 'rsa' || (scheme.kind === 'pss' && key.asymmetricKeyType === 'rsa-pss');
  const { modulusLength = 0, publicExponent = 0n } = details ?? {};
  return (
    isRsa && modulusLength >= minimumRsaBits && modulusLength <= maximumRsaBits && publicExponent <= maximumRsaExponent
  );
}

/** Whether the signature is right. False also for a key that doesn't fit. */
export function verifyByScheme(
  scheme: SignatureScheme,
  signedBytes: Uint8Array,
  signature: Uint8Array,
  key: KeyObject,
): boolean {
  if (!isKeyFit(scheme, key)) return false;
  // a bare key means DER for ECDSA and v1.5 for RSA, and is taken faster than one in an object
  const parameters =
    scheme.kind === 'pss'
      ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: getDigestAlgorithm(scheme.digest).length }
      : key;
  return verify(scheme.digest, signedBytes, parameters, signature);
}

/** RFC 4055 §3.1: the hash, MGF1 with the same hash, a salt as long as the hash; nothing else is accepted. */
function findPssDigest(parameters: DerNode | undefined): DigestName | undefined {
  const [hash, mgf, salt, ...others] = parameters?.children ?? [];
  const [mgfOid, mgfHash] = mgf?.children[0]?.children ?? [];
  const hashOid = hash?.tag === 0xa0 ? hash.children[0]?.children[0] : undefined;
  const mgfHashOid = mgfHash?.children[0];
  const length = salt?.tag === 0xa2 ? salt.children[0]?.content : undefined;
  if (others.length > 0 || !hashOid || mgf?.tag !== 0xa1 || !mgfOid || !mgfHashOid) return undefined;
  const digest = findDigestByOid(decodeOid(hashOid));
  const isUsual =
    decodeOid(mgfOid) === mgf1 &&
    findDigestByOid(decodeOid(mgfHashOid)) === digest &&
    length?.length === 1 &&
    length[0] === digest?.length;
  return isUsual ? digest?.name : undefined;
}
