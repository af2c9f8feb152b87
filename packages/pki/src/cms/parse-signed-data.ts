import { SigillumError } from '@sigillum/errors';
import { compareBytes } from '../der/compare-bytes.ts';
import { decodeOctetString, decodeOid, decodeSmallInteger } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { retag } from '../der/encode-der.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { contextTag, tags } from '../der/tags.ts';
import type { IssuerAndSerial } from './issuer-and-serial.ts';
import { cmsOids } from './oids.ts';

export type SignedData = {
  /** eContentType, dotted. */
  readonly contentType: string;
  /** eContent; undefined when detached. */
  readonly content?: Uint8Array;
  /** Certificates in DER, in the order of the file. */
  readonly certificates: readonly Uint8Array[];
  readonly signer: SignerInfo;
};

export type SignerInfo = {
  readonly sid: IssuerAndSerial;
  /** digestAlgorithm, dotted. */
  readonly digestOid: string;
  /** signatureAlgorithm, the whole AlgorithmIdentifier. */
  readonly signatureAlgorithm: DerNode;
  readonly signature: Uint8Array;
  /** The signed attributes as the SET OF that was signed. */
  readonly signedAttributes: Uint8Array;
  /** The one value of each signed attribute, by dotted type. */
  readonly attributes: ReadonlyMap<string, DerNode>;
  /** Values of the unsigned attributes, by dotted type. */
  readonly unsignedAttributes: ReadonlyMap<string, readonly DerNode[]>;
};

/** Certificates at most in one SignedData: a chain and a few cross-certificates. */
const maxCertificates = 32;

/**
 * Reads a ContentInfo with SignedData: DER, exactly one SignerInfo (by issuer and serial), signed attributes in DER order,
 * each once and with one value. Throws `pki_der_invalid` or `pki_cms_invalid`. Checks no signature.
 */
export function parseSignedData(der: Uint8Array): SignedData {
  const contentInfo = new DerFields(readDer(der, { maxElements: 20_000 }), 'ContentInfo');
  if (decodeOid(contentInfo.take(tags.oid)) !== cmsOids.signedData) throw invalid('It is not a SignedData.');
  const [body] = contentInfo.take(contextTag(0)).children;
  contentInfo.end();
  if (!body) throw invalid('It is empty.');
  const fields = new DerFields(body, 'SignedData');
  decodeSmallInteger(fields.take(tags.integer));
  fields.take(tags.set);
  const { contentType, content } = readEncapsulated(fields.take(tags.sequence));
  const certificates = fields.takeIf(contextTag(0))?.children ?? [];
  fields.takeIf(contextTag(1)); // crls: revocation is looked up elsewhere
  const [signerInfo, ...others] = fields.take(tags.set).children;
  fields.end();
  if (!signerInfo || others.length > 0) throw invalid('It must have exactly one signer.');
  if (certificates.length > maxCertificates) throw invalid('It holds too many certificates.');
  return {
    contentType,
    ...(content ? { content } : {}),
    // Other kinds of CertificateChoices are context-tagged; nothing here needs them.
    certificates: certificates.filter((node) => node.tag === tags.sequence).map((node) => node.bytes),
    signer: readSignerInfo(signerInfo),
  };
}

function readEncapsulated(node: DerNode): { contentType: string; content: Uint8Array | undefined } {
  const fields = new DerFields(node, 'EncapsulatedContentInfo');
  const contentType = decodeOid(fields.take(tags.oid));
  const wrapper = fields.takeIf(contextTag(0));
  fields.end();
  const [inner, ...others] = wrapper?.children ?? [];
  if (wrapper && (!inner || others.length > 0)) throw invalid('Its content is malformed.');
  return { contentType, content: inner && decodeOctetString(inner) };
}

function readSignerInfo(node: DerNode): SignerInfo {
  const fields = new DerFields(node, 'SignerInfo');
  if (decodeSmallInteger(fields.take(tags.integer)) !== 1)
    throw invalid('The signer is not named by issuer and serial.');
  const sid = new DerFields(fields.take(tags.sequence), 'IssuerAndSerialNumber');
  const name = { issuer: sid.take(tags.sequence).bytes, serialNumber: sid.take(tags.integer).bytes };
  sid.end();
  const digestNode = fields.take(tags.sequence).children[0];
  if (!digestNode) throw invalid('Its digest algorithm is missing.');
  const signed = fields.takeIf(contextTag(0));
  if (!signed) throw invalid('It has no signed attributes.');
  const signatureAlgorithm = fields.take(tags.sequence);
  const signature = decodeOctetString(fields.take());
  const unsigned = fields.takeIf(contextTag(1));
  fields.end();
  return {
    sid: name,
    digestOid: decodeOid(digestNode),
    signatureAlgorithm,
    signature,
    signedAttributes: retag(tags.set, signed.bytes),
    attributes: readSignedAttributes(signed),
    unsignedAttributes: new Map(unsigned?.children.map(readAttribute)),
  };
}

function readSignedAttributes(node: DerNode): Map<string, DerNode> {
  const attributes = new Map<string, DerNode>();
  let previous: DerNode | undefined;
  for (const child of node.children) {
    // RFC 5652 §5.3: signedAttrs are DER even where the rest is not.
    if (previous && compareBytes(previous.bytes, child.bytes) >= 0)
      throw invalid('Its signed attributes are not sorted.');
    previous = child;
    const [type, [value, ...others]] = readAttribute(child);
    if (attributes.has(type)) throw invalid('A signed attribute stands twice.');
    if (!value || others.length > 0) throw invalid('A signed attribute has not exactly one value.');
    attributes.set(type, value);
  }
  return attributes;
}

function readAttribute(node: DerNode): [string, readonly DerNode[]] {
  const fields = new DerFields(node, 'Attribute');
  const type = decodeOid(fields.take(tags.oid));
  const values = fields.take(tags.set).children;
  fields.end();
  return [type, values];
}

function invalid(why: string): SigillumError {
  return new SigillumError('pki_cms_invalid', `The CMS signature can't be used. ${why}`);
}
