import { findSignatureAlgorithm, keySpecs, type KeySpecName, signatureAlgorithms } from '@sigillum/algorithms';
import type { NameAttribute } from '@sigillum/pki';
import { z } from 'zod';

/** A path below the home: relative, no `..`, no hidden files, so that a plan can't reach anything else. */
export const homePath = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/, 'Must be a relative path below the home');

/** What every plan begins with. */
export const planHeader = {
  /** What the ceremony is for, for the people who confirm it. */
  description: z.string().min(1).max(500),
  /** Ceremonies outside development need a quorum and a dry run, which this version does not have. */
  development: z.literal(true, 'Only development ceremonies are possible: a quorum and a dry run come later'),
};

export const tokenReference = z.strictObject({
  label: z.string().min(1).max(32),
  /** Needed where several tokens may have that label. */
  serial: z.string().min(1).max(32).optional(),
});

/** A key by its manifest (in a token), or a private key in a PKCS#8 PEM file (TLS only). */
export const keyReference = z.union([z.strictObject({ manifest: homePath }), z.strictObject({ file: homePath })]);
export type KeyReference = z.output<typeof keyReference>;

export const keySpec = z.enum(Object.keys(keySpecs) as [KeySpecName, ...KeySpecName[]]);
export const signatureAlgorithm = z
  .enum(signatureAlgorithms.map(({ name }) => name))
  .refine((name) => findSignatureAlgorithm(name) !== undefined);

/** An http URL, or a path that is put behind the variable `base_url` given on the command line. */
export const publicationUrl = z.union([
  z.url({ protocol: /^http$/ }),
  z.strictObject({ variable: z.literal('base_url'), path: z.string().regex(/^\/[A-Za-z0-9._/-]+$/) }),
]);
export type PublicationUrl = z.output<typeof publicationUrl>;

const text = z.string().min(1).max(256);

/** Subject attributes; they are encoded in this order whatever order they are written in. */
export const subject = z
  .strictObject({
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .optional(),
    organization: text,
    organizational_unit: text.optional(),
    organization_identifier: text.optional(),
    common_name: text,
  })
  .transform(({ country, organization, organizational_unit, organization_identifier, common_name }) =>
    Object.entries({ country, organization, organizational_unit, organization_identifier, common_name }).flatMap(
      ([type, value]): NameAttribute[] => (value === undefined ? [] : [{ type, value }]),
    ),
  );

/** From a little before now, for clocks that are behind, to so many days after now. */
export const validity = z.strictObject({
  days: z.int().min(1).max(7310),
  backdate_minutes: z.int().min(0).max(1440),
});
