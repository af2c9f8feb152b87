import { createHash, sign } from 'node:crypto';
import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import type { RevocationData, RevocationRequest, RevocationSource } from '@sigillum/pades';
import {
  buildPath,
  type Certificate,
  decodeBitString,
  encodeBitString,
  encodeEnumerated,
  encodeExplicit,
  encodeGeneralizedTime,
  encodeImplicitPrimitive,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTlv,
  encodeUnsignedInteger,
  equalBytes,
  parseCertificate,
  readDer,
  type RevokedCertificate,
} from '@sigillum/pki';
import { makeSoftwareCrl, type SoftwareIdentity, type SoftwarePki } from './software-pki.ts';

export type SoftwareRevocationOptions = {
  /** The clock of lists and answers. */
  readonly now: () => Date;
  /** Seals whose certificate names a responder are answered by OCSP, signed by this one; without it all is CRLs. */
  readonly responder?: SoftwareIdentity;
  /** What is fetched by AIA in a real source. */
  readonly issuers?: readonly Uint8Array[];
  readonly revoked?: ReadonlyMap<string, RevokedCertificate>;
};

/**
 * The lists and answers of a {@link SoftwarePki}, made when they are asked for: real ones, without a network. What a real
 * source does with them is for `pki-sources` and its tests.
 */
export class SoftwareRevocation implements RevocationSource {
  /** What was asked, for tests. */
  readonly requests: RevocationRequest[] = [];
  readonly #crls = new Map<string, Uint8Array>();
  readonly #pki: SoftwarePki;
  readonly #options: SoftwareRevocationOptions;

  constructor(pki: SoftwarePki, options: SoftwareRevocationOptions) {
    this.#pki = pki;
    this.#options = options;
  }

  async collect(requests: readonly RevocationRequest[]): Promise<RevocationData> {
    const data = { certificates: [] as Uint8Array[], crls: [] as Uint8Array[], ocsps: [] as Uint8Array[] };
    for (const request of requests) {
      this.requests.push(request);
      const path = this.#buildPath(request);
      for (const certificate of path.slice(1)) {
        const isGiven = request.certificates.some((given) => equalBytes(given, certificate.der));
        if (!isGiven) data.certificates.push(certificate.der);
      }
      for (const [index, certificate] of path.slice(0, -1).entries()) {
        const issuer = path[index + 1];
        if (issuer) await this.#answer(certificate, issuer, data);
      }
    }
    return data;
  }

  async #answer(
    certificate: Certificate,
    issuer: Certificate,
    data: { crls: Uint8Array[]; ocsps: Uint8Array[] },
  ): Promise<void> {
    const { responder, revoked = new Map<string, RevokedCertificate>(), now } = this.#options;
    const entry = revoked.get(certificate.serialNumber);
    if (entry !== undefined) throw new SigillumError('revocation_revoked', `"${certificate.subject.text}" is revoked.`);
    if (responder && certificate.ocspUrls.length > 0) {
      data.ocsps.push(makeSoftwareOcsp(certificate, issuer, responder, now()));
      return;
    }
    const authority = [this.#pki.root, this.#pki.issuing, this.#pki.tsa].find(({ certificate: der }) =>
      equalBytes(der, issuer.der),
    );
    if (authority) data.crls.push(await this.#getCrl(authority, now(), revoked));
  }

  /** One list for each authority and time: another signature would make another list of it. */
  async #getCrl(
    authority: SoftwareIdentity,
    now: Date,
    revoked: ReadonlyMap<string, RevokedCertificate>,
  ): Promise<Uint8Array> {
    const key = `${authority.name} ${now.getTime()}`;
    const crl = this.#crls.get(key) ?? (await makeSoftwareCrl(authority, now, revoked));
    this.#crls.set(key, crl);
    return crl;
  }

  #buildPath({ certificates, at }: RevocationRequest): readonly Certificate[] {
    const [leaf, ...candidates] = [...certificates, ...(this.#options.issuers ?? [])].map((der) =>
      parseCertificate(der),
    );
    if (leaf === undefined) return [];
    try {
      return buildPath({ leaf, candidates, roots: [parseCertificate(this.#pki.root.certificate)], at });
    } catch (error) {
      throw new SigillumError('revocation_untrusted', 'The chain ends at no configured root.', { cause: error });
    }
  }
}

/** An OCSPResponse about one certificate (RFC 6960 §4.2.1), good for a day; with the responder's certificate in it. */
export function makeSoftwareOcsp(
  certificate: Certificate,
  issuer: Certificate,
  responder: SoftwareIdentity,
  now: Date,
  revoked?: RevokedCertificate,
): Uint8Array {
  const sha1 = (bytes: Uint8Array) => encodeOctetString(createHash('sha1').update(bytes).digest());
  const readKey = (spki: Uint8Array) => decodeBitString(readDer(spki).children[1] ?? readDer(spki));
  const id = encodeSequence(
    encodeSequence(encodeOid('1.3.14.3.2.26'), encodeNull()),
    sha1(issuer.subject.der),
    sha1(readKey(issuer.spki)),
    encodeUnsignedInteger(Buffer.from(certificate.serialNumber, 'hex')),
  );
  const status = revoked
    ? encodeTlv(0xa1, encodeGeneralizedTime(revoked.time))
    : encodeImplicitPrimitive(0, new Uint8Array());
  const day = 24 * 3_600_000;
  const single = encodeSequence(
    id,
    status,
    encodeGeneralizedTime(now),
    encodeExplicit(0, encodeGeneralizedTime(new Date(now.getTime() + day))),
  );
  const { spki } = parseCertificate(responder.certificate);
  const data = encodeSequence(
    encodeExplicit(2, sha1(readKey(spki))),
    encodeGeneralizedTime(now),
    encodeSequence(single),
  );
  const basic = encodeSequence(
    data,
    getSignatureAlgorithm('ecdsa-p256-sha256').identifierDer,
    encodeBitString(new Uint8Array(sign('sha256', data, responder.privateKey))),
    encodeExplicit(0, encodeSequence(responder.certificate)),
  );
  const body = encodeSequence(encodeOid('1.3.6.1.5.5.7.48.1.1'), encodeOctetString(basic));
  return encodeSequence(encodeEnumerated(0), encodeExplicit(0, body));
}
