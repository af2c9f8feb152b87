import { signatureAlgorithms } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { z } from 'zod';

const names = signatureAlgorithms.map(({ name }) => name);

/** What a time-stamp unit needs of `keys/<name>.json`, which the key ceremony wrote. */
const manifestSchema = z.object({
  version: z.literal(1),
  key_id: z.string().regex(/^[0-9a-f]{32}$/),
  algorithm: z.enum(names),
  purpose: z.literal('timestamp'),
  spki: z.base64(),
});

export type KeyManifest = z.output<typeof manifestSchema>;

/** Reads a key manifest. Throws `config_invalid` naming what is wrong. */
export function parseKeyManifest(text: string): KeyManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new SigillumError('config_invalid', 'The key manifest of the time-stamp unit is not JSON.', { cause });
  }
  const result = manifestSchema.safeParse(json);
  if (result.success) return result.data;
  throw new SigillumError(
    'config_invalid',
    `The key manifest of the time-stamp unit is not usable: ${z.prettifyError(result.error)}`,
  );
}
