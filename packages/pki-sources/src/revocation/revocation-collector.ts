import { isSigillumError, SigillumError } from '@sigillum/errors';
import type { RevocationData, RevocationRequest, RevocationSource } from '@sigillum/pades';
import { type Certificate, equalBytes, KnownCertificates, type RevocationReason } from '@sigillum/pki';
import { buildTrustedPath } from './build-trusted-path.ts';
import { type Budget, RevocationFetcher } from './revocation-fetcher.ts';
import type { RevocationCollectorOptions } from './revocation-options.ts';
import { assertFresh, findRevocation, type FreshnessRule, type RevocationPiece } from './revocation-piece.ts';

/** Responders that vouch for responders: a responder with its own status, and no more (RFC 6960 §4.2.2.2.1). */
const maxResponders = 2;
/** Chains in one call: signers and time-stamps of one document. */
const maxRequests = 32;

/**
 * Certificates that say themselves that nobody keeps their status: id-ce-noRevAvail (RFC 9608), and short-lived ones by
 * ext-etsi-valassured-ST-certs (EN 319 412-1 §5.2).
 */
const noStatusOids = new Set(['2.5.29.56', '0.4.0.194121.2.1']);

/** After these a key was somebody else's, perhaps earlier than anybody knew. */
const compromises: ReadonlySet<RevocationReason | undefined> = new Set<RevocationReason>([
  'keyCompromise',
  'cACompromise',
  'aACompromise',
]);

type Step = { readonly certificate: Certificate; readonly issuer: Certificate; readonly isLeaf: boolean };

type Context = {
  readonly request: RevocationRequest;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  /** Responders whose status is being asked. */
  readonly responders: readonly Certificate[];
};

/**
 * Gathers what proves that chains were good: for each certificate below the root an OCSP response (first choice) or a CRL,
 * verified in full, and the issuers that the caller lacks. Nothing is asked about a chain that ends at no configured root.
 */
export class RevocationCollector implements RevocationSource {
  readonly #options: RevocationCollectorOptions;
  readonly #known = new KnownCertificates();
  readonly #roots: readonly Certificate[];
  readonly #now: () => Date;
  readonly #fetcher: RevocationFetcher;

  constructor(options: RevocationCollectorOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#roots = options.roots.map((root) => this.#known.parse(root));
    this.#fetcher = new RevocationFetcher(options, this.#known, this.#now);
  }

