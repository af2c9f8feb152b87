import {
  type Certificate,
  type CertificateList,
  equalBytes,
  type OcspResponse,
  type OcspVerdict,
  type RevocationReason,
  verifyCrl,
  verifyOcspResponse,
} from '@sigillum/pki';
import { findReadable } from './find-readable.ts';
import type { DssFacts, Stored } from './read-dss.ts';
import { validationLimits } from './validation-limits.ts';
import type { RevocationState } from './validation-report.ts';

/** A time-stamp over the document that is believed: what lies before `end` existed at `time`. */
export type ExistenceProof = { readonly end: number; readonly time: Date };

/** When a certificate's key was used, and until when it must not have been revoked. */
export type KeyUse = {
  /** The time that the signature is known, or says, to have been made at. */
  readonly at: Date;
  /** The time at which the signature is proved to have existed; `at` itself when that is proved. */
  readonly provenAt: Date;
  readonly proofs: readonly ExistenceProof[];
};

export type RevocationFacts = {
  /** `unknown`: for at least one certificate of the path nothing usable is there. */
  readonly state: RevocationState;
  /** Subjects of the certificates about which nothing usable is there, and why that which is there isn't. */
  readonly missing: readonly string[];
  /** Subject and time of the one that was revoked. */
  readonly revoked: string | undefined;
  /** Behind this offset lies nothing that this is known by. */
  readonly end: number;
};

/** About what has no path. */
export const nothingKnown: RevocationFacts = { state: 'unknown', missing: [], revoked: undefined, end: 0 };

type Statement = {
  /** Undefined: not revoked, as of then. */
  readonly revokedAt?: Date;
  readonly reason?: RevocationReason | undefined;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  readonly offset: number;
  /** Until when the certificate of whoever said so is valid. */
  readonly signerEnds: Date;
};

type Answer = 'unknown' | { readonly verdict: 'good' | 'revoked'; readonly statement: Statement };

/** Certificates that are never revoked and say so: noRevAvail (RFC 9608 §2), validity assured (EN 319 412-1 §5.2). */
const withoutStatus = new Set(['2.5.29.56', '0.4.0.194121.2.1']);

/** RFC 3161 §4: after these the tokens made earlier stay valid; the key was never in other hands. */
const harmlessReasons = new Set<RevocationReason | undefined>([
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
]);

/**
 * The lists and answers of a document security store, asked about paths of certificates (EN 319 102-1 §5.2.6, §5.6.2.1).
 * Only what the issuer or its responder signed counts.
 */
export class RevocationStore {
  readonly #dss: DssFacts;
  readonly #now: Date;
  readonly #crls = new Map<string, boolean>();
  readonly #ocsps = new Map<string, OcspVerdict | undefined>();

  constructor(dss: DssFacts, now: Date) {
    this.#dss = dss;
    this.#now = now;
  }

  /** @param path signer first, root last; the root's own status isn't asked: it is trusted by being given */
  check(path: readonly Certificate[], use: KeyUse, isTimeStamp: boolean): RevocationFacts {
    const missing: string[] = [];
    let end = 0;
    for (const [index, certificate] of path.slice(0, -1).entries()) {
      const issuer = path[index + 1];
      if (issuer === undefined || certificate.extensions.some(({ oid }) => withoutStatus.has(oid))) continue;
      const answer = this.#ask(certificate, issuer, use, isTimeStamp && index === 0, 0);
      if (answer === 'unknown') missing.push(certificate.subject.text);
      else if (answer.verdict === 'revoked') {
        const revoked = `"${certificate.subject.text}" at ${answer.statement.revokedAt?.toISOString()}`;
        return { state: 'revoked', missing, revoked, end };
      } else end = Math.max(end, answer.statement.offset + 1);
    }
    return { state: missing.length > 0 ? 'unknown' : 'good', missing, revoked: undefined, end };
  }

