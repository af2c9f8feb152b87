import { isSigillumError } from '@sigillum/errors';
import type { ReportProgress } from './progress.ts';

/** Runs one step between its progress lines; a step that throws is reported as failed, with its code. */
export async function reportStep(step: string, report: ReportProgress, work: () => Promise<unknown>): Promise<void> {
  report({ step, state: 'running' });
  try {
    await work();
  } catch (error) {
    reportFailure(step, report, error);
    throw error;
  }
  report({ step, state: 'done' });
}

/** A progress line for what went wrong. Only our own sentences are shown. */
export function reportFailure(step: string, report: ReportProgress, error: unknown): void {
  const known = isSigillumError(error) ? error : undefined;
  report({ step, state: 'failed', code: known?.code ?? 'internal_error', message: known?.message ?? '' });
}
