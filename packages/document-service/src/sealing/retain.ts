import { z } from 'zod';

/** Seconds of a unit. */
const units: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['s', 1],
  ['m', 60],
  ['h', 3_600],
  ['d', 86_400],
]);

/** How long the sealed file is kept when the answer is JSON: it has to be fetched. */
export const defaultRetainSeconds = 86_400;

/** Whatever the configuration says, a row of the journal ends before this. */
const maxRetainSeconds = 366 * 86_400;

const message = `Must be seconds, or a number with s, m, h or d: 3600, 24h, 7d; at most ${maxRetainSeconds / 86_400}d.`;

/** A time in seconds, or in the units of {@link units}. */
export const retainSchema = z
  .union([z.string().regex(/^\d{1,9}[smhd]?$/, message), z.int(message).min(0, message)], { error: message })
  .transform((value) => toSeconds(String(value)))
  .refine((seconds) => seconds <= maxRetainSeconds, message)
  .optional()
  .meta({
    description:
      'How long the sealed file is kept to be fetched from `/document`, in seconds or as `15m`, `24h`, `7d`. Default: not at all when the answer is the PDF, 24 hours when it is JSON.',
    example: '24h',
    override: { type: 'string', pattern: String.raw`^\d{1,9}[smhd]?$` },
  });

function toSeconds(text: string): number {
  const [, count = '0', unit = ''] = /^(\d+)([smhd]?)$/.exec(text) ?? [];
  return Number(count) * (units.get(unit) ?? 1);
}
