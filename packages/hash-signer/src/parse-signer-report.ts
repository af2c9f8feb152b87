import { z } from 'zod';
import { fatalReasons, type PinFileStamp, type SignerFatal, type SignerReady } from './signer-messages.ts';

/**
 * What a signer process says about itself. Checked, although it is our own program: a module of the vendor runs in
 * that process, and what it says becomes log fields and metric labels here.
 */
const readySchema = z.strictObject({ module: z.string().max(128) });

const stampSchema = z.strictObject({ mtimeMs: z.number(), size: z.int().min(0) });

const fatalSchema = z.strictObject({
  reason: z.enum(fatalReasons),
  keyId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  returnCode: z.int().min(0).optional(),
  pin: stampSchema.optional(),
});

/** @throws Error for anything else */
export function parseAttempt(payload: Uint8Array): PinFileStamp {
  return stampSchema.parse(parseJson(payload));
}

/** @throws Error for anything else: the stream is lost then */
export function parseReady(payload: Uint8Array): SignerReady {
  return readySchema.parse(parseJson(payload));
}

/** @throws Error for anything else */
export function parseFatal(payload: Uint8Array): SignerFatal {
  // Absent fields are absent, not undefined: the schema keeps them so.
  return fatalSchema.parse(parseJson(payload));
}

function parseJson(payload: Uint8Array): unknown {
  return JSON.parse(Buffer.from(payload).toString('utf8')) as unknown;
}
