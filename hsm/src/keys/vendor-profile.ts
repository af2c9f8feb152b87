import type { KeyDepartures } from '@sigillum/pkcs11';
import { loadConfig } from '@sigillum/service-kit';
import { z } from 'zod';

const attributeName = z.string().regex(/^CKA_[A-Z_]{1,40}$/, 'An attribute is named as in PKCS#11: CKA_LOCAL.');

/**
 * What a ceremony reads of `profiles/<vendor>.yaml`. The whole is described in the README of hash-signer, whose daemon
 * reads the rest: lanes and return codes are nothing to a ceremony.
 */
const profileSchema = z.looseObject({
  version: z.literal(1),
  name: z.string(),
  tried: z.boolean(),
  key_attributes: z
    .strictObject({
      unknown: z.array(attributeName).default([]),
      reads_back: z.record(attributeName, z.boolean()).default({}),
    })
    .prefault({}),
});

/** How the module at hand differs. */
export type VendorProfile = {
  readonly name: string;
  /** False: from the vendor's documents alone. */
  readonly tried: boolean;
  readonly departures: KeyDepartures;
};

/** Reads a vendor profile. Throws `config_invalid`. */
export function readVendorProfile(path: string): VendorProfile {
  const { name, tried, key_attributes } = loadConfig(path, profileSchema);
  return { name, tried, departures: { unknown: key_attributes.unknown, readsBack: key_attributes.reads_back } };
}
