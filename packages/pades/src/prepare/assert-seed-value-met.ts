import type { DigestName } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import type { SealOptions } from './seal-options.ts';
import type { SealSigner } from './prepare-input.ts';
import type { SeedValue } from './seed-value.ts';
import { findCertificateMismatch } from './find-certificate-mismatch.ts';

/** What a seal will be, for a field to compare with what it wants. */
export type SealFacts = {
  readonly options: SealOptions;
  readonly digest: DigestName;
  readonly signer: SealSigner | undefined;
  /** Whether a time-stamp and revocation data will be in the file. */
  readonly timeStamp: boolean;
  readonly revocation: boolean;
  /** `/P` of the field's own lock. */
  readonly lockLevel: number | undefined;
};

/** The capability of ISO 32000-2: what table 235 calls 3. */
const knownVersion = 3;

/** Refuses the first requirement of a seed value that the seal doesn't meet: `seed_value_unsatisfiable`. Nothing is fetched. */
export function assertSeedValueMet(seed: SeedValue, facts: SealFacts): void {
  const problem = findProblem(seed, facts);
  if (problem === undefined) return;
  throw new SigillumError('seed_value_unsatisfiable', `The signature field ${problem}.`, {
    fields: [{ pointer: '/field', detail: problem }],
  });
}

function findProblem(seed: SeedValue, facts: SealFacts): string | undefined {
  const { options } = facts;
  if (seed.unknownFlags) return 'requires something that ISO 32000-2 does not define';
  if (seed.version !== undefined && seed.version > knownVersion) {
    return 'requires a later edition of the PDF standard than ISO 32000-2';
  }
  if (seed.filter !== undefined && seed.filter !== 'Adobe.PPKLite') return 'requires another signature handler';
  if (seed.subFilters !== undefined && !seed.subFilters.includes('ETSI.CAdES.detached')) {
    return 'requires another signature format than PAdES (ETSI.CAdES.detached)';
  }
  if (seed.digests !== undefined && !seed.digests.some((name) => isDigest(name, facts.digest))) {
    return `does not allow ${facts.digest}, the digest algorithm of the credential`;
  }
  return (
    findReasonProblem(seed, options.reason) ??
    findCertificationProblem(seed, facts) ??
    findContentProblem(seed, facts) ??
    (seed.certificate && findCertificateMismatch(seed.certificate, facts.signer))
  );
}

function findReasonProblem({ reasons }: SeedValue, reason: string | undefined): string | undefined {
  if (reasons === undefined) return undefined;
  if (reasons.length === 0) return reason === undefined ? undefined : 'allows no reason';
  if (reason === undefined) return 'requires one of the reasons that it lists';
  return reasons.includes(reason) ? undefined : 'allows only the reasons that it lists';
}

function findCertificationProblem(
  { certification, lockDocument }: SeedValue,
  { options: { certify }, lockLevel }: SealFacts,
): string | undefined {
  if (certification === 0 && certify !== undefined) return 'does not allow a certification';
  if (certification !== undefined && certification !== 0 && certification !== certify) {
    // never done unasked: who certifies says more than who signs
    return [1, 2, 3].includes(certification)
      ? `requires a certification with certify ${certification}`
      : 'requires a certification of a kind that does not exist';
  }
  const locks = certify === 1 || lockLevel === 1;
  if (lockDocument === 'true' && !locks) return 'requires that the document is locked, with certify 1';
  if (lockDocument === 'false' && locks) return 'does not allow that the document is locked';
  if (lockDocument !== undefined && !['true', 'false', 'auto'].includes(lockDocument)) {
    return 'requires a lock of a kind that does not exist';
  }
  return undefined;
}

function findContentProblem(seed: SeedValue, { timeStamp, revocation }: SealFacts): string | undefined {
  if (seed.legalAttestation) return 'requires a legal attestation';
  if (seed.appearance) return 'requires an appearance by the name of one';
  if (seed.timeStamp && !timeStamp) return 'requires a time-stamp: seal at level b-t or above';
  if (seed.revocation && !revocation) return 'requires revocation information: seal at level b-lt or above';
  return undefined;
}

/** `SHA256` in the standard; hyphens and lower case are seen. */
function isDigest(name: string, digest: DigestName): boolean {
  return name.replaceAll('-', '').toLowerCase() === digest;
}
