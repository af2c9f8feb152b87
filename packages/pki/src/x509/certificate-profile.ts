import type { KeySpecName } from '@sigillum/algorithms';
import type { ExtendedKeyUsageName, KeyUsageName } from './key-usage.ts';

export type CertificateProfileName =
  | 'root-ca'
  | 'issuing-ca'
  | 'tsa-ca'
  | 'seal'
  | 'tsu'
  | 'tls-root'
  | 'tls-server'
  | 'tls-client'
  | 'tls-peer';

/** What a kind of certificate holds, all of it: an extension that the profile doesn't name is not in the certificate. */
export type CertificateProfile = {
  readonly name: CertificateProfileName;
  /** Signed with its own key. */
  readonly selfSigned: boolean;
  /** Path length of a CA (critical basicConstraints); absent for a leaf, which has no basicConstraints. */
  readonly ca?: { readonly pathLength: number | undefined };
  /** Always critical. */
  readonly keyUsage: readonly KeyUsageName[];
  readonly extendedKeyUsage?: { readonly critical: boolean; readonly purposes: readonly ExtendedKeyUsageName[] };
  /** Kinds of subject keys. */
  readonly keys: readonly KeySpecName[];
  /** Subject attributes that must be there. */
  readonly subject: readonly string[];
  /** Whether caIssuers and CRL distribution point are there; both are or neither is. */
  readonly publication: 'required' | 'forbidden';
  /** SPIFFE URI names: exactly one, or none. */
  readonly uriName: 'required' | 'forbidden';
  /** DNS and IP names: at least one, or none. */
  readonly hostNames: 'required' | 'forbidden';
  readonly privateKeyUsagePeriod: 'required' | 'forbidden';
  /** Days from notBefore to notAfter at most. */
  readonly maxDays: number;
};

const caUsage: readonly KeyUsageName[] = ['keyCertSign', 'cRLSign'];
// EN 319 412-3 §4.2.1: country, organisation, organizationIdentifier and common name of a legal person.
const legalPerson = ['country', 'organization', 'organization_identifier', 'common_name'];
const ecKeys: readonly KeySpecName[] = ['p256', 'p384'];

const ca = {
  uriName: 'forbidden',
  hostNames: 'forbidden',
  privateKeyUsagePeriod: 'forbidden',
  keyUsage: caUsage,
} as const;
const tlsLeaf = {
  selfSigned: false,
  keyUsage: ['digitalSignature'],
  keys: ecKeys,
  subject: ['organization', 'common_name'],
  publication: 'forbidden',
  uriName: 'required',
  privateKeyUsagePeriod: 'forbidden',
  // Service certificates live a week; one more day leaves room for the back-dating.
  maxDays: 8,
} as const;
const subordinateCa = {
  ...ca,
  selfSigned: false,
  ca: { pathLength: 0 },
  keys: ecKeys,
  subject: legalPerson,
  publication: 'required',
  maxDays: 3660,
} as const;

const profiles: readonly CertificateProfile[] = [
  {
    ...ca,
    name: 'root-ca',
    selfSigned: true,
    // One level of CAs below, and no deeper.
    ca: { pathLength: 1 },
    keys: ecKeys,
    subject: legalPerson,
    publication: 'forbidden',
    maxDays: 7320,
  },
  { ...subordinateCa, name: 'issuing-ca' },
  { ...subordinateCa, name: 'tsa-ca' },
  {
    name: 'seal',
    selfSigned: false,
    // EN 319 412-2 §4.3.2, type A: only contentCommitment (nonRepudiation).
    keyUsage: ['nonRepudiation'],
    keys: ['p256', 'p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'],
    subject: legalPerson,
    publication: 'required',
    uriName: 'forbidden',
    hostNames: 'forbidden',
    privateKeyUsagePeriod: 'forbidden',
    maxDays: 1100,
  },
  {
    name: 'tsu',
    selfSigned: false,
    keyUsage: ['digitalSignature'],
    // RFC 3161 §2.3: one purpose, critical.
    extendedKeyUsage: { critical: true, purposes: ['timeStamping'] },
    keys: ['p256', 'p384', 'rsa-3072', 'rsa-4096'],
    subject: legalPerson,
    publication: 'required',
    uriName: 'forbidden',
    hostNames: 'forbidden',
    // EN 319 422 §6: the key stops signing long before its certificate ends, so that tokens stay verifiable.
    privateKeyUsagePeriod: 'required',
    maxDays: 3660,
  },
  {
    ...ca,
    name: 'tls-root',
    selfSigned: true,
    ca: { pathLength: 0 },
    keys: ecKeys,
    subject: ['organization', 'common_name'],
    publication: 'forbidden',
    maxDays: 3660,
  },
  {
    ...tlsLeaf,
    name: 'tls-server',
    extendedKeyUsage: { critical: false, purposes: ['serverAuth'] },
    hostNames: 'required',
  },
  {
    ...tlsLeaf,
    name: 'tls-client',
    extendedKeyUsage: { critical: false, purposes: ['clientAuth'] },
    hostNames: 'forbidden',
  },
  {
    ...tlsLeaf,
    name: 'tls-peer',
    extendedKeyUsage: { critical: false, purposes: ['serverAuth', 'clientAuth'] },
    hostNames: 'required',
  },
];

const byName = new Map<string, CertificateProfile>(profiles.map((profile) => [profile.name, profile]));

/** Names of every profile. */
export const certificateProfileNames: readonly CertificateProfileName[] = profiles.map(({ name }) => name);

/** The profile of that name; every {@link CertificateProfileName} has one. */
export function getCertificateProfile(name: CertificateProfileName): CertificateProfile {
  const found = byName.get(name);
  if (!found) throw new RangeError(`unknown certificate profile ${name}`);
  return found;
}
