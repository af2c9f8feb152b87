import { isSigillumError, SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import { assertIssuedBy } from '../x509/assert-issued-by.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { KnownCertificates } from '../x509/known-certificates.ts';

/** Certificates in a path at most, anchor included: no public hierarchy in use is deeper. */
const maxLength = 8;
const nameConstraints = '2.5.29.30';
/** Steps that are left for searches together. */
export type PathBudget = { steps: number };

/** Steps tried at most: hostile bags of look-alike certificates end here, not after hours of signature checks. */
const maxSteps = 64;

/**
 * A path from `leaf` to one of `roots` through `candidates`, leaf first, root last (RFC 5280 §6.1, the part without
 * policies and name constraints: a certificate with a critical extension that isn't understood, or with name constraints
 * of any kind, is never used). Every
 * certificate, the root included, must be valid at `at`. Revocation is not looked at. Throws `pki_path_invalid` with
 * the reason of the attempt that came farthest.
 *
 * @example buildPath({ leaf: tsu, candidates: tokenCertificates, roots: [root], at: genTime });
 */
export function buildPath(input: {
  readonly leaf: Certificate;
  readonly candidates: readonly Certificate[];
  readonly roots: readonly Certificate[];
  readonly at: Date;
  /** Where signatures that were found right before are remembered. */
  readonly known?: KnownCertificates | undefined;
  /** Counted down by each step: for many paths through certificates of one file, which may be made to mislead. */
  readonly budget?: PathBudget | undefined;
}): readonly Certificate[] {
  const search: Search = { ...input, steps: 0, reason: undefined };
  assertUsableAt(input.leaf, input.at);
  const path = extend(search, [input.leaf]);
  if (path) return path;
  throw new SigillumError(
    'pki_path_invalid',
    search.reason ?? `No path leads from "${input.leaf.subject.text}" to a trusted root.`,
  );
}

type Search = {
  readonly candidates: readonly Certificate[];
  readonly roots: readonly Certificate[];
  readonly at: Date;
  readonly known?: KnownCertificates | undefined;
  readonly budget?: PathBudget | undefined;
  steps: number;
  reason: string | undefined;
};

function extend(search: Search, path: readonly Certificate[]): readonly Certificate[] | undefined {
  const last = path.at(-1);
  if (!last) return undefined;
  if (search.roots.some((root) => equalBytes(root.der, last.der))) return path;
  if (path.length >= maxLength) return undefined;
  // Roots first: the shortest way to trust is taken.
  for (const issuer of [...search.roots, ...search.candidates]) {
    if (!equalBytes(issuer.subject.der, last.issuer.der)) continue;
    if (path.some((earlier) => equalBytes(earlier.der, issuer.der))) continue;
    if (search.budget) search.budget.steps--;
    if (++search.steps > maxSteps || (search.budget?.steps ?? 0) < 0) {
      search.reason = 'The certificates lead in too many directions.';
      return undefined;
    }
    if (!isStepValid(search, path, last, issuer)) continue;
    const found = extend(search, [...path, issuer]);
    if (found) return found;
  }
  return undefined;
}

function isStepValid(search: Search, path: readonly Certificate[], last: Certificate, issuer: Certificate): boolean {
  try {
    assertUsableAt(issuer, search.at);
    if (search.known) search.known.assertIssuedBy(last, issuer);
    else assertIssuedBy(last, issuer);
    assertPathLength(path, issuer);
    return true;
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    search.reason = error.message;
    return false;
  }
}

function assertUsableAt(certificate: Certificate, at: Date): void {
  const refuse = (why: string): never => {
    throw new SigillumError('pki_path_invalid', `The certificate "${certificate.subject.text}" ${why}.`);
  };
  if (at < certificate.notBefore) refuse('was not valid yet at that time');
  if (at > certificate.notAfter) refuse('had expired at that time');
  if (certificate.unknownCriticalExtensions.length > 0) refuse('has a critical extension that is not understood');
  // RFC 5280 §4.2.1.10: they must be critical, and bind also where a CA forgot to say so
  if (certificate.extensions.some(({ oid }) => oid === nameConstraints)) refuse('limits the names below it');
}

/** RFC 5280 §4.2.1.9: pathLenConstraint counts the CAs below, self-issued ones and the leaf left out. */
function assertPathLength(path: readonly Certificate[], issuer: Certificate): void {
  const allowed = issuer.basicConstraints?.pathLength;
  if (allowed === undefined) return;
  const below = path.slice(1).filter((ca) => !equalBytes(ca.subject.der, ca.issuer.der)).length;
  if (below > allowed) {
    throw new SigillumError('pki_path_invalid', `"${issuer.subject.text}" may not have that many CAs below it.`);
  }
}
