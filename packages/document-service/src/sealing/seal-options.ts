import { createHash } from 'node:crypto';
import { canonicalJson } from '@sigillum/audit';
import { z } from 'zod';

/** Two paragraphs; viewers show one line. */
const maxText = 1024;

const text = (what: string, example: string) =>
  z
    .string()
    .min(1)
    .max(maxText)
    .refine(
      (value) => !/\p{Cc}/u.test(value.replaceAll(/[\t\n\r]/g, ' ')),
      'Must be plain text without control characters.',
    )
    .optional()
    .meta({ description: what, example });

/** The options of a seal as they stand in the query of `POST /v1/seals`. */
export const sealOptionsSchema = z.strictObject({
  credential: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .meta({ description: 'Name or id of the credential; without it the default one.', example: 'p256' }),
  level: z
    .enum(['b-t', 'b-lt', 'b-lta'])
    .default('b-t')
    .meta({ description: 'PAdES baseline level. At present only `b-t` is offered.', example: 'b-t' }),
  reason: text('Why the document is sealed.', 'Approved'),
  location: text('Where it is sealed.', 'Trento'),
  contact_info: text('How to reach the sealer.', 'seals@example.org'),
  name: text('Name of the sealer, beside what the certificate says.', 'Example S.p.A.'),
});

export type SealOptions = z.output<typeof sealOptionsSchema>;

/**
 * SHA-256 over the document and the options as they were asked for: the same call again has the same fingerprint, whatever
 * the order of its query. The credential counts by its id where it was named, so that name and id are the same.
 */
export function fingerprintRequest(
  documentSha256: Uint8Array,
  options: SealOptions,
  credentialId: string | undefined,
): Uint8Array {
  const { credential: _named, ...others } = options;
  const given = Object.entries({ ...others, credential: credentialId }).filter(([, value]) => value !== undefined);
  const normalised = canonicalJson({
    document: Buffer.from(documentSha256).toString('hex'),
    options: Object.fromEntries(given) as Record<string, string>,
  });
  return createHash('sha256').update(normalised).digest();
}
