import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { getSignatureAlgorithm, type KeySpecName } from '@sigillum/algorithms';
import {
  createName,
  encodeBitString,
  encodeBoolean,
  encodeExplicit,
  encodeImplicitPrimitive,
  encodeInteger,
  encodeNamedBits,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodePem,
  encodeSequence,
  encodeTime,
  encodeUnsignedInteger,
  issueCrl,
  parseCertificate,
  type RevokedCertificate,
} from '@sigillum/pki';

/** A key in memory with its certificate, and the certificates between it and the root. */
export type SoftwareIdentity = {
  readonly name: string;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly privateKey: KeyObject;
  /** The issuing CA, without the root; DER. */
  readonly chain: readonly Uint8Array[];
};

/** What may be wished for in a certificate. */
export type IdentityOptions = {
  /** Default P-256. */
  readonly key?: KeySpecName;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Where its responder is said to be; nobody ever goes there. */
  readonly ocspUrl?: string;
  /** Where its issuer's certificate is said to be. */
  readonly caIssuersUrl?: string;
};

type CertificateOptions = IdentityOptions & {
  readonly issuer?: SoftwareIdentity;
  readonly ca?: boolean;
  /** Bits of KeyUsage (RFC 5280 §4.2.1.3). */
  readonly keyUsage: readonly number[];
  readonly timeStamping?: 'critical' | 'not-critical';
  readonly ocspSigning?: boolean;
};

const hour = 3_600_000;
const day = 24 * hour;
const algorithm = 'ecdsa-p256-sha256';
const digitalSignature = 0;
const nonRepudiation = 1;
const certificateAuthority = [5, 6];

/**
 * A throw-away hierarchy in memory: P-256 throughout, one good seal and TSU, and the certificates that a forger would
 * like to use. It has its own encoder because the product's refuses to make most of them.
 */
export class SoftwarePki {
  readonly now: Date;
  readonly root: SoftwareIdentity;
  /** A seal's certificate as it should be. */
  readonly leaf: SoftwareIdentity;
  /** Another good one, for a second signature. */
  readonly otherLeaf: SoftwareIdentity;
  /** Ended an hour ago. */
  readonly expiredLeaf: SoftwareIdentity;
  /** digitalSignature alone. */
  readonly leafWithoutNonRepudiation: SoftwareIdentity;
  readonly tsu: SoftwareIdentity;
  readonly expiredTsu: SoftwareIdentity;
  readonly tsuWithoutCriticalPurpose: SoftwareIdentity;
  /** CRLs of root, issuing CA and TSA CA; DER. */
  readonly crls: readonly Uint8Array[];
  readonly issuing: SoftwareIdentity;
  readonly tsa: SoftwareIdentity;
  readonly #name: string;

  private constructor(now: Date, name: string, crls: readonly Uint8Array[], authorities: Authorities) {
    const { root, issuing, tsa } = authorities;
    this.#name = name;
    this.issuing = issuing;
    this.tsa = tsa;
    const seal = (label: string, more: Partial<CertificateOptions> = {}) =>
      issue(`${name} ${label}`, now, { issuer: issuing, keyUsage: [nonRepudiation], ...more });
    const unit = (label: string, more: Partial<CertificateOptions> = {}) =>
      issue(`${name} ${label}`, now, {
        issuer: tsa,
        keyUsage: [digitalSignature],
        timeStamping: 'critical',
        ...more,
      });
    const ended = { notAfter: new Date(now.getTime() - hour) };
    this.now = now;
    this.crls = crls;
    this.root = root;
    this.leaf = seal('seal');
    this.otherLeaf = seal('other seal');
    this.expiredLeaf = seal('expired seal', ended);
    this.leafWithoutNonRepudiation = seal('login', { keyUsage: [digitalSignature] });
    this.tsu = unit('TSU');
    this.expiredTsu = unit('expired TSU', ended);
    this.tsuWithoutCriticalPurpose = unit('loose TSU', { timeStamping: 'not-critical' });
  }

  /** @param days how long the authorities are valid */
  static async make(name = 'Forgeries', now = new Date(), days = 30): Promise<SoftwarePki> {
    const rounded = new Date(Math.floor(now.getTime() / 1000) * 1000);
    const notAfter = new Date(rounded.getTime() + days * day);
    const ca = { ca: true, keyUsage: certificateAuthority, notAfter };
    const root = issue(`${name} root`, rounded, ca);
    const issuing = issue(`${name} issuing CA`, rounded, { ...ca, issuer: root });
    const tsa = issue(`${name} TSA CA`, rounded, { ...ca, issuer: root });
    const crls = await Promise.all([root, issuing, tsa].map((issuer) => makeSoftwareCrl(issuer, rounded)));
    return new SoftwarePki(rounded, name, crls, { root, issuing, tsa });
  }

  /** Another seal's certificate. */
  issueSeal(label: string, options: IdentityOptions = {}): SoftwareIdentity {
    return issue(`${this.#name} ${label}`, this.now, { issuer: this.issuing, keyUsage: [nonRepudiation], ...options });
  }

  /** Another time-stamping unit. */
  issueUnit(label: string, options: IdentityOptions = {}): SoftwareIdentity {
    const purpose = { keyUsage: [digitalSignature], timeStamping: 'critical' as const };
    return issue(`${this.#name} ${label}`, this.now, { issuer: this.tsa, ...purpose, ...options });
  }

