import { SigillumError } from '@sigillum/errors';
import {
  type Certificate,
  type CertificateList,
  type CrlRequest,
  decodePem,
  encodePem,
  equalBytes,
  issueCrl,
  parseCrl,
  type RevokedCertificate,
  verifyCrl,
} from '@sigillum/pki';
import type { Home, Output } from '../home/home.ts';
import { openSigningKey, type SigningKey } from '../keys/ceremony-key.ts';
import type { IssueCrlPlan } from '../plan/plan.ts';
import type { Ceremony } from './ceremony.ts';
import { readCertificate } from './prepare-request.ts';

const dayMs = 86_400_000;

type Ready = { readonly request: CrlRequest; readonly key: SigningKey };
type Made = { readonly issuer: Certificate; readonly der: Uint8Array };

/** Issues a CA's first CRL, or the one that follows the last. */
export function createIssueCrlCeremony(plan: IssueCrlPlan): Ceremony<Ready, Made> {
  const isRenewal = plan.renewal === true;
  return {
    preflight: async ({ home, tokens, now }, note) => {
      const issuer = readCertificate(home, plan.issuer.certificate);
      const key = openSigningKey(home, plan.issuer.key, tokens);
      if (!equalBytes(key.spki, issuer.spki)) {
        throw new SigillumError('ceremony_input_invalid', "The issuer's key is not that of its certificate.");
      }
      note('issuer', issuer.subject.text);
      const previous = isRenewal ? readPreviousCrls(home, plan, issuer) : [];
      const thisUpdate = now();
      const revoked = mergeRevoked(previous, plan, thisUpdate);
      const number =
        previous.reduce((highest, crl) => ((crl.number ?? 0n) > highest ? (crl.number ?? 0n) : highest), 0n) + 1n;
      note('CRL number and revoked certificates', { number: Number(number), revoked: revoked.size });
      const nextUpdate = new Date(thisUpdate.getTime() + plan.validity.days * dayMs);
      return { request: { issuer, number, thisUpdate, nextUpdate, revoked }, key };
    },
    act: async ({ request, key }) => ({ issuer: request.issuer, der: await issueCrl(request, key.signer) }),
    readBack: async ({ der }, _context, note) => {
      const crl = parseCrl(der);
      note('CRL', {
        issuer: crl.issuer.text,
        number: Number(crl.number),
        this_update: crl.thisUpdate.toISOString(),
        next_update: crl.nextUpdate.toISOString(),
        revoked: [...crl.revoked].map(([serialNumber]) => serialNumber),
      });
    },
    verify: async ({ issuer, der }, _context, note) => {
      const crl = parseCrl(der);
      verifyCrl(crl, issuer);
      // DSS: a CRL older than the certificate asked about says nothing of it.
      if (crl.thisUpdate < issuer.notBefore) {
        throw new SigillumError('ceremony_check_failed', "The CRL's time lies before its issuer's certificate.");
      }
      note('signature and issuer agree', issuer.subject.text);
    },
    listFiles: ({ der }) => {
      const pem = Buffer.from(encodePem('X509 CRL', der));
      const { outputs } = plan;
      const file = (path: string, bytes: Uint8Array): Output => ({ path, bytes, isSecret: false, replaces: isRenewal });
      return [
        ...(outputs.published ? [file(outputs.published.der, der)] : []),
        ...(outputs.published?.pem === undefined ? [] : [file(outputs.published.pem, pem)]),
        file(outputs.pem, pem),
        file(outputs.der, der),
      ];
    },
  };
}

/** Every copy of the CRL before: a renewal cut short may have published only some, and its number is used up. */
function readPreviousCrls(home: Home, plan: IssueCrlPlan, issuer: Certificate): readonly CertificateList[] {
  const { der, pem, published } = plan.outputs;
  const ders = [der, published?.der].flatMap((path) => (path !== undefined && home.has(path) ? [home.read(path)] : []));
  if (home.has(pem))
    ders.push(...decodePem(home.read(pem).toString('utf8'), 'X509 CRL').map((bytes) => Buffer.from(bytes)));
  return ders.map((bytes) => {
    const crl = parseCrl(bytes);
    verifyCrl(crl, issuer);
    return crl;
  });
}

/** What was revoked stays revoked, with its first time and reason. */
function mergeRevoked(
  previous: readonly CertificateList[],
  plan: IssueCrlPlan,
  now: Date,
): ReadonlyMap<string, RevokedCertificate> {
  const merged = new Map<string, RevokedCertificate>(
    plan.revoked.map(({ serial_number, time, reason }) => [serial_number, { time: new Date(time), reason }]),
  );
  for (const crl of previous) for (const [serialNumber, entry] of crl.revoked) merged.set(serialNumber, entry);
  for (const { time } of merged.values()) {
    if (time > now) throw new SigillumError('ceremony_plan_invalid', 'A certificate is revoked at a time to come.');
  }
  return merged;
}
