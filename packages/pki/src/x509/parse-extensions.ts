import { SigillumError } from '@sigillum/errors';
import { decodeBoolean, decodeNamedBits, decodeOctetString, decodeOid, decodeSmallInteger } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { decodeTime } from '../der/der-time.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { contextTag, primitiveContextTag, tags } from '../der/tags.ts';
import type { Certificate } from './certificate.ts';
import { accessMethodOids, extensionOids } from './extension-oids.ts';
import { extendedKeyUsageOids, keyUsageBits } from './key-usage.ts';
import { formatIpAddress } from './ip-address.ts';

/** The fields of {@link Certificate} that come from extensions. */
export type ExtensionFields = Pick<
  Certificate,
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'basicConstraints'
  | 'skid'
  | 'akid'
  | 'caIssuersUrls'
  | 'ocspUrls'
  | 'crlUrls'
  | 'subjectAlternativeNames'
  | 'privateKeyUsagePeriod'
  | 'extensions'
  | 'unknownCriticalExtensions'
>;

/** One extension; `value` is what stands inside the OCTET STRING. */
export type Extension = { readonly oid: string; readonly critical: boolean; readonly value: Uint8Array };

const understood: ReadonlySet<string> = new Set(Object.values(extensionOids));
const purposeNames = new Map<string, string>(Object.entries(extendedKeyUsageOids).map(([name, oid]) => [oid, name]));

/** A SEQUENCE OF Extension; no OID may come twice (RFC 5280 §4.2). */
export function parseExtensionList(node: DerNode | undefined): readonly Extension[] {
  const seen = new Set<string>();
  return (node?.children ?? []).map((child) => {
    const fields = new DerFields(child, 'Extension');
    const oid = decodeOid(fields.take(tags.oid));
    // FALSE is the default, so DER leaves it out; certificates that spell it out are in use and harmless.
    const criticalNode = fields.takeIf(tags.boolean);
    const value = decodeOctetString(fields.take(tags.octetString));
    fields.end();
    if (seen.has(oid)) throw new SigillumError('pki_certificate_invalid', `The extension ${oid} comes twice.`);
    seen.add(oid);
    return { oid, critical: criticalNode !== undefined && decodeBoolean(criticalNode), value };
  });
}

/** Reads every extension that the product understands. */
export function parseExtensions(node: DerNode | undefined): ExtensionFields {
  const extensions = parseExtensionList(node);
  const find = (oid: string) => {
    const extension = extensions.find((candidate) => candidate.oid === oid);
    return extension && { critical: extension.critical, node: readDer(extension.value) };
  };
  const keyUsage = find(extensionOids.keyUsage);
  const extendedKeyUsage = find(extensionOids.extendedKeyUsage);
  const basicConstraints = find(extensionOids.basicConstraints);
  const skid = find(extensionOids.subjectKeyIdentifier);
  const access = parseAccess(find(extensionOids.authorityInformationAccess)?.node);
  const period = find(extensionOids.privateKeyUsagePeriod);
  return {
    keyUsage: keyUsage && {
      critical: keyUsage.critical,
      usages: [...decodeNamedBits(keyUsage.node)].flatMap((bit) => keyUsageBits[bit] ?? []),
    },
    extendedKeyUsage: extendedKeyUsage && {
      critical: extendedKeyUsage.critical,
      purposes: extendedKeyUsage.node.children.map((child) => {
        const oid = decodeOid(child);
        return purposeNames.get(oid) ?? oid;
      }),
    },
    basicConstraints: basicConstraints && {
      critical: basicConstraints.critical,
      ...parseBasicConstraints(basicConstraints.node),
    },
    skid: skid && decodeOctetString(skid.node),
    akid: parseAuthorityKeyIdentifier(find(extensionOids.authorityKeyIdentifier)?.node),
    caIssuersUrls: access.filter(({ method }) => method === accessMethodOids.caIssuers).map(({ url }) => url),
    ocspUrls: access.filter(({ method }) => method === accessMethodOids.ocsp).map(({ url }) => url),
    crlUrls: parseDistributionPoints(find(extensionOids.crlDistributionPoints)?.node),
    subjectAlternativeNames: parseAlternativeNames(find(extensionOids.subjectAlternativeName)?.node),
    privateKeyUsagePeriod: period && parsePrivateKeyUsagePeriod(period.node),
    extensions,
    unknownCriticalExtensions: extensions
      .filter(({ oid, critical }) => critical && !understood.has(oid))
      .map((e) => e.oid),
  };
}

/** The key identifier of an AuthorityKeyIdentifier (RFC 5280 §4.2.1.1). */
export function parseAuthorityKeyIdentifier(node: DerNode | undefined): Uint8Array | undefined {
  return node?.children.find((child) => child.tag === primitiveContextTag(0))?.content;
}

function parseBasicConstraints(node: DerNode): { ca: boolean; pathLength: number | undefined } {
  const fields = new DerFields(node, 'BasicConstraints');
  const ca = fields.takeIf(tags.boolean);
  const pathLength = fields.takeIf(tags.integer);
  fields.end();
  return { ca: ca !== undefined && decodeBoolean(ca), pathLength: pathLength && decodeSmallInteger(pathLength) };
}

/** URI names are `[6] IA5String` (RFC 5280 §4.2.1.6). */
const uriTag = primitiveContextTag(6);

function parseAccess(node: DerNode | undefined): readonly { method: string; url: string }[] {
  return (node?.children ?? []).flatMap((child) => {
    const fields = new DerFields(child, 'AccessDescription');
    const method = decodeOid(fields.take(tags.oid));
    const location = fields.take();
    fields.end();
    return location.tag === uriTag ? [{ method, url: latin1(location.content) }] : [];
  });
}

/** URLs of points that name neither reasons nor another CRL issuer: partial and indirect CRLs aren't ours to fetch. */
function parseDistributionPoints(node: DerNode | undefined): readonly string[] {
  return (node?.children ?? []).flatMap((point) => {
    const [name, ...others] = point.children;
    const fullName = name?.tag === contextTag(0) ? name.children[0] : undefined;
    if (others.length > 0 || fullName?.tag !== contextTag(0)) return [];
    return fullName.children.filter((child) => child.tag === uriTag).map((child) => latin1(child.content));
  });
}

function parseAlternativeNames(node: DerNode | undefined): Certificate['subjectAlternativeNames'] {
  const contents = (number: number) =>
    (node?.children ?? []).filter((child) => child.tag === primitiveContextTag(number)).map((child) => child.content);
  return {
    uris: contents(6).map(latin1),
    dnsNames: contents(2).map(latin1),
    ipAddresses: contents(7).map(formatIpAddress),
  };
}

function parsePrivateKeyUsagePeriod(node: DerNode): { notBefore?: Date; notAfter?: Date } {
  const fields = new DerFields(node, 'PrivateKeyUsagePeriod');
  const notBefore = fields.takeIf(primitiveContextTag(0));
  const notAfter = fields.takeIf(primitiveContextTag(1));
  fields.end();
  // [n] IMPLICIT GeneralizedTime: the same content under the universal tag
  return {
    ...(notBefore ? { notBefore: decodeTime({ ...notBefore, tag: tags.generalizedTime }) } : {}),
    ...(notAfter ? { notAfter: decodeTime({ ...notAfter, tag: tags.generalizedTime }) } : {}),
  };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
