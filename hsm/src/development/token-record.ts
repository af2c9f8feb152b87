import { SigillumError } from '@sigillum/errors';
import { z } from 'zod';
import type { Home } from '../home/home.ts';
import type { DevelopmentPlan } from './development-plans.ts';

const recordSchema = z.strictObject({
  version: z.literal(1),
  label: z.string().min(1),
  serial: z.string().min(1),
  manufacturer: z.string(),
  model: z.string(),
  created: z.iso.datetime(),
});

/** What init-token leaves behind: which token was made. */
export type TokenRecord = z.output<typeof recordSchema>;

/** Reads a token's record. Throws `ceremony_input_invalid`. */
export function readTokenRecord(home: Home, path: string): TokenRecord {
  try {
    return recordSchema.parse(JSON.parse(home.read(path).toString('utf8')));
  } catch (cause) {
    throw new SigillumError('ceremony_input_invalid', `The token record ${path} is not valid.`, { cause });
  }
}

/** The tokens of a home whose init-token ceremony was completed. */
export function listTokenRecords(home: Home, plans: readonly DevelopmentPlan[]): readonly TokenRecord[] {
  return plans.flatMap(({ parsed: { plan } }) =>
    plan['ceremony-type'] === 'init-token' && home.has(plan.outputs.record)
      ? [readTokenRecord(home, plan.outputs.record)]
      : [],
  );
}
