import type { GenTimeClock, MarkFault } from './gen-time-clock.ts';

/** Two looks at numbers in memory a second cost nothing, and nobody acts on an alarm sooner. */
const lookMs = 500;

/**
 * Looks at what stands between a clock and its mark, and tells of each change: undefined when nothing does any more.
 * Every request and `/readyz` say it at once; this is for metrics, the log and the audit log.
 * @returns ends it
 */
export function watchMark(
  clock: Pick<GenTimeClock, 'findFault'>,
  onChange: (fault: MarkFault | undefined, before: MarkFault | undefined) => void,
): () => void {
  let told: MarkFault | undefined;
  const look = (): void => {
    const fault = clock.findFault();
    if (fault === told) return;
    const before = told;
    told = fault;
    onChange(fault, before);
  };
  look();
  const timer = setInterval(look, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}
