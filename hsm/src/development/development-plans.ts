import { readdirSync, readFileSync } from 'node:fs';
import { describePlan } from '../plan/list-outputs.ts';
import { type ParsedPlan, parsePlan } from '../plan/parse-plan.ts';

/** One template of the development PKI. */
export type DevelopmentPlan = { readonly step: string; readonly file: string; readonly parsed: ParsedPlan };

const folder = new URL('../../templates/development/', import.meta.url);

/** The plans of the development PKI in the order of their file names, which is the order in which they run. */
export function readDevelopmentPlans(): readonly DevelopmentPlan[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((file) => {
      const parsed = parsePlan(readFileSync(new URL(file, folder), 'utf8'), file);
      return { step: describePlan(parsed.plan), file, parsed };
    });
}
