import { parseCrl } from '@sigillum/pki';
import type { CeremonyContext } from '../ceremonies/ceremony.ts';
import { readCertificate } from '../ceremonies/prepare-request.ts';
import { runCeremony } from '../ceremonies/run-ceremony.ts';
import { amendPlan } from '../plan/parse-plan.ts';
import type { IssueCrlPlan } from '../plan/plan.ts';
import type { DevelopmentPlan } from './development-plans.ts';
import type { ReportProgress } from './progress.ts';
import { reportStep } from './report-step.ts';

/**
 * Issues the next CRL of every CA whose CRL has passed half of its life, or is older than a certificate that the CA
 * has issued since: validators don't take a CRL's word about a certificate that is younger (EN 319 102-1 §5.2.5).
 */
export async function renewCrls(
  plans: readonly DevelopmentPlan[],
  context: CeremonyContext,
  report: ReportProgress,
): Promise<void> {
  for (const { parsed, step, file } of plans) {
    const { plan } = parsed;
    if (plan['ceremony-type'] !== 'issue-crl') continue;
    if (!isDue(plan, plans, context)) {
      report({ step, state: 'skipped' });
      continue;
    }
    await reportStep(step, report, () => runCeremony(amendPlan(parsed, { renewal: true }, file), context));
  }
}

function isDue(plan: IssueCrlPlan, plans: readonly DevelopmentPlan[], { home, now }: CeremonyContext): boolean {
  const { thisUpdate, nextUpdate } = parseCrl(home.read(plan.outputs.der));
  const halfLife = thisUpdate.getTime() + (nextUpdate.getTime() - thisUpdate.getTime()) / 2;
  if (now().getTime() >= halfLife) return true;
  return plans.some(({ parsed: { plan: other } }) => {
    if (other['ceremony-type'] !== 'issue-certificate') return false;
    if (other.issuer.certificate !== plan.issuer.certificate || !home.has(other.outputs.certificate)) return false;
    return readCertificate(home, other.outputs.certificate).notBefore > thisUpdate;
  });
}
