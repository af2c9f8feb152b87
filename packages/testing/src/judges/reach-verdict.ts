import type { JudgeName, Opinion, Verdict } from './judgement.ts';

/** The judges that read everything: without one of them nothing is accepted. The others can only object. */
const strongJudges: readonly JudgeName[] = ['dss', 'pyhanko'];

/** Those whose word is about signatures at all; qpdf and veraPDF look at a file's structure. */
const signatureJudges: readonly JudgeName[] = [...strongJudges, 'openssl-cms', 'openssl-ts', 'pdfsig'];

/**
 * One verdict from many words. `accept`: nobody objects, and at least one strong judge accepts. `refuse`: a strong
 * judge refuses and none accepts (the weak ones call many forgeries valid). `unsigned`: nobody finds a signature.
 * Everything else is `split`.
 */
export function reachVerdict(opinions: readonly Opinion[]): Verdict {
  const voting = opinions.filter(({ word }) => word !== 'abstain' && word !== 'missing');
  const strong = voting.filter(({ judge }) => strongJudges.includes(judge));
  const aboutSignatures = voting.filter(({ judge }) => signatureJudges.includes(judge));
  if (aboutSignatures.length > 0 && aboutSignatures.every(({ word }) => word === 'unsigned')) return 'unsigned';
  const strongAccepts = strong.filter(({ word }) => word === 'accept').length;
  if (strongAccepts > 0) return voting.every(({ word }) => word === 'accept') ? 'accept' : 'split';
  const deciding = strong.length > 0 ? strong : voting;
  return deciding.some(({ word }) => word === 'refuse') ? 'refuse' : 'split';
}
