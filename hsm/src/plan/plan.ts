import { type CertificateProfileName, revocationReasons, type RevocationReason } from '@sigillum/pki';
import { z } from 'zod';
import {
  homePath,
  keyReference,
  keySpec,
  planHeader,
  publicationUrl,
  signatureAlgorithm,
  subject,
  tokenReference,
  validity,
} from './fields.ts';

/** Makes a token and its two PINs, which nobody sees. */
const initToken = z.strictObject({
  'ceremony-type': z.literal('init-token'),
  ...planHeader,
  token: tokenReference.pick({ label: true }),
  outputs: z.strictObject({ so_pin: homePath, user_pin: homePath, record: homePath }),
});

const generateKeyInToken = z.strictObject({
  'ceremony-type': z.literal('generate-key'),
  ...planHeader,
  in: z.literal('token'),
  token: tokenReference,
  /** CKA_LABEL and the manifest's name. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/),
  spec: keySpec,
  algorithm: signatureAlgorithm,
  purpose: z.enum(['seal', 'timestamp', 'ocsp', 'canary', 'certificate']),
  /** Recoverable keys come with backup and restore. */
  class: z.literal('non-exportable'),
  /** Takes over the one key of that name which a ceremony made and, cut short, did not publish. */
  adopt_unpublished: z.boolean().optional(),
  outputs: z.strictObject({ manifest: homePath }),
});

const generateKeyInFile = z.strictObject({
  'ceremony-type': z.literal('generate-key'),
  ...planHeader,
  in: z.literal('file'),
  spec: z.enum(['p256', 'p384']),
  /** Only TLS keys may lie in files. */
  purpose: z.literal('tls'),
  outputs: z.strictObject({ private_key: homePath }),
});

const published = z.strictObject({ der: homePath, pem: homePath.optional() });

const rootProfiles = ['root-ca', 'tls-root'] as const satisfies readonly CertificateProfileName[];
const subordinateProfiles = [
  'issuing-ca',
  'tsa-ca',
  'seal',
  'tsu',
  'tls-server',
  'tls-client',
  'tls-peer',
] as const satisfies readonly CertificateProfileName[];

const issueRoot = z.strictObject({
  'ceremony-type': z.literal('issue-root'),
  ...planHeader,
  profile: z.enum(rootProfiles),
  key: keyReference,
  subject,
  validity,
  outputs: z.strictObject({ certificate: homePath, published: published.optional() }),
});

const issuer = z.strictObject({ certificate: homePath, key: keyReference });

const issueCertificate = z.strictObject({
  'ceremony-type': z.literal('issue-certificate'),
  ...planHeader,
  profile: z.enum(subordinateProfiles),
  issuer,
  subject_key: keyReference,
  subject,
  validity,
  /** The time in which the private key signs, from now on (TSU only). */
  private_key_usage: z.strictObject({ days: z.int().min(1).max(3650) }).optional(),
  ca_issuers_url: publicationUrl.optional(),
  crl_url: publicationUrl.optional(),
  names: z
    .strictObject({
      uris: z.array(z.string().min(1).max(200)).max(4).optional(),
      dns: z.array(z.string().min(1).max(253)).max(20).optional(),
      ip: z.array(z.ipv4()).max(20).optional(),
    })
    .optional(),
  /** Replaces the certificate that is there by one with the same key, subject and extensions. */
  renewal: z.boolean().optional(),
  outputs: z.strictObject({ certificate: homePath, published: published.optional() }),
});

const issueCrl = z.strictObject({
  'ceremony-type': z.literal('issue-crl'),
  ...planHeader,
  issuer,
  validity: z.strictObject({ days: z.int().min(1).max(400) }),
  /** Certificates revoked by this ceremony; on renewal those of the CRL before stay. */
  revoked: z
    .array(
      z.strictObject({
        serial_number: z.string().regex(/^([0-9a-f]{2}){1,20}$/),
        time: z.iso.datetime(),
        reason: z.enum(Object.keys(revocationReasons) as [RevocationReason, ...RevocationReason[]]),
      }),
    )
    // A ceremony is confirmed by people, who read every line.
    .max(1000),
  renewal: z.boolean().optional(),
  outputs: z.strictObject({ der: homePath, pem: homePath, published: published.optional() }),
});

/** A ceremony file, as written. */
export const planSchema = z.discriminatedUnion('ceremony-type', [
  initToken,
  z.discriminatedUnion('in', [generateKeyInToken, generateKeyInFile]),
  issueRoot,
  issueCertificate,
  issueCrl,
]);

export type InitTokenPlan = z.output<typeof initToken>;
export type GenerateKeyInTokenPlan = z.output<typeof generateKeyInToken>;
export type GenerateKeyInFilePlan = z.output<typeof generateKeyInFile>;
export type IssueRootPlan = z.output<typeof issueRoot>;
export type IssueCertificatePlan = z.output<typeof issueCertificate>;
export type IssueCrlPlan = z.output<typeof issueCrl>;
export type Plan = z.output<typeof planSchema>;
