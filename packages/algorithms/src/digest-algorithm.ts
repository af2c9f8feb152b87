/** Names of digests as node:crypto and our wire formats spell them. */
export type DigestName = 'sha256' | 'sha384' | 'sha512';

export type DigestAlgorithm = {
  readonly name: DigestName;
  /** Object identifier (RFC 5754 §2). */
  readonly oid: string;
  /** Length of a digest, in bytes. */
  readonly length: number;
  /** DER prefix of `DigestInfo` before the digest (RFC 8017 §9.2, note 1). */
  readonly digestInfoPrefix: Uint8Array;
  /** `CKM_SHA*` for PSS parameters (PKCS#11 v3.1 §6.23). */
  readonly pkcs11Mechanism: number;
  /** `CKG_MGF1_SHA*` (PKCS#11 v3.1 §6.1.7). */
  readonly pkcs11Mgf: number;
};

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

const sha256: DigestAlgorithm = {
  name: 'sha256',
  oid: '2.16.840.1.101.3.4.2.1',
  length: 32,
  digestInfoPrefix: fromHex('3031300d060960864801650304020105000420'),
  pkcs11Mechanism: 0x250,
  pkcs11Mgf: 2,
};
const sha384: DigestAlgorithm = {
  name: 'sha384',
  oid: '2.16.840.1.101.3.4.2.2',
  length: 48,
  digestInfoPrefix: fromHex('3041300d060960864801650304020205000430'),
  pkcs11Mechanism: 0x260,
  pkcs11Mgf: 3,
};
const sha512: DigestAlgorithm = {
  name: 'sha512',
  oid: '2.16.840.1.101.3.4.2.3',
  length: 64,
  digestInfoPrefix: fromHex('3051300d060960864801650304020305000440'),
  pkcs11Mechanism: 0x270,
  pkcs11Mgf: 4,
};

const byName = new Map<string, DigestAlgorithm>([sha256, sha384, sha512].map((entry) => [entry.name, entry]));
const byOid = new Map<string, DigestAlgorithm>([sha256, sha384, sha512].map((entry) => [entry.oid, entry]));

/** Every digest the product makes or accepts. SHA-1 and MD5 are not in it on purpose. */
export const digestAlgorithms: readonly DigestAlgorithm[] = [sha256, sha384, sha512];

/** The digest of that name; every {@link DigestName} has one. */
export function getDigestAlgorithm(name: DigestName): DigestAlgorithm {
  const found = byName.get(name);
  if (!found) throw new RangeError(`unknown digest ${name}`);
  return found;
}

/** The digest of that object identifier, if the product accepts it. */
export function findDigestByOid(oid: string): DigestAlgorithm | undefined {
  return byOid.get(oid);
}
