import { isSigillumError, SigillumError } from '@sigillum/errors';
import { equalBytes, listProfileProblems, parseCrl, verifyCrl } from '@sigillum/pki';
import type { CeremonyContext } from '../ceremonies/ceremony.ts';
import { readCertificate, resolveUrl } from '../ceremonies/prepare-request.ts';
import { readSubjectKey } from '../keys/ceremony-key.ts';
import { readKeyManifest } from '../keys/key-manifest.ts';
import { getResultPath } from '../plan/list-outputs.ts';
import type { IssueCertificatePlan, IssueRootPlan, Plan } from '../plan/plan.ts';
import { readTokenRecord } from './token-record.ts';

/**
 * Whether a step of the development PKI was completed: its result is there, and is what the plan would make. A result
 * that is there but wrong is never made again over itself: `ceremony_home_conflict` says what to do.
 */
export function isStepDone(plan: Plan, context: CeremonyContext): boolean {
  const path = getResultPath(plan);
  if (!context.home.has(path)) return false;
  try {
    checkResult(plan, path, context);
    return true;
  } catch (error) {
    if (!isSigillumError(error) || error.code === 'ceremony_home_conflict') throw error;
    throw conflict(`${path} is not what it should be (${error.message})`, error);
  }
}

function checkResult(plan: Plan, path: string, context: CeremonyContext): void {
  const { home } = context;
  switch (plan['ceremony-type']) {
    case 'init-token':
      readTokenRecord(home, path);
      for (const pin of [plan.outputs.so_pin, plan.outputs.user_pin]) {
        if (!home.has(pin)) throw conflict(`${pin} is missing`);
      }
      return;
    case 'generate-key': {
      if (plan.in === 'file') {
        readSubjectKey(home, { file: path });
        return;
      }
      const { key_spec, algorithm, purpose } = readKeyManifest(home, path);
      if (key_spec !== plan.spec || algorithm !== plan.algorithm || purpose !== plan.purpose) {
        throw conflict(`${path} is of another kind of key`);
      }
      return;
    }
    case 'issue-root':
    case 'issue-certificate':
      checkCertificate(plan, path, context);
      return;
    case 'issue-crl': {
      verifyCrl(parseCrl(home.read(path)), readCertificate(home, plan.issuer.certificate));
      return;
    }
  }
}

function checkCertificate(plan: IssueRootPlan | IssueCertificatePlan, path: string, context: CeremonyContext): void {
  const { home, baseUrl } = context;
  const certificate = readCertificate(home, path);
  const isRoot = plan['ceremony-type'] === 'issue-root';
  const key = readSubjectKey(home, isRoot ? plan.key : plan.subject_key);
  if (!equalBytes(key.spki, certificate.spki)) throw conflict(`${path} is for another key`);
  const issuer = isRoot ? undefined : readCertificate(home, plan.issuer.certificate);
  const problems = listProfileProblems(certificate, plan.profile, issuer);
  if (problems.length > 0) throw conflict(`${path} is wrong (${problems.join('; ')})`);
  if (!isRoot && plan.crl_url && certificate.crlUrls[0] !== resolveUrl(plan.crl_url, baseUrl)) {
    throw new SigillumError(
      'ceremony_home_conflict',
      `The certificates of this home name ${certificate.crlUrls[0] ?? 'no URL'}, not ${baseUrl ?? 'the one given'}: ` +
        'start it with the port that it was made with, or begin anew.',
    );
  }
}

function conflict(what: string, cause?: unknown): SigillumError {
  return new SigillumError('ceremony_home_conflict', `In this home ${what}: put it back, or begin anew.`, { cause });
}
