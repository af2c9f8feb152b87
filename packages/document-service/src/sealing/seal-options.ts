import { z } from 'zod';
import { appearanceBodyOption, appearanceOption } from './appearance-options.ts';
import { retainSchema } from './retain.ts';

/** Two paragraphs; viewers show one line. */
const maxText = 1024;

/** A full field name of ISO 32000-2 §12.7.4.2: as much as is read of one; PDF itself knows no bound. */
const maxFieldName = 2048;

const isPlain = (value: string): boolean => value.isWellFormed() && !/\p{Cc}/u.test(value.replaceAll(/[\t\n\r]/g, ' '));

const text = (what: string, example: string) =>
  z
    .string()
    .min(1)
    .max(maxText)
    .refine(isPlain, 'Must be plain text without control characters.')
    .optional()
    .meta({ description: what, example });

/** `certify` as text in a query, as text or number in JSON. */
const certify = z
  .union([z.literal(['none', '1', '2', '3']), z.literal([1, 2, 3])], { error: 'Must be none, 1, 2 or 3.' })
  .transform((value) => (value === 'none' ? undefined : (Number(value) as 1 | 2 | 3)))
  .optional()
  .meta({
    description:
      'Certifies the document (author seal): 1 allows no change afterwards, 2 filling forms and signing, 3 annotations too. Only for a document without any signature.',
    example: 'none',
    override: { type: 'string', enum: ['none', '1', '2', '3'], default: 'none' },
  });

/** With which credential to seal. */
export const credentialOption = z
  .string()
  .min(1)
  .max(64)
  .refine((value) => value.isWellFormed(), 'Must be plain text.')
  .optional()
  .meta({ description: 'Name or id of the credential; without it the default one.', example: 'p256' });

/** The options of a seal, as they stand in the query of `POST /v1/seals` or in the body. */
export const sealOptionsSchema = z.strictObject({
  credential: credentialOption,
  level: z.enum(['b-t', 'b-lt', 'b-lta']).default('b-t').meta({
    description:
      'PAdES baseline level: `b-t` with a time-stamp, `b-lt` with validation data too, `b-lta` with a document time-stamp over all of it.',
    example: 'b-t',
  }),
  certify,
  field: z
    .string()
    .min(1)
    .max(maxFieldName)
    .refine(isPlain, 'Must be plain text without control characters.')
    .optional()
    .meta({
      description: 'Full name of an empty signature field of the document, or the name of the new one.',
      example: 'Signature1',
    }),
  reason: text('Why the document is sealed.', 'Approved'),
  location: text('Where it is sealed.', 'Trento'),
  contact_info: text('How to reach the sealer.', 'seals@example.org'),
  name: text('Name of the sealer, beside what the certificate says.', 'Example S.p.A.'),
  appearance: appearanceOption,
  retain: retainSchema,
});

/** The same as JSON bodies have them, for the documentation. */
export const sealOptionsBodySchema = sealOptionsSchema.extend({ appearance: appearanceBodyOption });

export type SealOptions = z.output<typeof sealOptionsSchema>;
