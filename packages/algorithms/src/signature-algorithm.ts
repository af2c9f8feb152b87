import { type DigestAlgorithm, type DigestName, getDigestAlgorithm } from './digest-algorithm.ts';
import type { KeySpecName } from './key-spec.ts';

/** Signature algorithms on the wire, in manifests and in configuration. */
export type SignatureAlgorithmName =
  | 'ecdsa-p256-sha256'
  | 'ecdsa-p384-sha384'
  | 'rsassa-pss-sha256'
  | 'rsassa-pkcs1-v1_5-sha256';

export type SignatureAlgorithm = {
  readonly name: SignatureAlgorithmName;
  readonly scheme: 'ecdsa' | 'rsassa-pss' | 'rsassa-pkcs1-v1_5';
  readonly digest: DigestName;
  /** Key kinds that may use it. */
  readonly keys: readonly KeySpecName[];
  /** `CKM_ECDSA`, `CKM_RSA_PKCS_PSS` or `CKM_RSA_PKCS`: the HSM always gets a digest (PKCS#11 v3.1 §6). */
  readonly pkcs11Mechanism: number;
  /** Salt length in bytes, PSS only: the digest's length. */
  readonly saltLength?: number;
  /** Combined OID, e.g. `ecdsa-with-SHA256`; for PSS `id-RSASSA-PSS`, whose parameters carry the rest. */
  readonly oid: string;
  /** `AlgorithmIdentifier` in DER as it stands in SignerInfo.signatureAlgorithm, certificates and CRLs. */
  readonly identifierDer: Uint8Array;
  /** First day on which TS 119 312 v1.5.1 no longer accepts it for the key kind, where such a day is set. */
  readonly endDates: Partial<Record<KeySpecName, string>>;
};

const CKM_RSA_PKCS = 0x1;
const CKM_RSA_PKCS_PSS = 0xd;
const CKM_ECDSA = 0x1041;

const der = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

const table: readonly SignatureAlgorithm[] = [
  {
    name: 'ecdsa-p256-sha256',
    scheme: 'ecdsa',
    digest: 'sha256',
    keys: ['p256'],
    pkcs11Mechanism: CKM_ECDSA,
    oid: '1.2.840.10045.4.3.2',
    // RFC 5758 §3.2: parameters absent
    identifierDer: der('300a06082a8648ce3d040302'),
    endDates: {},
  },
  {
    name: 'ecdsa-p384-sha384',
    scheme: 'ecdsa',
    digest: 'sha384',
    keys: ['p384'],
    pkcs11Mechanism: CKM_ECDSA,
    oid: '1.2.840.10045.4.3.3',
    identifierDer: der('300a06082a8648ce3d040303'),
    endDates: {},
  },
  {
    name: 'rsassa-pss-sha256',
    scheme: 'rsassa-pss',
    digest: 'sha256',
    keys: ['rsa-3072', 'rsa-4096'],
    pkcs11Mechanism: CKM_RSA_PKCS_PSS,
    saltLength: 32,
    oid: '1.2.840.113549.1.1.10',
    // RFC 4055 §3.1: hash, MGF1 with the same hash and salt length 32 explicit; trailerField is DEFAULT, so absent in DER
    identifierDer: der(
      '304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120',
    ),
    endDates: {},
  },
  {
    name: 'rsassa-pkcs1-v1_5-sha256',
    scheme: 'rsassa-pkcs1-v1_5',
    digest: 'sha256',
    keys: ['rsa-2048', 'rsa-3072', 'rsa-4096'],
    pkcs11Mechanism: CKM_RSA_PKCS,
    oid: '1.2.840.113549.1.1.11',
    // RFC 4055 §5: parameters NULL
    identifierDer: der('300d06092a864886f70d01010b0500'),
    endDates: { 'rsa-2048': '2029-01-01', 'rsa-3072': '2029-01-01', 'rsa-4096': '2029-01-01' },
  },
];

const byName = new Map<string, SignatureAlgorithm>(table.map((entry) => [entry.name, entry]));

/** Every signature algorithm of the product. EdDSA is left out on purpose: TS 119 312 does not list it. */
export const signatureAlgorithms = table;

/** The algorithm of a name from outside, if the product has it. */
export function findSignatureAlgorithm(name: string): SignatureAlgorithm | undefined {
  return byName.get(name);
}

/** The algorithm of that name; every {@link SignatureAlgorithmName} has one. */
export function getSignatureAlgorithm(name: SignatureAlgorithmName): SignatureAlgorithm {
  const found = byName.get(name);
  if (!found) throw new RangeError(`unknown signature algorithm ${name}`);
  return found;
}

/** The digest that goes with a signature algorithm: document, signed attributes and signature use this one. */
export function getDigestOf(name: SignatureAlgorithmName): DigestAlgorithm {
  return getDigestAlgorithm(getSignatureAlgorithm(name).digest);
}
