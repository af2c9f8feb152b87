import { configPath } from '@sigillum/service-kit';
import { z } from 'zod';

const credentialName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'Lower-case letters, digits, dot, underscore, hyphen.');

/** `provision.yaml`: one organisation in one mode, its key and its credentials. Relative paths start at its folder. */
export const provisionSchema = z
  .strictObject({
    organisation: z.strictObject({ name: z.string().min(1).max(200), mode: z.enum(['test', 'live']) }),
    /** The key in clear, `sk_test_…`; only its HMAC goes into the database. */
    api_key_file: configPath(),
    credentials: z
      .array(
        z.strictObject({
          name: credentialName,
          manifest: configPath(),
          certificate: configPath(),
          chain: z.array(configPath()).min(1),
        }),
      )
      .min(1),
    default_credential: credentialName,
  })
  .refine(({ credentials, default_credential }) => credentials.some(({ name }) => name === default_credential), {
    path: ['default_credential'],
    error: 'Is none of the credentials.',
  });

export type ProvisionFile = z.output<typeof provisionSchema>;
