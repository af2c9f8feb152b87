import type { Plan } from './plan.ts';

/**
 * The files that a plan makes, in the order in which they appear; the last one is the ceremony's result, whose
 * presence says that the ceremony was completed.
 */
export function listOutputs(plan: Plan): readonly string[] {
  const { outputs } = plan;
  const copies = 'published' in outputs && outputs.published ? [outputs.published.der, outputs.published.pem] : [];
  const own = (() => {
    if ('so_pin' in outputs) return [outputs.so_pin, outputs.user_pin, outputs.record];
    if ('manifest' in outputs) return [outputs.manifest];
    if ('private_key' in outputs) return [outputs.private_key];
    if ('certificate' in outputs) return [outputs.certificate];
    return [outputs.pem, outputs.der];
  })();
  return [...copies, ...own].filter((path) => path !== undefined);
}

/** The file whose presence says that the ceremony was completed. */
export function getResultPath(plan: Plan): string {
  const path = listOutputs(plan).at(-1);
  if (path === undefined) throw new RangeError('every plan has an output');
  return path;
}

/** What a ceremony is called in progress lines and transcript names: its type and what it makes. */
export function describePlan(plan: Plan): string {
  const name = (path: string) => path.replace(/^.*\//, '').replace(/\.[^.]+$/, '');
  if (plan['ceremony-type'] === 'init-token') return `init-token ${plan.token.label}`;
  if (plan['ceremony-type'] === 'generate-key' && plan.in === 'file')
    return `generate-key tls-${name(getResultPath(plan))}`;
  const path = getResultPath(plan);
  return `${plan['ceremony-type']} ${path.startsWith('tls/') ? 'tls-' : ''}${name(path)}`;
}
