import { createHash, randomBytes } from 'node:crypto';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import {
  type Certificate,
  encodeOcspRequest,
  isInCrlScope,
  type KnownCertificates,
  type OcspRequest,
  parseCertificateFile,
  parseCrl,
  parseOcspResponse,
  verifyCrl,
  verifyOcspResponse,
} from '@sigillum/pki';
import { GuardedClient, type GuardedRequest } from '../egress/guarded-client.ts';
import { PieceCache } from './piece-cache.ts';
import type { RevocationCollectorOptions, RevocationExchange } from './revocation-options.ts';
import { assertCurrent, type FreshnessRule, isReusable, type RevocationPiece } from './revocation-piece.ts';

/** Counts down the exchanges that one call may make; what is remembered costs nothing. */
export type Budget = { left: number };

/** URLs of one kind in one certificate that are tried. */
const maxUrls = 2;
/** An OCSP response with two certificates of 4096 bits has 6 KB. */
const maxOcspBytes = 64 * 1024;
/** A p7c of cross-certificates. */
const maxIssuerBytes = 128 * 1024;

/** RFC 9654 §2.1 */
const nonceLength = 32;

/**
 * Fetches OCSP responses, CRLs and issuers' certificates, verifies each, and only then remembers it. Its callers have
 * built a path to `issuer` already. Throws `revocation_unavailable` and what the check of an answer throws.
 */
export class RevocationFetcher {
  readonly #options: RevocationCollectorOptions;
  readonly #client: GuardedClient;
  readonly #known: KnownCertificates;
  readonly #now: () => Date;
  readonly #pieces: PieceCache<RevocationPiece>;
  readonly #issuers: PieceCache<{ bytes: number; fetchedAt: number; certificates: readonly Uint8Array[] }>;

