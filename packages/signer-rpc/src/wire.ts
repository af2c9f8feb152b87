import { type SignatureAlgorithmName, signatureAlgorithms } from '@sigillum/algorithms';
import { z } from 'zod';

/** Digests of one request: enough to hide the round trip, few enough to bound time and memory of one request. */
export const MAX_DIGESTS = 100;

/** A longer wait than this helps nobody: the caller's own callers are gone. */
export const MAX_TIMEOUT_MS = 60_000;

/** A full request with the longest contexts has about 350 KB. */
export const MAX_REQUEST_BYTES = 512 * 1024;

/** 100 signatures of RSA-4096 in base64 have about 70 KB, 500 keys with their SPKI about 450 KB. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/** The method names of a client's policy. */
export const methodNames = ['signDigests', 'keys', 'health'] as const;
export type MethodName = (typeof methodNames)[number];

/** What a key is for; one purpose per key. CA keys have none of these and are never served. */
export const purposeNames = ['seal', 'timestamp', 'ocsp', 'canary'] as const;
export type Purpose = (typeof purposeNames)[number];

const algorithmNames = signatureAlgorithms.map(({ name }) => name);

/** An algorithm's name as `@sigillum/algorithms` spells it. */
export const algorithmSchema = z.enum(algorithmNames as [SignatureAlgorithmName, ...SignatureAlgorithmName[]]);

/** CKA_ID: 16 bytes in lowercase hex. */
export const keyIdSchema = z.string().regex(/^[0-9a-f]{32}$/, 'A key id has 32 lowercase hex digits.');

const idSchema = z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'An id has 1 to 64 of A-Z a-z 0-9 _ . : -');

/** Standard base64 with padding, and only the one spelling that encoding gives (RFC 4648 §3.5). */
const base64Schema = (maxBytes: number) =>
  z
    .string()
    .min(1)
    .max(Math.ceil(maxBytes / 3) * 4)
    .refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'This is not base64 with padding.');

/**
 * Why a digest is signed: for the audit line, never for a decision. Closed and bounded. `authorization` is reserved
 * (signature activation data); the audit line holds its SHA-256 only.
 */
export const signContextSchema = z.strictObject({
  organisation: idSchema.optional(),
  seal_id: idSchema.optional(),
  document_sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'A SHA-256 digest has 64 lowercase hex digits.')
    .optional(),
  purpose_detail: z
    .string()
    .regex(/^[\x20-\x7e]{1,128}$/, 'Printable ASCII, 1 to 128 characters.')
    .optional(),
  authorization: z
    .string()
    .regex(/^[\x21-\x7e]{1,2048}$/, 'Printable ASCII without blanks, 1 to 2048 characters.')
    .optional(),
});

/** `POST /v1/signDigests`. The digest's length is checked against the key's algorithm, later. */
export const signDigestsRequestSchema = z.strictObject({
  request_id: idSchema,
  timeout_ms: z.int().min(1).max(MAX_TIMEOUT_MS),
  key_id: keyIdSchema,
  algorithm: algorithmSchema,
  digests: z
    .array(z.strictObject({ digest: base64Schema(64), context: signContextSchema }))
    .min(1)
    .max(MAX_DIGESTS),
});

/** One entry per digest, in the request's order: a signature or the code of what went wrong. */
export const signDigestsAnswerSchema = z.object({
  results: z
    .array(z.union([z.object({ signature: base64Schema(512) }), z.object({ code: z.string().max(64) })]))
    .min(1)
    .max(MAX_DIGESTS),
});

/** `GET /v1/keys`: the keys that the asking client may use. */
export const keysAnswerSchema = z.object({
  keys: z
    .array(
      z.object({
        key_id: keyIdSchema,
        name: z.string().max(128),
        algorithm: algorithmSchema,
        purpose: z.enum(purposeNames),
        spki: base64Schema(2048),
      }),
    )
    .max(500),
});

/** `GET /v1/health`: whether signatures can be made now, by purpose of the asking client. */
export const healthAnswerSchema = z.object({
  status: z.enum(['ok', 'unavailable']),
  purposes: z.partialRecord(z.enum(purposeNames), z.enum(['ok', 'unavailable'])),
  /** The smallest `timeout_ms` that is taken: whoever is configured to leave less will never get a signature. */
  min_timeout_ms: z.int().min(1).optional(),
});

export type SignContext = z.infer<typeof signContextSchema>;
export type SignDigestsRequest = z.infer<typeof signDigestsRequestSchema>;
export type SignDigestsAnswer = z.infer<typeof signDigestsAnswerSchema>;
export type KeysAnswer = z.infer<typeof keysAnswerSchema>;
export type HealthAnswer = z.infer<typeof healthAnswerSchema>;
