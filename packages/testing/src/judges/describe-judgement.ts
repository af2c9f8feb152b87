import type { Judgement, Opinion } from './judgement.ts';

/** `split    sealed.pdf  dss: accept (PAdES-BASELINE-T)  pyhanko: refuse (…)`: one line, whatever the reasons hold. */
export function describeJudgement({ verdict, file, opinions }: Judgement): string {
  const words = opinions.map((opinion) => {
    const note = describe(opinion);
    return `${opinion.judge}: ${opinion.word}${note === '' ? '' : ` (${note})`}`;
  });
  return [verdict.padEnd(8), file, ...words].join('  ').replace(/\p{Cc}+/gu, ' ');
}

function describe({ word, reasons, signatures, flavours }: Opinion): string {
  if (word !== 'accept') return reasons.join('; ');
  const levels = signatures?.flatMap(({ level }) => level ?? []) ?? [];
  const kept = flavours?.map(({ flavour }) => `PDF/A-${flavour}`) ?? [];
  return [...levels, ...kept].join(', ');
}
