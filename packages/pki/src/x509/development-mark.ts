import type { DistinguishedName } from './distinguished-name.ts';

/** Stands in the organisation of every certificate that has no legal standing, and in no other. */
export const developmentMark = 'no legal value';

/** Whether a name carries the mark of development and sandbox. */
export function hasDevelopmentMark(name: DistinguishedName): boolean {
  return name.attributes.some(
    ({ type, value }) => (type === 'organization' || type === 'organizational_unit') && value.includes(developmentMark),
  );
}
