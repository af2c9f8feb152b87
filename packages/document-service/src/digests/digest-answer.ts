import { z } from 'zod';
import { stampSchema, timeSchema } from '../routes/resource-parts.ts';

const der = (description: string) =>
  z.string().meta({ description, override: { type: 'string', contentEncoding: 'base64' } });

const validationData = {
  certificates: z.array(der('DER.')).meta({ description: 'For /Certs of the DSS.' }),
  crls: z.array(der('DER.')).meta({ description: 'For /CRLs of the DSS.' }),
  ocsps: z.array(der('DER.')).meta({ description: 'For /OCSPs of the DSS.' }),
};

/** The answer of `POST /v1/seals/digest`. */
export const digestAnswerSchema = z
  .object({
    id: z.string().meta({ example: 'seal_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB' }),
    level: z.enum(['b-t', 'b-lt', 'b-lta']),
    signing_time: timeSchema('As it was sent.'),
    time_stamp: stampSchema,
    cms: der('The CMS, DER: goes into /Contents as hex, followed by zeros.'),
    ...validationData,
    document_time_stamp: z
      .object({
        digest_algorithm: z.enum(['sha256', 'sha384', 'sha512']),
        contents_size: z.int().meta({ description: 'Bytes of room to leave in its /Contents.' }),
      })
      .nullable()
      .meta({ description: 'For b-lta: how to prepare the document time-stamp.' }),
    links: z.object({ self: z.string(), document_time_stamp: z.string().nullable() }),
  })
  .meta({ id: 'SealedDigest', description: 'What the caller embeds in its document.' });

/** The answer of `POST /v1/seals/{id}/document-time-stamp`. */
export const timeStampAnswerSchema = z
  .object({
    id: z.string().meta({ example: 'seal_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB' }),
    token: der('TimeStampToken (RFC 3161), DER: goes into /Contents of the /DocTimeStamp.'),
    time_stamp: stampSchema,
    ...validationData,
  })
  .meta({
    id: 'DocumentTimeStamp',
    description:
      'When the lists are not empty, another authority gave the time-stamp than before: its validation data belongs into the DSS, in one more update.',
  });

export type DigestAnswer = z.output<typeof digestAnswerSchema>;
export type TimeStampAnswer = z.output<typeof timeStampAnswerSchema>;

/** What is kept of a sealed digest for replays and for its document time-stamp. */
export const keptDigestSchema = z.object({
  answer: digestAnswerSchema,
  /** The certificate of the authority that stamped the signature: its chain is in the answer's data. DER in base64. */
  time_stamp_certificate: z.string(),
});

export type KeptDigest = z.output<typeof keptDigestSchema>;
