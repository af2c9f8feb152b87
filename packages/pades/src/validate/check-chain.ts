import { isSigillumError } from '@sigillum/errors';
import { buildPath, type Certificate, type PathBudget } from '@sigillum/pki';
import { checkBag, isStrongKey, maySignDocuments } from './check-certificates.ts';
import type { Findings } from './findings.ts';

/**
 * The path from a signer to a root at a time, and what its certificate is for (RFC 5280 §6.1, EN 319 412-2 §4.3.2).
 * Revocation isn't looked at.
 *
 * @returns the path, signer first; undefined when none leads to a root
 */
export function checkChain(
  signer: Certificate,
  bag: readonly Certificate[],
  trust: {
    readonly roots: readonly Certificate[];
    readonly others: readonly Certificate[];
    readonly pathBudget: PathBudget;
  },
  at: Date,
  findings: Findings,
): readonly Certificate[] | undefined {
  if (!maySignDocuments(signer)) findings.add('key_usage_wrong');
  if (at < signer.notBefore) findings.add('certificate_not_yet_valid', at.toISOString());
  if (at > signer.notAfter) findings.add('certificate_expired', at.toISOString());
  try {
    const candidates = [...bag, ...trust.others];
    const path = buildPath({ leaf: signer, candidates, roots: trust.roots, at, budget: trust.pathBudget });
    if (path.some(({ publicKey }) => !isStrongKey(publicKey)))
      findings.add('algorithm_weak', 'A key of the chain is not accepted.');
    checkBag(bag, path, trust.roots, findings);
    return path;
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    findings.add('chain_untrusted', error.message);
    return undefined;
  }
}
