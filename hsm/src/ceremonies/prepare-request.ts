import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import {
  type Certificate,
  type CertificateRequest,
  createSerialNumber,
  decodePem,
  parseCertificate,
} from '@sigillum/pki';
import type { Home } from '../home/home.ts';
import type { SubjectKey } from '../keys/ceremony-key.ts';
import type { PublicationUrl } from '../plan/fields.ts';
import type { IssueCertificatePlan, IssueRootPlan } from '../plan/plan.ts';
import type { CeremonyContext } from './ceremony.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** The one certificate in a PEM file of the home. Throws `ceremony_input_invalid`. */
export function readCertificate(home: Home, path: string): Certificate {
  const [der, ...others] = decodePem(home.read(path).toString('utf8'));
  if (!der || others.length > 0) {
    throw new SigillumError('ceremony_input_invalid', `${path} must hold one certificate.`);
  }
  return parseCertificate(der);
}

/** A URL of a plan with the variable of the command line put in. Throws `ceremony_arguments_invalid`. */
export function resolveUrl(url: PublicationUrl, baseUrl: string | undefined): string {
  if (typeof url === 'string') return url;
  if (baseUrl === undefined) {
    throw new SigillumError('ceremony_arguments_invalid', 'The plan needs the option --base-url.');
  }
  return `${baseUrl}${url.path}`;
}

/**
 * A certificate's content out of its plan. It ends with its issuer, and, while that day lies ahead, before its
 * algorithm does; it doesn't begin before its issuer.
 */
export function prepareRequest(
  plan: IssueRootPlan | IssueCertificatePlan,
  subjectKey: SubjectKey,
  issuer: Certificate | undefined,
  context: CeremonyContext,
): CertificateRequest {
  const now = context.now().getTime();
  const { manifest } = subjectKey;
  const endDate = manifest && getSignatureAlgorithm(manifest.algorithm).endDates[manifest.key_spec];
  const ends = [now + plan.validity.days * dayMs, issuer?.notAfter.getTime(), endDate && Date.parse(endDate)];
  const notAfter = new Date(Math.min(...ends.filter((end) => typeof end === 'number' && end > now).map(Number)));
  const backdated = now - plan.validity.backdate_minutes * minuteMs;
  const notBefore = new Date(Math.max(backdated, issuer?.notBefore.getTime() ?? backdated));
  const base = {
    profile: plan.profile,
    subject: plan.subject,
    spki: subjectKey.spki,
    serialNumber: createSerialNumber(context.random),
    notBefore,
    notAfter,
  };
  if (plan['ceremony-type'] === 'issue-root' || !issuer) return base;
  const { names, private_key_usage: usage } = plan;
  const usageEnd = usage && new Date(Math.min(now + usage.days * dayMs, notAfter.getTime()));
  return {
    ...base,
    issuer,
    ...(plan.ca_issuers_url ? { caIssuersUrl: resolveUrl(plan.ca_issuers_url, context.baseUrl) } : {}),
    ...(plan.crl_url ? { crlUrl: resolveUrl(plan.crl_url, context.baseUrl) } : {}),
    ...(names?.uris ? { uris: names.uris } : {}),
    ...(names?.dns ? { dnsNames: names.dns } : {}),
    ...(names?.ip ? { ipAddresses: names.ip } : {}),
    ...(usageEnd ? { privateKeyUsagePeriod: { notBefore, notAfter: usageEnd } } : {}),
  };
}