  constructor(options: RevocationCollectorOptions, known: KnownCertificates, now: () => Date) {
    const { allowAddresses = [], ports = [], maxPerHost = 4, timeoutMs = 5000, resolve, proxy } = options;
    this.#options = options;
    this.#known = known;
    this.#now = now;
    this.#client = new GuardedClient({
      allowAddresses,
      ports,
      maxPerHost,
      timeoutMs,
      proxy,
      ...(resolve ? { resolve } : {}),
    });
    const negativeMs = options.negativeMs ?? 30_000;
    this.#pieces = new PieceCache({ maxBytes: options.maxCacheBytes ?? 16 * 1024 * 1024, negativeMs, now });
    // As many as fit: intermediate certificates have 2 KB.
    this.#issuers = new PieceCache({ maxBytes: 1024 * 1024, negativeMs, now });
  }

  /** The OCSP response for a certificate; undefined when it names no responder. */
  async findOcsp(
    certificate: Certificate,
    issuer: Certificate,
    rule: FreshnessRule,
    context: { budget: Budget; signal: AbortSignal },
  ): Promise<RevocationPiece | undefined> {
    const urls = listHttp(certificate.ocspUrls);
    if (urls.length === 0) return undefined;
    return this.#pieces.get(
      `ocsp:${hashIssuer(issuer)}:${certificate.serialNumber}`,
      (piece) => isReusable(piece, certificate, rule),
      () => tryEach(urls, (url) => this.#askOcspTwice(url, certificate, issuer, context.budget)),
      context.signal,
    );
  }

  /** The CRL that speaks of a certificate; undefined when it names none. */
  async findCrl(
    certificate: Certificate,
    issuer: Certificate,
    rule: FreshnessRule,
    context: { budget: Budget; signal: AbortSignal },
  ): Promise<RevocationPiece | undefined> {
    const urls = listHttp(certificate.crlUrls);
    if (urls.length === 0) return undefined;
    return tryEach(urls, async (url) => {
      const piece = await this.#pieces.get(
        `crl:${hashIssuer(issuer)}:${url}`,
        (known) => isReusable(known, certificate, rule),
        () => this.#fetchCrl(url, certificate, issuer, context.budget),
        context.signal,
      );
      // Fetched for another certificate, perhaps.
      if (piece.kind !== 'crl' || !isInCrlScope(piece.list.scope, certificate)) {
        throw new SigillumError('pki_crl_invalid', 'The CRL does not speak of this certificate.');
      }
      return piece;
    });
  }

  /** Certificates from where a certificate says that its issuer's lie; not looked into. */
  async findIssuers(
    certificate: Certificate,
    context: { budget: Budget; signal: AbortSignal },
  ): Promise<readonly Uint8Array[]> {
    const maxAgeMs = this.#options.maxAgeMs ?? 3_600_000;
    const urls = listHttp(certificate.caIssuersUrls);
    if (urls.length === 0) return [];
    const found = await tryEach(urls, (url) =>
      this.#issuers.get(
        url,
        ({ fetchedAt }) => fetchedAt >= this.#now().getTime() - maxAgeMs,
        async () => {
          const body = await this.#exchange('issuer', { url, method: 'GET', maxBytes: maxIssuerBytes }, context.budget);
          const certificates = this.#use('issuer', url, () => parseCertificateFile(body));
          return { bytes: body.length, fetchedAt: this.#now().getTime(), certificates };
        },
        context.signal,
      ),
    );
    return found.certificates;
  }

  /** A few responders have given up SHA-1 in the CertID: one that has no answer is asked once more, by SHA-256. */
  async #askOcspTwice(
    url: string,
    certificate: Certificate,
    issuer: Certificate,
    budget: Budget,
  ): Promise<RevocationPiece> {
    try {
      return await this.#askOcsp(url, { certificate, issuer, hash: 'sha1' }, budget);
    } catch (error) {
      if (!isSigillumError(error, 'pki_ocsp_refused')) throw error;
      return this.#askOcsp(url, { certificate, issuer, hash: 'sha256' }, budget);
    }
  }

  async #askOcsp(url: string, question: OcspRequest, budget: Budget): Promise<RevocationPiece> {
    const { certificate, issuer } = question;
    const nonce = new Uint8Array(randomBytes(nonceLength));
    const request: GuardedRequest = {
      url,
      method: 'POST',
      headers: { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' },
      body: encodeOcspRequest({ ...question, nonce }),
      maxBytes: maxOcspBytes,
    };
    const body = await this.#exchange('ocsp', request, budget);
    return this.#use('ocsp', url, () => {
      const now = this.#now();
      const response = parseOcspResponse(body);
      const verdict = verifyOcspResponse(response, { certificate, issuer, nonce, known: this.#known });
      if (verdict.certificateStatus.status === 'unknown') {
        throw new SigillumError('pki_ocsp_refused', 'The OCSP responder does not know the certificate.');
      }
      return this.#accept({ kind: 'ocsp', der: body, bytes: body.length, fetchedAt: now.getTime(), verdict });
    });
  }

  async #fetchCrl(
    url: string,
    certificate: Certificate,
    issuer: Certificate,
    budget: Budget,
  ): Promise<RevocationPiece> {
    const maxBytes = this.#options.maxCrlBytes ?? 4 * 1024 * 1024;
    const body = await this.#exchange('crl', { url, method: 'GET', maxBytes }, budget);
    return this.#use('crl', url, () => {
      const list = parseCrl(body);
      verifyCrl(list, issuer, certificate);
      return this.#accept({ kind: 'crl', der: body, bytes: body.length, fetchedAt: this.#now().getTime(), list });
    });
  }

  /** What has passed already is remembered as a failure, so that it isn't fetched with each document. */
  #accept(piece: RevocationPiece): RevocationPiece {
    assertCurrent(piece, this.#now());
    return piece;
  }

  async #exchange(kind: RevocationExchange['kind'], request: GuardedRequest, budget: Budget): Promise<Uint8Array> {
    if (budget.left <= 0) throw unavailable('The document needs more revocation data than is fetched for one.');
    budget.left--;
    const started = performance.now();
    try {
      const { body } = await this.#client.fetch(request);
      this.#options.onExchange?.({ kind, url: request.url, milliseconds: performance.now() - started });
      return body;
    } catch (error) {
      if (isSigillumError(error)) {
        this.#options.onExchange?.({ kind, url: request.url, milliseconds: performance.now() - started, error });
      }
      throw error;
    }
  }

  /** What an answer was worth is told too: a server that is up may give rubbish. */
  #use<T>(kind: RevocationExchange['kind'], url: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (isSigillumError(error)) this.#options.onExchange?.({ kind, url, milliseconds: 0, error });
      throw error;
    }
  }
}

/** The first that succeeds; else the last error. */
async function tryEach<T>(urls: readonly string[], attempt: (url: string) => Promise<T>): Promise<T> {
  let last: unknown;
  for (const url of urls) {
    try {
      return await attempt(url);
    } catch (error) {
      if (!isSigillumError(error)) throw error;
      last = error;
    }
  }
  throw last;
}

/** ldap and others aren't fetched; the guard looks at the rest. */
function listHttp(urls: readonly string[]): readonly string[] {
  return urls.filter((url) => /^https?:\/\//i.test(url)).slice(0, maxUrls);
}

/** An issuer is its name and key: the same CA may hold several certificates. */
function hashIssuer(issuer: Certificate): string {
  return createHash('sha256').update(issuer.subject.der).update(issuer.spki).digest('hex');
}

function unavailable(message: string): SigillumError {
  return new SigillumError('revocation_unavailable', message, { retryAfterSeconds: 30 });
}
