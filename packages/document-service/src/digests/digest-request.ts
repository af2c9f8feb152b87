import { z } from 'zod';
import { credentialOption } from '../sealing/seal-options.ts';

/** The largest room for a CMS or token that is believed: a chain of four large certificates has a tenth. */
export const maxContentsSize = 1024 * 1024;

/** Bytes of each digest that a credential or time-stamp may be over. */
const digestLengths = { sha256: 32, sha384: 48, sha512: 64 } as const;

const digestFields = {
  digest: z
    .string()
    .max(100)
    .refine((text) => Buffer.from(text, 'base64').toString('base64') === text && text !== '', 'Must be base64.')
    .transform((text): Uint8Array => Buffer.from(text, 'base64'))
    .meta({
      description: 'Over the ByteRange, in base64.',
      example: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
      override: { type: 'string', contentEncoding: 'base64' },
    }),
  digest_algorithm: z.enum(['sha256', 'sha384', 'sha512']).meta({ example: 'sha256' }),
  contents_size: z
    .int()
    .min(256)
    .max(maxContentsSize)
    .meta({ description: 'Bytes of room in /Contents; its hex digits are twice as many.', example: 16_384 }),
};

type DigestOf = { readonly digest: Uint8Array; readonly digest_algorithm: keyof typeof digestLengths };

function hasItsLength({ digest, digest_algorithm: algorithm }: DigestOf): boolean {
  return digest.length === digestLengths[algorithm];
}

const wrongLength = { path: ['digest'], error: 'Does not have the length of its algorithm.' };

/** The body of `POST /v1/seals/digest`. */
export const digestRequestSchema = z
  .strictObject({
    credential: credentialOption,
    level: z.enum(['b-t', 'b-lt', 'b-lta']).default('b-t'),
    ...digestFields,
    signing_time: z.iso
      .datetime({ error: 'Must be a time in UTC such as 2026-11-22T10:00:01Z.' })
      .refine((text) => new Date(text).getMilliseconds() === 0, 'Must be a whole second, as /M is.')
      .transform((text) => new Date(text))
      .meta({
        description: '/M of the signature dictionary, to the second.',
        example: '2026-11-22T10:00:01Z',
        override: { type: 'string', format: 'date-time' },
      }),
  })
  .refine(hasItsLength, wrongLength);

/** The body of `POST /v1/seals/{id}/document-time-stamp`. */
export const timeStampRequestSchema = z.strictObject(digestFields).refine(hasItsLength, wrongLength);

export type DigestRequest = z.output<typeof digestRequestSchema>;
export type TimeStampRequest = z.output<typeof timeStampRequestSchema>;
