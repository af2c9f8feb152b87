import { getDigestOf } from '@sigillum/algorithms';
import { encodePem } from '@sigillum/pki';
import { type Credential, encodeId } from '@sigillum/store';
import { z } from 'zod';
import { findContentsSize, findSigningTimeWindow } from '../digests/digest-limits.ts';
import { toSigningCredential } from '../sealing/to-signing-credential.ts';
import type { Services } from '../services.ts';

/** A credential as the API shows it. */
export const credentialSchema = z
  .object({
    id: z.string().meta({ example: 'cred_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB' }),
    name: z.string().meta({ example: 'p256' }),
    mode: z.enum(['test', 'live']),
    status: z.enum(['active', 'suspended', 'revoked']),
    default: z.boolean().meta({ description: 'Whether it is used when a seal names none.' }),
    algorithm: z.string().meta({ example: 'ecdsa-p256-sha256' }),
    digest_algorithm: z
      .enum(['sha256', 'sha384', 'sha512'])
      .meta({ description: 'Of documents, for `POST /v1/seals/digest`.' }),
    contents_size: z.int().meta({ description: 'Bytes of CMS to leave room for in /Contents when preparing locally.' }),
    signing_time_window: z
      .object({ not_before: z.iso.datetime(), not_after: z.iso.datetime() })
      .meta({ description: 'Where /M may lie at this moment when preparing locally.' }),
    server_time: z.iso.datetime().meta({ description: 'Our clock at this moment.' }),
    subject: z.string(),
    issuer: z.string(),
    serial_number: z.string().meta({ description: 'Lower-case hex.' }),
    not_before: z.iso.datetime(),
    not_after: z.iso.datetime(),
    development: z.boolean().meta({ description: 'Whether the certificate says that it has no legal value.' }),
    certificate: z.string().meta({ description: 'PEM.' }),
    chain: z.array(z.string()).meta({ description: 'PEM, issuing CA first.' }),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Credential', description: 'A key in the HSM with its certificate.' });

/** Writes a credential as {@link credentialSchema} describes it. */
export function toCredentialResource(services: Services, credential: Credential): z.input<typeof credentialSchema> {
  const certificate = services.knownCertificates.parse(credential.certificate);
  const now = services.now();
  const window = findSigningTimeWindow(services, credential, now);
  return {
    id: encodeId('cred', credential.id),
    name: credential.name,
    mode: credential.mode,
    status: credential.status,
    default: credential.isDefault,
    algorithm: credential.algorithm,
    digest_algorithm: getDigestOf(toSigningCredential(services, credential).algorithm).name,
    contents_size: findContentsSize(services, credential),
    signing_time_window: { not_before: window.notBefore.toISOString(), not_after: window.notAfter.toISOString() },
    server_time: now.toISOString(),
    subject: certificate.subject.text,
    issuer: certificate.issuer.text,
    serial_number: certificate.serialNumber,
    not_before: certificate.notBefore.toISOString(),
    not_after: certificate.notAfter.toISOString(),
    development: certificate.isDevelopment,
    certificate: encodePem('CERTIFICATE', credential.certificate),
    chain: credential.chain.map((der) => encodePem('CERTIFICATE', der)),
    created_at: credential.createdAt.toISOString(),
  };
}
