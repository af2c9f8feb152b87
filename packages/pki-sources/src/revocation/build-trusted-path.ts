import { isSigillumError, SigillumError } from '@sigillum/errors';
import { buildPath, type Certificate, equalBytes, type KnownCertificates } from '@sigillum/pki';

/** Issuers fetched one after another for one chain: deeper hierarchies give their chain along. */
const maxFetches = 3;
/** Steps when looking for where a chain is broken off: as long as a path may be. */
const maxSteps = 8;

export type TrustedPathInput = {
  readonly leaf: Certificate;
  /** Everything known that may be an issuer. */
  readonly candidates: readonly Certificate[];
  readonly roots: readonly Certificate[];
  readonly at: Date;
  readonly known: KnownCertificates;
  /** Asks for the issuers of a certificate; absent: nothing is fetched. */
  readonly findIssuers?: (certificate: Certificate) => Promise<readonly Uint8Array[]>;
};

/**
 * A path from a leaf to one of the roots, leaf first. Where the candidates don't reach, the issuers of the last certificate
 * are fetched; of what comes, only a certificate whose key signed that last one is used. Throws `revocation_untrusted`.
 */
export async function buildTrustedPath(input: TrustedPathInput): Promise<readonly Certificate[]> {
  const { leaf, roots, at, known, findIssuers } = input;
  const candidates = [...input.candidates];
  for (let fetches = 0; ; fetches++) {
    try {
      return buildPath({ leaf, candidates, roots, at, known });
    } catch (error) {
      if (!isSigillumError(error)) throw error;
      const last = findLast(leaf, [...candidates, ...roots], known);
      if (!findIssuers || !last || fetches === maxFetches) throw untrusted(leaf, error);
      const issuer = selectIssuer(last, await fetchOrGiveUp(findIssuers, last, leaf), known);
      if (!issuer) throw untrusted(leaf, error);
      candidates.push(issuer);
    }
  }
}

async function fetchOrGiveUp(
  findIssuers: NonNullable<TrustedPathInput['findIssuers']>,
  last: Certificate,
  leaf: Certificate,
): Promise<readonly Uint8Array[]> {
  try {
    return await findIssuers(last);
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    throw new SigillumError(
      'revocation_unavailable',
      `An issuer of "${leaf.subject.text}" is missing and can't be fetched. ${error.message}`,
      { cause: error, retryAfterSeconds: 30 },
    );
  }
}

/** The certificate whose issuer is missing; undefined when none is: the chain fails for another reason. */
function findLast(
  leaf: Certificate,
  issuers: readonly Certificate[],
  known: KnownCertificates,
): Certificate | undefined {
  let current = leaf;
  for (let step = 0; step < maxSteps; step++) {
    const child = current;
    if (equalBytes(child.subject.der, child.issuer.der)) return undefined;
    const issuer = issuers.find((candidate) => isIssuer(candidate, child, known));
    if (!issuer) return child;
    current = issuer;
  }
  return undefined;
}

function selectIssuer(
  child: Certificate,
  files: readonly Uint8Array[],
  known: KnownCertificates,
): Certificate | undefined {
  for (const der of files) {
    try {
      const certificate = known.parse(der);
      if (isIssuer(certificate, child, known)) return certificate;
    } catch (error) {
      if (!isSigillumError(error)) throw error;
    }
  }
  return undefined;
}

function isIssuer(candidate: Certificate, child: Certificate, known: KnownCertificates): boolean {
  if (!equalBytes(candidate.subject.der, child.issuer.der)) return false;
  try {
    known.assertIssuedBy(child, candidate);
    return true;
  } catch (error) {
    if (isSigillumError(error)) return false;
    throw error;
  }
}

function untrusted(leaf: Certificate, cause: SigillumError): SigillumError {
  return new SigillumError(
    'revocation_untrusted',
    `The chain of "${leaf.subject.text}" ends at no configured root. ${cause.message}`,
    { cause },
  );
}