  /** The oldest statement that will do, so that an archive time-stamp over it counts; or one that says revoked. */
  #ask(certificate: Certificate, issuer: Certificate, use: KeyUse, isTimeStamp: boolean, depth: number): Answer {
    const statements = [
      ...this.#dss.crls.flatMap((crl) => this.#readCrl(crl, certificate, issuer)),
      ...this.#dss.ocsps.flatMap((ocsp) => this.#readOcsp(ocsp, certificate, issuer, use, depth)),
    ].toSorted((left, right) => left.thisUpdate.getTime() - right.thisUpdate.getTime());
    const isAgainst = (statement: Statement): boolean => {
      const limit = isTimeStamp && harmlessReasons.has(statement.reason) ? use.at : use.provenAt;
      return statement.revokedAt !== undefined && statement.revokedAt <= limit;
    };
    const isStanding = (statement: Statement, index: number): boolean =>
      // a suspension ends by being gone from a later list (RFC 5280 §5.3.1), unless what ended is the certificate
      statement.reason !== 'certificateHold' ||
      !statements.slice(index + 1).some((later) => !isAgainst(later) && this.#isTimely(later, certificate));
    const revoked = statements.find((statement, index) => isAgainst(statement) && isStanding(statement, index));
    if (revoked !== undefined) return { verdict: 'revoked', statement: revoked };
    // one that tells of a revocation afterwards proves that there was none before
    const good = statements.find((statement) => !isAgainst(statement) && this.#isUsable(statement, certificate, use));
    return good === undefined ? 'unknown' : { verdict: 'good', statement: good };
  }

  /** Whether a statement says anything about the time of use, and can still be believed. */
  #isUsable(statement: Statement, certificate: Certificate, use: KeyUse): boolean {
    const { thisUpdate, nextUpdate, offset, signerEnds } = statement;
    const until = nextUpdate ?? new Date(thisUpdate.getTime() + validationLimits.answerWithoutEndMs);
    const proved = use.proofs.reduce(
      (earliest, { end, time }) => (end > offset && time < earliest ? time : earliest),
      this.#now,
    );
    // after its issuer's end anyone might have made it
    return until >= use.at && this.#isTimely(statement, certificate) && proved <= signerEnds;
  }

  /** Made before now and, RFC 5280 §5, while the certificate was valid: lists forget what has expired. Judges want the same. */
  #isTimely({ thisUpdate }: Statement, { notBefore, notAfter }: Certificate): boolean {
    const isPast = thisUpdate.getTime() <= this.#now.getTime() + validationLimits.timeDifferenceMs;
    return isPast && thisUpdate >= notBefore && thisUpdate <= notAfter;
  }

  #readCrl({ value, offset }: Stored<CertificateList>, certificate: Certificate, issuer: Certificate): Statement[] {
    if (!equalBytes(value.issuer.der, certificate.issuer.der) || !this.#isCrlOf(value, offset, issuer, certificate))
      return [];
    const entry = value.revoked.get(certificate.serialNumber);
    const common = { thisUpdate: value.thisUpdate, nextUpdate: value.nextUpdate, offset, signerEnds: issuer.notAfter };
    if (entry === undefined || entry.reason === 'removeFromCRL') return [common];
    return [{ revokedAt: entry.time, reason: entry.reason, ...common }];
  }

  /** A list may be large: its signature is checked once for each issuer, unless it is of some certificates only. */
  #isCrlOf(crl: CertificateList, offset: number, issuer: Certificate, certificate: Certificate): boolean {
    const asked = crl.scope === undefined ? '' : certificate.serialNumber;
    const key = `${offset} ${asked} ${issuer.serialNumber} ${issuer.issuer.text}`;
    const known = this.#crls.get(key);
    if (known !== undefined) return known;
    const isRight =
      findReadable(() => {
        verifyCrl(crl, issuer, certificate);
        return true;
      }) ?? false;
    this.#crls.set(key, isRight);
    return isRight;
  }

  #readOcsp(
    { value, offset }: Stored<OcspResponse>,
    certificate: Certificate,
    issuer: Certificate,
    use: KeyUse,
    depth: number,
  ): Statement[] {
    // cheap before costly: most answers speak of other certificates
    if (!value.responses.some(({ certificateId }) => certificateId.serialNumber === certificate.serialNumber))
      return [];
    const verdict = this.#verifyOcsp(value, offset, certificate, issuer);
    if (verdict === undefined) return [];
    const { certificateStatus, thisUpdate, nextUpdate, responder } = verdict;
    if (verdict.responderNeedsStatus && !this.#isResponderGood(responder, issuer, use, depth)) return [];
    const common = { thisUpdate, nextUpdate, offset, signerEnds: responder.notAfter };
    if (certificateStatus.status === 'unknown') return [];
    if (certificateStatus.status === 'good') return [common];
    return [{ revokedAt: certificateStatus.time, reason: certificateStatus.reason, ...common }];
  }

  /** Once for each answer and certificate, however many signatures it made. */
  #verifyOcsp(
    ocsp: OcspResponse,
    offset: number,
    certificate: Certificate,
    issuer: Certificate,
  ): OcspVerdict | undefined {
    const key = `${offset} ${certificate.serialNumber} ${issuer.serialNumber} ${issuer.issuer.text}`;
    if (!this.#ocsps.has(key)) {
      const certificates = this.#dss.certificates.map(({ der }) => der);
      const verdict = findReadable(() => verifyOcspResponse(ocsp, { certificate, issuer, certificates }));
      this.#ocsps.set(key, verdict);
    }
    return this.#ocsps.get(key);
  }

  /** RFC 6960 §4.2.2.2.1: a responder without nocheck has a status of its own; that one's responder is the end. */
  #isResponderGood(responder: Certificate, issuer: Certificate, use: KeyUse, depth: number): boolean {
    if (depth >= maxResponderDepth) return false;
    const answer = this.#ask(responder, issuer, use, false, depth + 1);
    return answer !== 'unknown' && answer.verdict === 'good';
  }
}

const maxResponderDepth = 1;
