import type { ServiceOptions } from './find-service.ts';
import { UsageError } from './usage-error.ts';

/** Options of every command that asks a service. */
export const serviceOptions = {
  url: { type: 'string' },
  'key-file': { type: 'string' },
  home: { type: 'string' },
} as const;

/** @throws UsageError */
export function toService(values: {
  url?: string | undefined;
  'key-file'?: string | undefined;
  home?: string | undefined;
}): ServiceOptions {
  if (values.url !== undefined && !URL.canParse(values.url)) throw new UsageError(`${values.url} is not a URL.`);
  return { url: values.url, keyFile: values['key-file'], home: values.home };
}

const levels = ['b-t', 'b-lt', 'b-lta'] as const;

/** @throws UsageError */
export function parseLevel(given = 'b-t'): (typeof levels)[number] {
  const level = levels.find((one) => one === given.toLowerCase());
  if (level === undefined) throw new UsageError(`There is no level ${given}. Take b-t, b-lt or b-lta.`);
  return level;
}
