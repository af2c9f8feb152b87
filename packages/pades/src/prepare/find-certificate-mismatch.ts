import { isSigillumError } from '@sigillum/errors';
import {
  type Certificate,
  decodeNamedBits,
  decodeOid,
  equalBytes,
  isIssuedBy,
  parseCertificate,
  readDer,
} from '@sigillum/pki';
import type { SealSigner } from './prepare-input.ts';
import type { CertificateSeed } from './seed-value.ts';

/** Short names of attributes (RFC 4519, ISO 32000-2 table 236) as the product's names spell them. */
const attributeTypes = new Map([
  ['c', 'country'],
  ['st', 'state'],
  ['l', 'locality'],
  ['o', 'organization'],
  ['ou', 'organizational_unit'],
  ['cn', 'common_name'],
  ['sn', 'surname'],
  ['givenname', 'given_name'],
  ['serialnumber', 'serial_number'],
  ['organizationidentifier', 'organization_identifier'],
]);
const certificatePolicies = '2.5.29.32';
const keyUsage = '2.5.29.15';
/** Bits of KeyUsage (RFC 5280 §4.2.1.3). */
const keyUsageBits = 9;

/** Which constraint on the certificate isn't met (ISO 32000-2 table 236), for a sentence about the field; undefined: none. */
export function findCertificateMismatch(seed: CertificateSeed, signer: SealSigner | undefined): string | undefined {
  if (seed.unknownFlags) return 'requires something of the certificate that ISO 32000-2 does not define';
  if (seed.signaturePolicy) return 'requires a signature policy';
  if (seed.url) return 'requires a certificate, or a signature, from a place on the web';
  const { subjects, issuers, policies, subjectNames, keyUsages } = seed;
  if ([subjects, issuers, policies, subjectNames, keyUsages].every((constraint) => constraint === undefined)) {
    return undefined;
  }
  if (signer === undefined) return 'requires a certain certificate, and it is not known who will sign';
  const leaf = parseCertificate(signer.certificate);
  if (subjects !== undefined && !subjects.some((der) => equalBytes(der, leaf.der))) {
    return 'requires another certificate';
  }
  if (issuers !== undefined && !issuers.some((der) => isIssuer(der, leaf, signer.chain))) {
    return 'requires a certificate of another issuer';
  }
  if (policies !== undefined && !policies.every((policy) => listPolicies(leaf).includes(policy))) {
    return 'requires a certificate under another policy';
  }
  if (subjectNames !== undefined && !subjectNames.some((name) => hasAttributes(leaf, name))) {
    return 'requires a certificate with another subject';
  }
  if (keyUsages !== undefined && !keyUsages.some((pattern) => fitsKeyUsage(leaf, pattern))) {
    return 'requires a certificate with another key usage';
  }
  return undefined;
}

/** Directly or by way of the certificates between them. */
function isIssuer(der: Uint8Array, leaf: Certificate, chain: readonly Uint8Array[]): boolean {
  if (chain.some((one) => equalBytes(one, der))) return true;
  try {
    const issuer = parseCertificate(der);
    return [leaf, ...chain.map((one) => parseCertificate(one))].some((one) => isIssuedBy(one, issuer));
  } catch (error) {
    // what the field lists may be anything
    if (isSigillumError(error)) return false;
    throw error;
  }
}

/** RFC 5280 §4.2.1.4: SEQUENCE OF PolicyInformation, each with its OID first. */
function listPolicies(certificate: Certificate): readonly string[] {
  const extension = certificate.extensions.find(({ oid }) => oid === certificatePolicies);
  if (extension === undefined) return [];
  return readDer(extension.value).children.flatMap(({ children: [policy] }) => (policy ? [decodeOid(policy)] : []));
}

function hasAttributes({ subject }: Certificate, wanted: readonly (readonly [string, string])[]): boolean {
  return wanted.every(([key, value]) => {
    const type = attributeTypes.get(key.toLowerCase()) ?? key;
    return subject.attributes.some((attribute) => attribute.type === type && attribute.value === value);
  });
}

function fitsKeyUsage(certificate: Certificate, pattern: string): boolean {
  if (!/^[01xX]{1,9}$/.test(pattern)) return false;
  const extension = certificate.extensions.find(({ oid }) => oid === keyUsage);
  const bits = extension && decodeNamedBits(readDer(extension.value));
  return Array.from({ length: keyUsageBits }, (_, bit) => bit).every((bit) => {
    const wanted = pattern[bit] ?? 'X';
    return wanted === 'X' || wanted === 'x' || (wanted === '1') === (bits?.has(bit) ?? false);
  });
}
