import { isSigillumError } from '@sigillum/errors';
import {
  cmsOids,
  compareBytes,
  contextTag,
  decodeOctetString,
  decodeOid,
  decodeSmallInteger,
  DerFields,
  type DerNode,
  readDer,
  retag,
  type SignerInfo,
  tags,
} from '@sigillum/pki';
import type { Findings } from './findings.ts';

/** A CMS as it is, good or bad: the strict reader of `pki` gives no facts about what it refuses. */
export type Cms = {
  readonly version: number;
  readonly contentType: string;
  readonly hasContent: boolean;
  /** SignedData.digestAlgorithms. */
  readonly digestAlgorithms: readonly DerNode[];
  readonly certificates: readonly DerNode[];
  readonly hasRevocation: boolean;
  readonly signers: readonly CmsSigner[];
};

export type CmsSigner = SignerInfo & {
  readonly digestAlgorithm: DerNode;
  /** Not the SHA-2 attributes alone: whether types come once, with one value, in the order of DER. */
  readonly attributesAreWellFormed: boolean;
  readonly unsignedTypes: readonly string[];
  /** No unsigned attribute, or one without a value, where there must be some (RFC 5652 §5.3: SIZE (1..MAX)). */
  readonly unsignedIsEmpty: boolean;
};

/** A SignedData has a handful of certificates; a bag of more is no signature's. */
const maxCertificates = 32;
const maxSigners = 8;

/** Reads a CMS SignedData in DER; undefined, with a finding, when it can't be read. */
export function readCms(der: Uint8Array, findings: Findings): Cms | undefined {
  let root: DerNode;
  try {
    root = readDer(der, { maxElements: 50_000 });
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    findings.add('cms_not_der', error.message);
    return undefined;
  }
  try {
    return readSignedData(root, findings);
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    findings.add('cms_malformed', error.message);
    return undefined;
  }
}

function readSignedData(root: DerNode, findings: Findings): Cms | undefined {
  const contentInfo = new DerFields(root, 'ContentInfo');
  const type = decodeOid(contentInfo.take(tags.oid));
  const wrapper = contentInfo.take(contextTag(0));
  contentInfo.end();
  const [body] = wrapper.children;
  if (type !== cmsOids.signedData || body === undefined || wrapper.children.length !== 1) {
    findings.add('cms_malformed', 'It is not a SignedData.');
    return undefined;
  }
  const fields = new DerFields(body, 'SignedData');
  const version = decodeSmallInteger(fields.take(tags.integer));
  const digestAlgorithms = fields.take(tags.set).children;
  const encapsulated = new DerFields(fields.take(tags.sequence), 'EncapsulatedContentInfo');
  const contentType = decodeOid(encapsulated.take(tags.oid));
  const content = encapsulated.takeIf(contextTag(0));
  encapsulated.end();
  const certificates = fields.takeIf(contextTag(0))?.children ?? [];
  const revocation = fields.takeIf(contextTag(1));
  const signers = fields.take(tags.set).children;
  fields.end();
  if (signers.length === 0 || signers.length > maxSigners || certificates.length > maxCertificates) {
    findings.add('cms_malformed', 'It has no signer, or too many signers or certificates.');
    return undefined;
  }
  const read: CmsSigner[] = [];
  for (const signer of signers) {
    const one = readSigner(signer, findings);
    if (one === undefined) return undefined;
    read.push(one);
  }
  return {
    version,
    contentType,
    hasContent: content !== undefined,
    digestAlgorithms,
    certificates,
    hasRevocation: revocation !== undefined,
    signers: read,
  };
}

function readSigner(node: DerNode, findings: Findings): CmsSigner | undefined {
  const fields = new DerFields(node, 'SignerInfo');
  const version = decodeSmallInteger(fields.take(tags.integer));
  if (version !== 1) {
    findings.add('cms_malformed', 'The signer is not named by issuer and serial number.');
    return undefined;
  }
  const sid = new DerFields(fields.take(tags.sequence), 'IssuerAndSerialNumber');
  const name = { issuer: sid.take(tags.sequence).bytes, serialNumber: sid.take(tags.integer).bytes };
  sid.end();
  const digestAlgorithm = fields.take(tags.sequence);
  const [digestOid] = digestAlgorithm.children;
  const signed = fields.takeIf(contextTag(0));
  const signatureAlgorithm = fields.take(tags.sequence);
  const signature = decodeOctetString(fields.take(tags.octetString));
  const unsigned = fields.takeIf(contextTag(1));
  fields.end();
  if (signed === undefined || digestOid === undefined) {
    findings.add('signed_attributes_missing');
    return undefined;
  }
  const attributes = signed.children.map(readAttribute);
  const unsignedAttributes = (unsigned?.children ?? []).map(readAttribute);
  return {
    sid: name,
    digestOid: decodeOid(digestOid),
    digestAlgorithm,
    signatureAlgorithm,
    signature,
    signedAttributes: retag(tags.set, signed.bytes),
    attributes: new Map(attributes.flatMap(({ type, values: [value] }) => (value ? [[type, value] as const] : []))),
    unsignedAttributes: new Map(unsignedAttributes.map(({ type, values }) => [type, values])),
    unsignedTypes: unsignedAttributes.map(({ type }) => type),
    unsignedIsEmpty: unsigned?.children.length === 0 || unsignedAttributes.some(({ values }) => values.length === 0),
    attributesAreWellFormed:
      attributes.every(({ values }) => values.length === 1) && isSorted(signed.children) && isUnique(attributes),
  };
}

type Attribute = { readonly type: string; readonly values: readonly DerNode[] };

function readAttribute(node: DerNode): Attribute {
  const fields = new DerFields(node, 'Attribute');
  const type = decodeOid(fields.take(tags.oid));
  const values = fields.take(tags.set).children;
  fields.end();
  return { type, values };
}

/** RFC 5652 §5.3: signed attributes are a SET OF in DER, so sorted. */
function isSorted(nodes: readonly DerNode[]): boolean {
  return nodes.every((node, index) => {
    const previous = nodes[index - 1];
    return previous === undefined || compareBytes(previous.bytes, node.bytes) < 0;
  });
}

function isUnique(attributes: readonly Attribute[]): boolean {
  return new Set(attributes.map(({ type }) => type)).size === attributes.length;
}
