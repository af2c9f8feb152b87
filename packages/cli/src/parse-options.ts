import { parseArgs, type ParseArgsConfig } from 'node:util';
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

/** Of an option that stands twice the last would win, unseen: `--level b-lta … --level b-t`. @throws UsageError */
export function assertGivenOnce(args: readonly string[], options: NonNullable<ParseArgsConfig['options']>): void {
  const seen = new Set<string>();
  for (const token of parseArgs({ args: [...args], options, allowPositionals: true, tokens: true }).tokens) {
    if (token.kind !== 'option' || token.value === undefined || options[token.name]?.multiple === true) continue;
    if (seen.has(token.name)) throw new UsageError(`--${token.name} is given twice. Say it once.`);
    seen.add(token.name);
  }
}

const levels = ['b-t', 'b-lt', 'b-lta'] as const;

/** @throws UsageError */
export function parseLevel(given = 'b-t'): (typeof levels)[number] {
  const level = levels.find((one) => one === given.toLowerCase());
  if (level === undefined) throw new UsageError(`There is no level ${given}. Take b-t, b-lt or b-lta.`);
  return level;
}
