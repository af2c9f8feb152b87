import type { Finding, SignatureReport } from './validation-report.ts';

/** The verdict in one sentence for a person. */
export function summarize(
  accepted: boolean,
  findings: readonly Finding[],
  signatures: readonly SignatureReport[],
): string {
  if (accepted) {
    const count = signatures.filter(({ kind }) => kind === 'signature').length;
    return `Accepted: ${count === 1 ? 'the signature is' : `all ${count} signatures are`} valid.`;
  }
  const refused = signatures.filter((signature) => !signature.accepted);
  const reasons = [...findings, ...refused.flatMap((signature) => signature.findings)];
  const failures = reasons.filter(({ severity }) => severity === 'failure');
  const missing = reasons.filter(({ severity }) => severity === 'profile');
  if (failures.length === 0 && missing.length > 0) {
    return `Refused: intact, but not PAdES baseline: ${unique(missing).join(' ')}`;
  }
  return `Refused: ${unique(failures).join(' ')}`;
}

/** Sentences told in a summary; the report has them all. */
const maxSentences = 4;

function unique(findings: readonly Finding[]): readonly string[] {
  return [...new Set(findings.map(({ sentence }) => sentence))].slice(0, maxSentences);
}
