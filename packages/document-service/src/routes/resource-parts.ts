import type { Seal } from '@sigillum/store';
import { z } from 'zod';
import { toHex } from '../sealing/describe-outcome.ts';

/** A time in RFC 3339. */
export const timeSchema = (description: string) => z.iso.datetime().meta({ description });

/** Size and hash of a file. */
export const fileSchema = z.object({
  size: z.int().meta({ description: 'Bytes.' }),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** A time-stamp. */
export const stampSchema = z.object({ time: timeSchema('genTime of the time-stamp.'), serial: z.string() });

/** Where the resource is, and where its document can be fetched. */
export const linksSchema = z.object({
  self: z.string().meta({ example: '/v1/seals/seal_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB' }),
  document: z.string().nullable().meta({ description: 'Null when the sealed document is not, or no longer, kept.' }),
});

/** Writes what {@link fileSchema} describes. */
export function toFile(file: { readonly size: number; readonly sha256: Uint8Array } | undefined) {
  return file === undefined ? null : { size: file.size, sha256: toHex(file.sha256) };
}

/** Writes what {@link stampSchema} describes. */
export function toStamp(stamp: { readonly time: Date; readonly serial: string } | undefined) {
  return stamp === undefined ? null : { time: stamp.time.toISOString(), serial: stamp.serial };
}

/** `links` and `expires` of a resource at `self`. */
export function toKept(self: string, { retained }: Seal) {
  return {
    links: { self, document: retained?.sha256 === undefined ? null : `${self}/document` },
    expires: retained?.expiresAt.toISOString() ?? null,
  };
}
