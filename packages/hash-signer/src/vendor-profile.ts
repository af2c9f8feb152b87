import { returnCodeClassNames } from './signer-messages.ts';
import { z } from 'zod';

const numberSchema = z.string().regex(/^0x[0-9a-f]{1,8}$/, 'A return code is a number such as 0x6 or 0x80000201.');

const attributeSchema = z.string().regex(/^CKA_[A-Z_]{1,40}$/, 'An attribute is named as in PKCS#11: CKA_LOCAL.');

/** `hsm/profiles/<vendor>.yaml`: how one vendor's module differs. Format: `hsm/profiles/`, README of hash-signer. */
export const vendorProfileSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().regex(/^[a-z0-9-]{1,32}$/),
  /** Whether anybody has run our tests on it; a profile from the vendor's documents alone says no. */
  tried: z.boolean(),
  /** Where the module usually lies: for people. */
  module: z.string().max(4096),
  /** Variables that the module reads: for people; their values stand in the daemon's configuration. */
  environment: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/)).default([]),
  /** The module computes by itself, in the process that loads it: it is called without another thread. */
  in_process: z.boolean().default(false),
  /** Defaults for tokens that don't say. */
  signers: z.int().min(1).max(16).optional(),
  lanes: z.int().min(1).max(64).optional(),
  /** CKR_* by number, where its class differs from PKCS#11's usual meaning. */
  return_codes: z.record(numberSchema, z.enum(returnCodeClassNames)).default({}),
  /** How keys made on it read back, where that differs from what we require (`@sigillum/pkcs11`, KeyDepartures). */
  key_attributes: z
    .strictObject({
      unknown: z.array(attributeSchema).default([]),
      reads_back: z.record(attributeSchema, z.boolean()).default({}),
    })
    .optional(),
  notes: z.string().max(16_384).default(''),
});

export type VendorProfile = z.output<typeof vendorProfileSchema>;

/** A profile's table as pairs, for a signer process. */
export function listReturnCodes(profile: VendorProfile | undefined): [number, (typeof returnCodeClassNames)[number]][] {
  return Object.entries(profile?.return_codes ?? {}).map(([code, name]) => [Number(code), name]);
}
