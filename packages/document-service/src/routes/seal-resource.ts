import { encodeId, type Seal } from '@sigillum/store';
import { z } from 'zod';

const time = (description: string) => z.iso.datetime().meta({ description });
const file = z.object({
  size: z.int().meta({ description: 'Bytes.' }),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** A seal as the API shows it. */
export const sealSchema = z
  .object({
    id: z.string().meta({ example: 'seal_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB' }),
    status: z.enum(['pending', 'completed', 'failed']),
    mode: z.enum(['test', 'live']),
    level: z.enum(['b-t', 'b-lt', 'b-lta']),
    credential: z.object({ id: z.string(), name: z.string() }),
    created_at: time('When the document had arrived.'),
    finished_at: time('When the seal was completed or failed.').nullable(),
    signing_time: time('The time in the signature dictionary (/M).').nullable(),
    time_stamp: z.object({ time: time('genTime of the time-stamp.'), serial: z.string() }).nullable(),
    document: file.meta({ description: 'The document as it came in.' }),
    sealed: file.nullable().meta({ description: 'The document as it went out.' }),
    field_name: z.string().nullable().meta({ description: 'Name of the signature field.' }),
    earlier_signatures: z
      .int()
      .nullable()
      .meta({ description: 'Signatures that the document already had; they were not judged.' }),
    failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
    request_id: z.string(),
  })
  .meta({ id: 'Seal', description: 'One sealing. Nothing of the document itself is kept.' });

/** Writes a seal as {@link sealSchema} describes it. */
export function toSealResource(seal: Seal): z.input<typeof sealSchema> {
  const { outcome } = seal;
  return {
    id: encodeId('seal', seal.id),
    status: seal.status,
    mode: seal.mode,
    level: seal.level,
    credential: { id: encodeId('cred', seal.credential.id), name: seal.credential.name },
    created_at: seal.createdAt.toISOString(),
    finished_at: seal.finishedAt?.toISOString() ?? null,
    signing_time: outcome?.signingTime.toISOString() ?? null,
    time_stamp: outcome === undefined ? null : { time: outcome.genTime.toISOString(), serial: outcome.timeStampSerial },
    document: { size: seal.documentSize, sha256: toHex(seal.documentSha256) },
    sealed: outcome === undefined ? null : { size: outcome.sealedSize, sha256: toHex(outcome.sealedSha256) },
    field_name: outcome?.fieldName ?? null,
    earlier_signatures: outcome?.earlierSignatures ?? null,
    failure: seal.failure ?? null,
    request_id: seal.requestId,
  };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