  /**
   * In the order of the requests and of their paths, nothing twice. Throws `revocation_revoked`, `revocation_unavailable`,
   * `revocation_stale`, `revocation_untrusted`, `revocation_too_many_chains`, `pki_certificate_invalid` for a leaf that can't be read, and the signal's
   * reason.
   */
  async collect(requests: readonly RevocationRequest[], signal?: AbortSignal): Promise<RevocationData> {
    signal?.throwIfAborted();
    if (requests.length > maxRequests) {
      const what = `The document has ${requests.length} certificate chains of signers and time-stamps`;
      throw new SigillumError('revocation_too_many_chains', `${what}, too many to prove: at most ${maxRequests} are.`);
    }
    const budget: Budget = { left: this.#options.maxExchanges ?? 24 };
    const timeout = AbortSignal.timeout(this.#options.totalTimeoutMs ?? 20_000);
    const either = signal ? AbortSignal.any([timeout, signal]) : timeout;
    try {
      const found = await Promise.all(
        requests.map((request) => this.#collectChain({ request, budget, signal: either, responders: [] })),
      );
      const pieces = found.flatMap((chain) => chain.pieces);
      return {
        certificates: unique(found.flatMap(({ certificates }) => certificates)),
        crls: unique(pieces.filter(({ kind }) => kind === 'crl').map(({ der }) => der)),
        ocsps: unique(pieces.filter(({ kind }) => kind === 'ocsp').map(({ der }) => der)),
      };
    } catch (error) {
      signal?.throwIfAborted();
      if (timeout.aborted) throw unavailable('Revocation data did not come in time. Try again.', error);
      throw error;
    }
  }

  async #collectChain(context: Context): Promise<{ certificates: Uint8Array[]; pieces: RevocationPiece[] }> {
    const { certificates, at } = context.request;
    const [first, ...others] = certificates;
    if (!first) throw new SigillumError('pki_certificate_invalid', 'A chain has no certificate.');
    const path = await buildTrustedPath({
      leaf: this.#known.parse(first),
      candidates: this.#parseReadable(others),
      roots: this.#roots,
      at,
      known: this.#known,
      ...(this.#options.fetchIssuers === false
        ? {}
        : { findIssuers: (certificate) => this.#fetcher.findIssuers(certificate, context) }),
    });
    const steps = path.slice(0, -1).map((certificate, index): Step => {
      const issuer = path[index + 1];
      if (!issuer) throw new RangeError('a path ends with its root');
      return { certificate, issuer, isLeaf: index === 0 };
    });
    const pieces = await Promise.all(steps.map((step) => this.#collectStatus(step, context)));
    const given = (der: Uint8Array): boolean => certificates.some((certificate) => equalBytes(certificate, der));
    return {
      // the root too: some validators of archived files want proof that even it existed
      certificates: path.flatMap(({ der }) => (given(der) ? [] : [der])),
      pieces: pieces.flat(),
    };
  }

  /** The proof that one certificate is good: one piece, and what proves its responder. */
  async #collectStatus(step: Step, context: Context): Promise<RevocationPiece[]> {
    const { certificate, issuer } = step;
    if (certificate.extensions.some(({ oid }) => noStatusOids.has(oid))) return [];
    const rule = this.#makeRule(step, context);
    const failures: SigillumError[] = [];
    for (const find of ['findOcsp', 'findCrl'] as const) {
      try {
        const piece = await this.#fetcher[find](certificate, issuer, rule, context);
        if (!piece) continue;
        assertFresh(piece, certificate, rule);
        const ofResponder = await this.#collectResponder(piece, issuer, context);
        this.#assertGood(piece, certificate, context.request.at);
        return [piece, ...ofResponder];
      } catch (error) {
        context.signal.throwIfAborted();
        if (!isSigillumError(error) || isSigillumError(error, 'revocation_revoked')) throw error;
        failures.push(error);
      }
    }
    throw this.#explain(certificate, failures);
  }

  /** What proves a responder that is not the issuer and may be revoked. */
  async #collectResponder(piece: RevocationPiece, issuer: Certificate, context: Context): Promise<RevocationPiece[]> {
    if (piece.kind !== 'ocsp' || !piece.verdict.responderNeedsStatus) return [];
    const { responder } = piece.verdict;
    const { responders } = context;
    if (responders.length >= maxResponders || responders.some(({ der }) => equalBytes(der, responder.der))) {
      throw new SigillumError('pki_ocsp_invalid', 'The OCSP responder vouches for itself.');
    }
    try {
      const step = { certificate: responder, issuer, isLeaf: false };
      return await this.#collectStatus(step, { ...context, responders: [...responders, responder] });
    } catch (error) {
      // A revoked responder makes its answer worthless; the certificate asked about isn't revoked for that.
      if (!isSigillumError(error, 'revocation_revoked')) throw error;
      throw new SigillumError('pki_ocsp_invalid', "The OCSP responder's own certificate is revoked.", { cause: error });
    }
  }

  #makeRule({ isLeaf }: Step, { request }: Context): FreshnessRule {
    const now = this.#now();
    const maxAgeMs = this.#options.maxAgeMs ?? 3_600_000;
    if (!isLeaf) return { now, maxAgeMs, notBefore: undefined };
    // CAs' own status is renewed once in months: freshness beyond nextUpdate is asked of leaves alone.
    const { maxIssueAgeMs } = this.#options;
    const limits = [request.notBefore?.getTime(), maxIssueAgeMs && now.getTime() - maxIssueAgeMs];
    const latest = Math.max(...limits.map((limit) => limit ?? 0));
    return { now, maxAgeMs, notBefore: latest > 0 ? new Date(latest) : undefined };
  }

  /**
   * Revoked later than the time asked for is good at that time: the piece proves it. Not so when a CA's or a time-stamp
   * authority's key was compromised (RFC 3161 §4 point 2): nobody else says then when it really signed.
   */
  #assertGood(piece: RevocationPiece, certificate: Certificate, at: Date): void {
    const revocation = findRevocation(piece, certificate);
    if (!revocation) return;
    const isWitness =
      certificate.basicConstraints?.ca === true || certificate.extendedKeyUsage?.purposes.includes('timeStamping');
    if (revocation.time > at && !(isWitness && compromises.has(revocation.reason))) return;
    const word = revocation.reason === 'certificateHold' ? 'suspended' : 'revoked';
    const why = revocation.reason ? ` (${revocation.reason})` : '';
    throw new SigillumError(
      'revocation_revoked',
      `The certificate "${certificate.subject.text}" is ${word} since ${revocation.time.toISOString()}${why}.`,
    );
  }

  #explain(certificate: Certificate, failures: readonly SigillumError[]): SigillumError {
    const isStale = failures.length > 0 && failures.every(({ code }) => code === 'revocation_stale');
    const why = failures.length === 0 ? 'It names neither OCSP nor CRL.' : failures.map((e) => e.message).join(' ');
    return new SigillumError(
      isStale ? 'revocation_stale' : 'revocation_unavailable',
      `The revocation status of "${certificate.subject.text}" can't be had. ${why}`,
      { cause: failures.length === 1 ? failures[0] : new AggregateError(failures), retryAfterSeconds: 30 },
    );
  }

  /** What can't be read is nobody's issuer. */
  #parseReadable(certificates: readonly Uint8Array[]): Certificate[] {
    return certificates.flatMap((der) => {
      try {
        return [this.#known.parse(der)];
      } catch (error) {
        if (isSigillumError(error)) return [];
        throw error;
      }
    });
  }
}

function unique(items: readonly Uint8Array[]): Uint8Array[] {
  const seen = new Map(items.map((item) => [Buffer.from(item).toString('latin1'), item]));
  return [...seen.values()];
}

function unavailable(message: string, cause?: unknown): SigillumError {
  return new SigillumError('revocation_unavailable', message, { cause, retryAfterSeconds: 30 });
}