  /** A responder to whom the issuing CA has given a certificate for OCSP, marked nocheck. */
  issueResponder(label: string, options: IdentityOptions = {}): SoftwareIdentity {
    const purpose = { keyUsage: [digitalSignature], ocspSigning: true };
    return issue(`${this.#name} ${label}`, this.now, { issuer: this.issuing, ...purpose, ...options });
  }

  /** The root, for judges. */
  get rootPem(): string {
    return encodePem('CERTIFICATE', this.root.certificate);
  }

  /** All CRLs, for judges. */
  get crlsPem(): string {
    return this.crls.map((crl) => encodePem('X509 CRL', crl)).join('');
  }
}

type Authorities = {
  readonly root: SoftwareIdentity;
  readonly issuing: SoftwareIdentity;
  readonly tsa: SoftwareIdentity;
};

/** A CRL of an authority in memory: an hour old, good for thirty days. */
export function makeSoftwareCrl(
  issuer: SoftwareIdentity,
  now: Date,
  revoked: ReadonlyMap<string, RevokedCertificate> = new Map(),
): Promise<Uint8Array> {
  return issueCrl(
    {
      issuer: parseCertificate(issuer.certificate),
      number: BigInt(Math.floor(now.getTime() / 1000)),
      thisUpdate: new Date(now.getTime() - hour),
      nextUpdate: new Date(now.getTime() + 30 * day),
      revoked,
    },
    {
      algorithm,
      signMessage: (message) => Promise.resolve(new Uint8Array(sign('sha256', message, issuer.privateKey))),
    },
  );
}

function issue(name: string, now: Date, options: CertificateOptions): SoftwareIdentity {
  const { privateKey, publicKey } = makeKeys(options.key ?? 'p256');
  const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  const subject = createName([
    { type: 'organization', value: 'Forgeries (no legal value)' },
    { type: 'common_name', value: name },
  ]).der;
  const { issuer } = options;
  const issuerCertificate = issuer && parseCertificate(issuer.certificate);
  const keyId = randomBytes(20);
  const { identifierDer } = getSignatureAlgorithm(algorithm);
  const tbs = encodeSequence(
    encodeExplicit(0, encodeInteger(2)),
    // positive and without leading zeros
    encodeUnsignedInteger(Uint8Array.of(0x40, ...randomBytes(15))),
    identifierDer,
    issuerCertificate?.subject.der ?? subject,
    encodeSequence(
      encodeTime(options.notBefore ?? new Date(now.getTime() - 2 * day)),
      encodeTime(options.notAfter ?? new Date(now.getTime() + 30 * day)),
    ),
    subject,
    spki,
    encodeExplicit(3, encodeSequence(...encodeExtensions(options, keyId, issuerCertificate?.skid ?? keyId))),
  );
  const signature = sign('sha256', tbs, issuer?.privateKey ?? privateKey);
  const certificate = encodeSequence(tbs, identifierDer, encodeBitString(new Uint8Array(signature)));
  const chain = issuer === undefined || options.ca ? [] : [issuer.certificate];
  return { name, certificate, privateKey, chain };
}

function makeKeys(spec: KeySpecName): { privateKey: KeyObject; publicKey: KeyObject } {
  if (spec.startsWith('rsa-')) return generateKeyPairSync('rsa', { modulusLength: Number(spec.slice(4)) });
  return generateKeyPairSync('ec', { namedCurve: spec === 'p384' ? 'P-384' : 'P-256' });
}

function encodeExtensions(options: CertificateOptions, keyId: Uint8Array, issuerKeyId: Uint8Array): Uint8Array[] {
  const extension = (oid: string, critical: boolean, value: Uint8Array) =>
    encodeSequence(encodeOid(oid), ...(critical ? [encodeBoolean(true)] : []), encodeOctetString(value));
  const purpose = (oid: string) => encodeSequence(encodeOid(oid));
  const access = [
    ...(options.ocspUrl ? [encodeAccess('1.3.6.1.5.5.7.48.1', options.ocspUrl)] : []),
    ...(options.caIssuersUrl ? [encodeAccess('1.3.6.1.5.5.7.48.2', options.caIssuersUrl)] : []),
  ];
  return [
    extension('2.5.29.19', true, encodeSequence(...(options.ca ? [encodeBoolean(true)] : []))),
    extension('2.5.29.15', true, encodeNamedBits(options.keyUsage)),
    extension('2.5.29.14', false, encodeOctetString(keyId)),
    extension('2.5.29.35', false, encodeSequence(encodeImplicitPrimitive(0, issuerKeyId))),
    ...(options.timeStamping
      ? [extension('2.5.29.37', options.timeStamping === 'critical', purpose('1.3.6.1.5.5.7.3.8'))]
      : []),
    ...(options.ocspSigning
      ? [
          extension('2.5.29.37', false, purpose('1.3.6.1.5.5.7.3.9')),
          extension('1.3.6.1.5.5.7.48.1.5', false, encodeNull()),
        ]
      : []),
    ...(access.length > 0 ? [extension('1.3.6.1.5.5.7.1.1', false, encodeSequence(...access))] : []),
  ];
}

/** AccessDescription (RFC 5280 §4.2.2.1). */
function encodeAccess(method: string, url: string): Uint8Array {
  return encodeSequence(encodeOid(method), encodeImplicitPrimitive(6, Buffer.from(url, 'latin1')));
}
