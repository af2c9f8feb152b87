import { SigillumError } from '@sigillum/errors';
import type { Limits } from '../config.ts';
import { defaultRetainSeconds } from './retain.ts';
import type { AnswerType } from './work.ts';

/**
 * How long the sealed file is kept, in seconds; 0 for not at all.
 * @throws SigillumError `request_invalid` above the configured bound
 */
export function resolveRetain(
  asked: number | undefined,
  answer: AnswerType,
  limits: Pick<Limits, 'retain_s'>,
  optionsPointer: string,
): number {
  const { retain_s: bound } = limits;
  if (asked === undefined) return answer === 'application/json' ? Math.min(defaultRetainSeconds, bound) : 0;
  if (asked <= bound) return asked;
  throw new SigillumError('request_invalid', 'The sealed file can not be kept that long.', {
    fields: [{ pointer: `${optionsPointer}/retain`, detail: `Must be at most ${bound} seconds.` }],
  });
}
