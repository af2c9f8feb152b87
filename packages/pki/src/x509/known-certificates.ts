import { assertIssuedBy } from './assert-issued-by.ts';
import type { Certificate } from './certificate.ts';
import { parseCertificate } from './parse-certificate.ts';

/** Our own chains and those of a few time-stamp authorities have a dozen certificates; strange ones only push each other out. */
const defaultMaxCertificates = 64;

/**
 * Remembers what never changes about certificates: what they say, and that one signed the other. A service meets the
 * same few with each document, and reading them and checking their signatures costs more than the rest of a seal.
 *
 * Everything that depends on time, purpose or trust is asked anew by those who ask. Only success is remembered, and only
 * for exactly these bytes.
 */
export class KnownCertificates {
  /** In the order of their first use; keys are the bytes themselves, one character each. */
  readonly #certificates = new Map<string, Certificate>();
  readonly #issuers = new WeakMap<Certificate, WeakSet<Certificate>>();
  readonly #maxCertificates: number;

  constructor(maxCertificates: number = defaultMaxCertificates) {
    this.#maxCertificates = maxCertificates;
  }

  /** As {@link parseCertificate}. The answer may be shared with others. */
  parse(der: Uint8Array): Certificate {
    const key = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('latin1');
    const known = this.#certificates.get(key);
    if (known !== undefined) return known;
    // A copy: what we remember is not a view into somebody's larger or later changed buffer.
    const certificate = parseCertificate(Uint8Array.from(der));
    const [oldest] = this.#certificates.keys();
    if (oldest !== undefined && this.#certificates.size >= this.#maxCertificates) this.#certificates.delete(oldest);
    this.#certificates.set(key, certificate);
    return certificate;
  }

  /** As {@link assertIssuedBy}; remembered for certificates that {@link parse} gave. */
  assertIssuedBy(certificate: Certificate, issuer: Certificate): void {
    const issuers = this.#issuers.get(certificate) ?? new WeakSet();
    if (issuers.has(issuer)) return;
    assertIssuedBy(certificate, issuer);
    issuers.add(issuer);
    this.#issuers.set(certificate, issuers);
  }
}
