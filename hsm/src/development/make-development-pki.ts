import { readdirSync, rmSync } from 'node:fs';
import { SigillumError } from '@sigillum/errors';
import type { CeremonyContext } from '../ceremonies/ceremony.ts';
import { runCeremony } from '../ceremonies/run-ceremony.ts';
import type { Home } from '../home/home.ts';
import { protectTokens } from '../home/protect-tokens.ts';
import { removeUnrecordedTokens } from '../home/softhsm.ts';
import { listOutputs } from '../plan/list-outputs.ts';
import { amendPlan, type ParsedPlan } from '../plan/parse-plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { DevelopmentPlan } from './development-plans.ts';
import { isStepDone } from './is-step-done.ts';
import type { ReportProgress } from './progress.ts';
import { reportFailure, reportStep } from './report-step.ts';
import { listTokenRecords } from './token-record.ts';

/** Folders in which ceremonies put files aside before they appear under their names. */
const outputFolders = ['secrets', 'tokens', 'keys', 'pki', 'pki/public', 'tls'];

/**
 * Makes what is missing of the development PKI by running its plans in order. What is there and right is left alone;
 * what an earlier run left half-made, cut short at any moment, is cleared away first.
 */
export async function makeDevelopmentPki(
  plans: readonly DevelopmentPlan[],
  context: CeremonyContext,
  report: ReportProgress,
): Promise<void> {
  const { home } = context;
  let isCleared = false;
  for (const { parsed, step, file } of plans) {
    if (isDone(parsed.plan, step, plans, context, report)) {
      report({ step, state: 'skipped' });
      continue;
    }
    // Before the module is loaded for the first time: it would keep seeing tokens that are gone.
    if (!isCleared) clearLeftovers(home, plans);
    isCleared = true;
    await reportStep(step, report, async () => {
      // Without its result the ceremony was not completed; its other outputs are leftovers that nothing points to.
      for (const path of listOutputs(parsed.plan)) rmSync(home.resolve(path), { force: true });
      await runCeremony(adoptWhatIsThere(parsed, file, context), context);
      if (parsed.plan['ceremony-type'] === 'init-token') protectTokens(home, listTokenRecords(home, plans));
    });
  }
}

function isDone(
  plan: Plan,
  step: string,
  plans: readonly DevelopmentPlan[],
  context: CeremonyContext,
  report: ReportProgress,
): boolean {
  try {
    if (isStepDone(plan, context)) return true;
    assertNothingIsLost(plan, plans, context.home);
    return false;
  } catch (error) {
    reportFailure(step, report, error);
    throw error;
  }
}

/** A run cut short between making a key and writing its manifest leaves a good key: the manifest is made up for. */
function adoptWhatIsThere(parsed: ParsedPlan, file: string, { tokens }: CeremonyContext): ParsedPlan {
  const { plan } = parsed;
  if (plan['ceremony-type'] !== 'generate-key' || plan.in !== 'token') return parsed;
  const hasKey = tokens
    .open(plan.token)
    .listKeys()
    .some(({ label }) => label === plan.name);
  return hasKey ? amendPlan(parsed, { adopt_unpublished: true }, file) : parsed;
}

/** A token that is made again takes its keys with it: that must never happen to keys which were published. */
function assertNothingIsLost(plan: Plan, plans: readonly DevelopmentPlan[], home: Home): void {
  if (plan['ceremony-type'] !== 'init-token') return;
  for (const { parsed } of plans) {
    const other = parsed.plan;
    if (other['ceremony-type'] !== 'generate-key' || other.in !== 'token') continue;
    if (other.token.label === plan.token.label && home.has(other.outputs.manifest)) {
      throw new SigillumError(
        'ceremony_home_conflict',
        `${plan.outputs.record} is missing, but ${other.outputs.manifest} says that the token ${plan.token.label} ` +
          'holds keys: put the record back, or begin anew.',
      );
    }
  }
}

function clearLeftovers(home: Home, plans: readonly DevelopmentPlan[]): void {
  for (const folder of outputFolders) {
    if (!home.has(folder)) continue;
    for (const name of readdirSync(home.resolve(folder))) {
      if (name.startsWith('.') && name.endsWith('.draft')) rmSync(home.resolve(`${folder}/${name}`));
    }
  }
  removeUnrecordedTokens(
    home,
    listTokenRecords(home, plans).map(({ serial }) => serial),
  );
}
