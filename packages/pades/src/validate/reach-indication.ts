import { getCheck, type Indication } from './checks.ts';
import type { Finding, ValidationProfile } from './validation-report.ts';

/** The verdict of all findings together: the worst indication, and the sub-indication of the first that brings it. */
export function reachIndication(
  findings: readonly Finding[],
  profile: ValidationProfile,
): { readonly indication: Indication; readonly subIndication: string | undefined } {
  const counted = findings.filter(
    ({ severity }) => severity === 'failure' || (severity === 'profile' && profile === 'baseline'),
  );
  for (const indication of ['TOTAL-FAILED', 'INDETERMINATE'] as const) {
    const found = counted.find(({ code }) => getCheck(code).indication === indication);
    if (found !== undefined) return { indication, subIndication: getCheck(found.code).sub };
  }
  return { indication: 'TOTAL-PASSED', subIndication: undefined };
}
