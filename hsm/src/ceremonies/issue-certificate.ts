import { SigillumError } from '@sigillum/errors';
import {
  assertCertificateMatches,
  type Certificate,
  type CertificateRequest,
  developmentMark,
  encodePem,
  equalBytes,
  issueCertificate,
  parseCertificate,
} from '@sigillum/pki';
import type { Output } from '../home/home.ts';
import { openSigningKey, readSubjectKey, type SigningKey } from '../keys/ceremony-key.ts';
import type { IssueCertificatePlan, IssueRootPlan } from '../plan/plan.ts';
import { assertRenewal } from './assert-renewal.ts';
import type { Ceremony, CeremonyContext, NoteCheck } from './ceremony.ts';
import { lintRequest } from './lint-request.ts';
import { prepareRequest, readCertificate } from './prepare-request.ts';

type Ready = { readonly request: CertificateRequest; readonly key: SigningKey };
type Made = { readonly request: CertificateRequest; readonly der: Uint8Array };

/** Issues a root with its own key, or a certificate under a CA: the types differ in whose key signs. */
export function createIssueCertificateCeremony(plan: IssueRootPlan | IssueCertificatePlan): Ceremony<Ready, Made> {
  const isRenewal = plan['ceremony-type'] === 'issue-certificate' && plan.renewal === true;
  return {
    preflight: async (context, note) => {
      const ready =
        plan['ceremony-type'] === 'issue-root' ? prepareRoot(plan, context) : prepareCertificate(plan, context, note);
      const linted = await lintRequest(ready.request);
      note('content is as the profile wants it, signed with a throw-away key', describeCertificate(linted));
      if (linted.isDevelopment !== plan.development) {
        throw new SigillumError(
          'ceremony_check_failed',
          `The organisation in the subject of a development certificate says "${developmentMark}", in no other.`,
        );
      }
      if (isRenewal) {
        const previous = readCertificate(context.home, plan.outputs.certificate);
        assertRenewal(previous, linted);
        note('nothing but serial number and times differs from the certificate that it replaces', {
          serial_number: previous.serialNumber,
          not_after: previous.notAfter.toISOString(),
        });
      }
      return ready;
    },
    act: async ({ request, key }) => ({ request, der: await issueCertificate(request, key.signer) }),
    readBack: async ({ der }, _context, note) => {
      note('certificate', { ...describeCertificate(parseCertificate(der)), der: Buffer.from(der).toString('base64') });
    },
    verify: async ({ request, der }, { now }, note) => {
      assertCertificateMatches(der, request);
      const certificate = parseCertificate(der);
      if (certificate.notBefore > now() || certificate.notAfter <= now()) {
        throw new SigillumError('ceremony_check_failed', 'The certificate is not valid now.');
      }
      note('signature, issuer, profile and request agree', request.profile);
    },
    listFiles: ({ der }) => {
      const { certificate, published } = plan.outputs;
      const pem = Buffer.from(encodePem('CERTIFICATE', der));
      const file = (path: string, bytes: Uint8Array): Output => ({ path, bytes, isSecret: false, replaces: isRenewal });
      return [
        ...(published ? [file(published.der, der)] : []),
        ...(published?.pem === undefined ? [] : [file(published.pem, pem)]),
        file(certificate, pem),
      ];
    },
  };
}

function prepareRoot(plan: IssueRootPlan, context: CeremonyContext): Ready {
  const key = openSigningKey(context.home, plan.key, context.tokens);
  return { request: prepareRequest(plan, key, undefined, context), key };
}

function prepareCertificate(plan: IssueCertificatePlan, context: CeremonyContext, note: NoteCheck): Ready {
  const { home, tokens, now } = context;
  const issuer = readCertificate(home, plan.issuer.certificate);
  const key = openSigningKey(home, plan.issuer.key, tokens);
  if (!equalBytes(key.spki, issuer.spki)) {
    throw new SigillumError('ceremony_input_invalid', "The issuer's key is not that of its certificate.");
  }
  if (issuer.notAfter <= now() || issuer.notBefore > now()) {
    throw new SigillumError('ceremony_input_invalid', "The issuer's certificate is not valid now.");
  }
  note('issuer', describeCertificate(issuer));
  const subjectKey = readSubjectKey(home, plan.subject_key);
  const purposes: Readonly<Record<string, string>> = {
    seal: 'seal',
    tsu: 'timestamp',
    'issuing-ca': 'certificate',
    'tsa-ca': 'certificate',
  };
  // A key has one purpose, and a certificate must not give it another. TLS keys lie in files, without a manifest.
  if (subjectKey.manifest?.purpose !== purposes[plan.profile]) {
    throw new SigillumError(
      'ceremony_input_invalid',
      `A key for ${subjectKey.manifest?.purpose ?? 'TLS'} gets no certificate of the profile ${plan.profile}.`,
    );
  }
  return { request: prepareRequest(plan, subjectKey, issuer, context), key };
}

function describeCertificate(certificate: Certificate) {
  return {
    subject: certificate.subject.text,
    issuer: certificate.issuer.text,
    serial_number: certificate.serialNumber,
    not_before: certificate.notBefore.toISOString(),
    not_after: certificate.notAfter.toISOString(),
  };
}
