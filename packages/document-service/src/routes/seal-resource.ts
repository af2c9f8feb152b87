import { encodeId, type Seal } from '@sigillum/store';
import { z } from 'zod';
import { toHex } from '../sealing/describe-outcome.ts';
import { fileSchema, linksSchema, stampSchema, timeSchema, toFile, toKept, toStamp } from './resource-parts.ts';

/** A seal as the API shows it. */
export const sealSchema = z
  .object({
    id: z.string().meta({ example: 'seal_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB' }),
    status: z.enum(['pending', 'completed', 'failed']),
    mode: z.enum(['test', 'live']),
    level: z.enum(['b-t', 'b-lt', 'b-lta']),
    content_seen: z.boolean().meta({
      description:
        'False when only a digest was sent (`POST /v1/seals/digest`): then nothing is known of the document.',
    }),
    credential: z.object({ id: z.string(), name: z.string() }),
    created_at: timeSchema('When the document had arrived.'),
    finished_at: timeSchema('When the seal was completed or failed.').nullable(),
    signing_time: timeSchema('The time in the signature dictionary (/M).').nullable(),
    time_stamp: stampSchema.nullable().meta({ description: 'The time-stamp over the signature.' }),
    document_time_stamp: stampSchema
      .nullable()
      .meta({ description: 'The one over the document, at level b-lta; null until it was asked for.' }),
    document: fileSchema.nullable().meta({ description: 'The document as it came in.' }),
    digest: z
      .object({ algorithm: z.string(), value: z.string().meta({ description: 'Lower-case hex.' }) })
      .nullable()
      .meta({ description: 'Over the ByteRange, when only that was sent.' }),
    sealed: fileSchema.nullable().meta({ description: 'The document as it went out.' }),
    field_name: z.string().nullable().meta({ description: 'Name of the signature field.' }),
    earlier_signatures: z.int().nullable().meta({ description: 'Signatures that the document already had.' }),
    earlier_signature_states: z
      .array(z.object({ field_name: z.string().nullable(), state: z.enum(['intact', 'broken', 'not-checked']) }))
      .nullable()
      .meta({
        description:
          'Each of them (the first hundred) by its digest and signature value alone: neither trust nor later changes were judged.',
      }),
    failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
    links: linksSchema,
    expires: timeSchema('Until when the sealed document can be fetched.').nullable(),
    request_id: z.string(),
  })
  .meta({ id: 'Seal', description: 'One sealing. Nothing of the document is kept unless `retain` asked for it.' });

/** Writes a seal as {@link sealSchema} describes it. */
export function toSealResource(seal: Seal): z.input<typeof sealSchema> {
  const { outcome, digest } = seal;
  return {
    id: encodeId('seal', seal.id),
    status: seal.status,
    mode: seal.mode,
    level: seal.level,
    content_seen: seal.kind !== 'digest',
    credential: { id: encodeId('cred', seal.credential?.id ?? ''), name: seal.credential?.name ?? '' },
    created_at: seal.createdAt.toISOString(),
    finished_at: seal.finishedAt?.toISOString() ?? null,
    signing_time: outcome?.signingTime?.toISOString() ?? null,
    time_stamp: toStamp(outcome?.genTime && { time: outcome.genTime, serial: outcome.timeStampSerial ?? '' }),
    document_time_stamp: toStamp(outcome?.documentTimeStamp),
    document: toFile(seal.document),
    digest: digest === undefined ? null : { algorithm: digest.algorithm, value: toHex(digest.value) },
    sealed: toFile(outcome?.sealed),
    field_name: outcome?.fieldName ?? null,
    earlier_signatures: outcome?.earlierSignatures?.length ?? null,
    earlier_signature_states: outcome?.earlierSignatures?.slice(0, 100) ?? null,
    failure: seal.failure ?? null,
    ...toKept(`/v1/seals/${encodeId('seal', seal.id)}`, seal),
    request_id: seal.requestId,
  };
}
