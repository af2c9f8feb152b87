/** A date string in UTC to the second, in the form that every reader takes (ISO 32000-1 §7.9.4): `D:20261122030405+00'00'`. */
export function encodePdfDate(date: Date): string {
  const digits = date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
  return `D:${digits}+00'00'`;
}
