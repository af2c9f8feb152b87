import { createHash, sign } from 'node:crypto';
import { getSignatureAlgorithm } from '@sigillum/algorithms';
import {
  cmsOids,
  compareBytes,
  contextTag,
  encodeExplicit,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSet,
  encodeSignedAttributes,
  encodeTlv,
  readDer,
  readIssuerAndSerial,
  retag,
} from '@sigillum/pki';
import type { SoftwareIdentity } from './software-pki.ts';

/** What goes into a CMS, good or bad. */
export type CmsRecipe = {
  readonly signer: SoftwareIdentity;
  /** The token over a signature value; left out for none. */
  readonly timeStamp?: ((signatureValue: Uint8Array) => Uint8Array) | undefined;
  /** A time-stamp attribute without any time-stamp, in place of the good one. */
  readonly emptyTimeStamp?: boolean;
  /** Makes other signed attributes of the three that belong there; undefined: none at all (RFC 5652 §5.3). */
  readonly changeAttributes?: (attributes: readonly Uint8Array[]) => readonly Uint8Array[] | undefined;
  /** Whose certificate signing-certificate-v2 names, if not the signer's. */
  readonly named?: SoftwareIdentity;
  readonly hash?: 'sha256' | 'sha1';
  /** A second SignerInfo beside the first. */
  readonly otherSigner?: SoftwareIdentity;
  /** eContent inside, which a detached signature must not have. */
  readonly encapsulated?: Uint8Array;
};

const hashes = {
  sha256: { oid: '2.16.840.1.101.3.4.2.1', signature: getSignatureAlgorithm('ecdsa-p256-sha256').identifierDer },
  // ecdsa-with-SHA1 (RFC 3279 §2.2.3)
  sha1: { oid: '1.3.14.3.2.26', signature: encodeSequence(encodeOid('1.2.840.10045.4.1')) },
} as const;

/** A SignedData over `content` (the bytes of a ByteRange) by keys in memory; written here because the product's encoder only makes good ones. */
export function encodeForgedCms(content: Uint8Array, recipe: CmsRecipe): Uint8Array {
  const digestAlgorithm = encodeSequence(encodeOid(hashes[recipe.hash ?? 'sha256'].oid));
  const signers = [recipe.signer, ...(recipe.otherSigner ? [recipe.otherSigner] : [])];
  const certificates = [...new Set(signers.flatMap((signer) => [signer.certificate, ...signer.chain]))];
  const inside = recipe.encapsulated ? [encodeExplicit(0, encodeOctetString(recipe.encapsulated))] : [];
  const signedData = encodeSequence(
    encodeInteger(1),
    encodeSet(digestAlgorithm),
    encodeSequence(encodeOid(cmsOids.data), ...inside),
    encodeTlv(contextTag(0), ...certificates.toSorted(compareBytes)),
    encodeSet(...signers.map((signer) => encodeSignerInfo(content, signer, recipe))),
  );
  return encodeSequence(encodeOid(cmsOids.signedData), encodeExplicit(0, signedData));
}

function encodeSignerInfo(content: Uint8Array, signer: SoftwareIdentity, recipe: CmsRecipe): Uint8Array {
  const hash = recipe.hash ?? 'sha256';
  const name = readIssuerAndSerial(signer.certificate);
  const good = encodeSignedAttributes({
    contentType: 'data',
    messageDigest: createHash(hash).update(content).digest(),
    certificate: (recipe.named ?? signer).certificate,
  });
  const items = readDer(good).children.map(({ bytes }) => bytes);
  const changed = recipe.changeAttributes ? recipe.changeAttributes(items) : items;
  const attributes = changed && encodeSet(...changed);
  const signature = new Uint8Array(sign(hash, attributes ?? content, signer.privateKey));
  const token = recipe.timeStamp?.(signature);
  const values = token && !recipe.emptyTimeStamp ? [token] : [];
  const timeStamp = encodeSequence(encodeOid(cmsOids.signatureTimeStamp), encodeSet(...values));
  return encodeSequence(
    encodeInteger(1),
    encodeSequence(name.issuer, name.serialNumber),
    encodeSequence(encodeOid(hashes[hash].oid)),
    ...(attributes ? [retag(contextTag(0), attributes)] : []),
    hashes[hash].signature,
    encodeOctetString(signature),
    ...(token ? [encodeTlv(contextTag(1), timeStamp)] : []),
  );
}
