import { encodeId, type Seal } from '@sigillum/store';
import { z } from 'zod';
import { fileSchema, linksSchema, stampSchema, timeSchema, toFile, toKept, toStamp } from './resource-parts.ts';

/** An extension as the API shows it. */
export const extensionSchema = z
  .object({
    id: z.string().meta({ example: 'ext_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB' }),
    status: z.enum(['pending', 'completed', 'failed']),
    mode: z.enum(['test', 'live']),
    level: z.enum(['b-lt', 'b-lta']).meta({ description: 'The level that was asked for.' }),
    from_level: z
      .enum(['b-b', 'b-t', 'b-lt', 'b-lta'])
      .nullable()
      .meta({ description: 'The lowest level before, of the signatures that were extended.' }),
    left_alone: z
      .array(z.object({ field_name: z.string(), code: z.string(), detail: z.string() }))
      .nullable()
      .meta({
        description:
          'Signatures that could not be extended, and why: broken, not PAdES, without a time-stamp, or under a root that is not trusted here.',
      }),
    created_at: timeSchema('When the document had arrived.'),
    finished_at: timeSchema('When it was completed or failed.').nullable(),
    document_time_stamp: stampSchema.nullable().meta({ description: 'The new one, for b-lta.' }),
    document: fileSchema.nullable().meta({ description: 'The document as it came in.' }),
    extended: fileSchema
      .nullable()
      .meta({ description: 'The document as it went out: the same when it already had the level.' }),
    failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
    links: linksSchema,
    expires: timeSchema('Until when the extended document can be fetched.').nullable(),
    request_id: z.string(),
  })
  .meta({ id: 'Extension', description: 'One extension of a sealed document to a higher level.' });

/** Writes an extension as {@link extensionSchema} describes it. */
export function toExtensionResource(seal: Seal): z.input<typeof extensionSchema> {
  const { outcome } = seal;
  const from = z.enum(['b-b', 'b-t', 'b-lt', 'b-lta']).safeParse(outcome?.fromLevel);
  return {
    id: encodeId('ext', seal.id),
    status: seal.status,
    mode: seal.mode,
    level: seal.level === 'b-lt' ? 'b-lt' : 'b-lta',
    from_level: from.success ? from.data : null,
    left_alone: outcome?.leftAlone?.slice() ?? null,
    created_at: seal.createdAt.toISOString(),
    finished_at: seal.finishedAt?.toISOString() ?? null,
    document_time_stamp: toStamp(outcome?.documentTimeStamp),
    document: toFile(seal.document),
    extended: toFile(outcome?.sealed),
    failure: seal.failure ?? null,
    ...toKept(`/v1/extensions/${encodeId('ext', seal.id)}`, seal),
    request_id: seal.requestId,
  };
}
