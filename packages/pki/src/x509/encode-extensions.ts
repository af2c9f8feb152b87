import {
  encodeBoolean,
  encodeExplicit,
  encodeIa5String,
  encodeImplicitPrimitive,
  encodeInteger,
  encodeNamedBits,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTlv,
  retag,
} from '../der/encode-der.ts';
import { encodeGeneralizedTime } from '../der/der-time.ts';
import { contextTag, primitiveContextTag } from '../der/tags.ts';
import type { CertificateProfile } from './certificate-profile.ts';
import type { CertificateRequest } from './certificate-request.ts';
import { accessMethodOids, extensionOids } from './extension-oids.ts';
import { encodeIpv4Address } from './ip-address.ts';
import { computeKeyIdentifier } from './key-identifier.ts';
import { extendedKeyUsageOids, keyUsageBits } from './key-usage.ts';

/** One Extension; FALSE is the default of `critical`, so DER leaves it out (RFC 5280 §4.1). */
export function encodeExtension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  return encodeSequence(encodeOid(oid), ...(critical ? [encodeBoolean(true)] : []), encodeOctetString(value));
}

/** AuthorityKeyIdentifier with the key identifier alone (RFC 5280 §4.2.1.1). */
export function encodeAuthorityKeyIdentifier(keyIdentifier: Uint8Array): Uint8Array {
  const value = encodeSequence(encodeImplicitPrimitive(0, keyIdentifier));
  return encodeExtension(extensionOids.authorityKeyIdentifier, false, value);
}

/** The extensions of a certificate as its profile wants them, in a fixed order. */
export function encodeExtensions(
  request: CertificateRequest,
  profile: CertificateProfile,
  issuerKeyIdentifier: Uint8Array,
): readonly Uint8Array[] {
  const extensions: Uint8Array[] = [];
  if (profile.ca) {
    const { pathLength } = profile.ca;
    const value = encodeSequence(encodeBoolean(true), ...(pathLength === undefined ? [] : [encodeInteger(pathLength)]));
    extensions.push(encodeExtension(extensionOids.basicConstraints, true, value));
  }
  const usage = encodeNamedBits(profile.keyUsage.map((name) => keyUsageBits.indexOf(name)));
  extensions.push(encodeExtension(extensionOids.keyUsage, true, usage));
  if (profile.extendedKeyUsage) {
    const { critical, purposes } = profile.extendedKeyUsage;
    const value = encodeSequence(...purposes.map((purpose) => encodeOid(extendedKeyUsageOids[purpose])));
    extensions.push(encodeExtension(extensionOids.extendedKeyUsage, critical, value));
  }
  const skid = encodeOctetString(computeKeyIdentifier(request.spki));
  extensions.push(encodeExtension(extensionOids.subjectKeyIdentifier, false, skid));
  extensions.push(encodeAuthorityKeyIdentifier(issuerKeyIdentifier));
  if (request.privateKeyUsagePeriod) {
    const { notBefore, notAfter } = request.privateKeyUsagePeriod;
    const value = encodeSequence(
      retag(primitiveContextTag(0), encodeGeneralizedTime(wholeSeconds(notBefore))),
      retag(primitiveContextTag(1), encodeGeneralizedTime(wholeSeconds(notAfter))),
    );
    extensions.push(encodeExtension(extensionOids.privateKeyUsagePeriod, false, value));
  }
  const names = [
    ...(request.uris ?? []).map((uri) => retag(primitiveContextTag(6), encodeIa5String(uri))),
    ...(request.dnsNames ?? []).map((name) => retag(primitiveContextTag(2), encodeIa5String(name))),
    ...(request.ipAddresses ?? []).map((address) => encodeImplicitPrimitive(7, encodeIpv4Address(address))),
  ];
  if (names.length > 0) {
    extensions.push(encodeExtension(extensionOids.subjectAlternativeName, false, encodeSequence(...names)));
  }
  if (request.crlUrl !== undefined) {
    // RFC 5280 §4.2.1.13: DistributionPoint { [0] { [0] { [6] uri } } }
    const fullName = encodeTlv(contextTag(0), uriName(request.crlUrl));
    const value = encodeSequence(encodeSequence(encodeExplicit(0, fullName)));
    extensions.push(encodeExtension(extensionOids.crlDistributionPoints, false, value));
  }
  if (request.caIssuersUrl !== undefined) {
    const access = encodeSequence(encodeOid(accessMethodOids.caIssuers), uriName(request.caIssuersUrl));
    extensions.push(encodeExtension(extensionOids.authorityInformationAccess, false, encodeSequence(access)));
  }
  return extensions;
}

function uriName(url: string): Uint8Array {
  return retag(primitiveContextTag(6), encodeIa5String(url));
}

function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000);
}
