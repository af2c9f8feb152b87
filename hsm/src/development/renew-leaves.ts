import type { Certificate } from '@sigillum/pki';
import type { CeremonyContext } from '../ceremonies/ceremony.ts';
import { readCertificate } from '../ceremonies/prepare-request.ts';
import { runCeremony } from '../ceremonies/run-ceremony.ts';
import { amendPlan } from '../plan/parse-plan.ts';
import type { DevelopmentPlan } from './development-plans.ts';
import type { ReportProgress } from './progress.ts';
import { reportStep } from './report-step.ts';

const dayMs = 86_400_000;

/** Year-long certificates are renewed a month before their end, those of a week at half of their life. */
const renewalMs = 30 * dayMs;

/** CAs outlive a development home; a CA near its end means beginning anew. */
const leafProfiles: ReadonlySet<string> = new Set(['seal', 'tsu', 'tls-server', 'tls-client', 'tls-peer']);

/**
 * Issues leaf certificates near their end again, for the same keys. Publication URLs stay those of the certificate
 * that is replaced. Run {@link renewCrls} afterwards: the CRL has to be younger than the new certificate.
 */
export async function renewLeaves(
  plans: readonly DevelopmentPlan[],
  context: CeremonyContext,
  report: ReportProgress,
): Promise<void> {
  for (const { parsed, step, file } of plans) {
    const { plan } = parsed;
    if (plan['ceremony-type'] !== 'issue-certificate' || !leafProfiles.has(plan.profile)) continue;
    const previous = readCertificate(context.home, plan.outputs.certificate);
    if (!isDue(previous, context.now())) {
      report({ step, state: 'skipped' });
      continue;
    }
    const url = previous.crlUrls[0];
    const baseUrl = url === undefined ? context.baseUrl : new URL(url).origin;
    const renewal = amendPlan(parsed, { renewal: true }, file);
    await reportStep(step, report, () => runCeremony(renewal, { ...context, baseUrl }));
  }
}

function isDue({ notBefore, notAfter, privateKeyUsagePeriod }: Certificate, now: Date): boolean {
  // A TSU key stops signing before its certificate ends, so that is the end which counts.
  const end = privateKeyUsagePeriod?.notAfter ?? notAfter;
  const life = end.getTime() - notBefore.getTime();
  return end.getTime() - now.getTime() < Math.min(life / 2, renewalMs);
}
