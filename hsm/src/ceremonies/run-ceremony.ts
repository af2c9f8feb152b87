import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import type { ParsedPlan } from '../plan/parse-plan.ts';
import { describePlan, listOutputs } from '../plan/list-outputs.ts';
import type { Plan } from '../plan/plan.ts';
import { Transcript } from '../transcript/transcript.ts';
import type { Ceremony, CeremonyContext, NoteCheck } from './ceremony.ts';
import { createGenerateKeyInFileCeremony } from './generate-key-in-file.ts';
import { createGenerateKeyInTokenCeremony } from './generate-key-in-token.ts';
import { createInitTokenCeremony } from './init-token.ts';
import { createIssueCertificateCeremony } from './issue-certificate.ts';
import { createIssueCrlCeremony } from './issue-crl.ts';

/** What a ceremony leaves. */
export type CeremonyResult = { readonly transcript: string; readonly outputs: readonly string[] };

const transcriptFolder = 'transcripts';

/**
 * Runs one ceremony: validate (done by who parsed it) → preflight → confirm → act → read back → verify → publish →
 * transcript. `confirmedSha256` is the hash of the plan that was confirmed, if somebody had to. A failed ceremony
 * leaves a transcript that says where it stopped, and throws what stopped it.
 */
export async function runCeremony(
  parsed: ParsedPlan,
  context: CeremonyContext,
  confirmedSha256?: string,
): Promise<CeremonyResult> {
  const { plan } = parsed;
  const name = describePlan(plan);
  const transcript = Transcript.create(context.home.resolve(transcriptFolder), name, context.now);
  let phase = 'preflight';
  const enter = (next: string) => {
    phase = next;
    transcript.add('ceremony.phase', { phase });
  };
  try {
    transcript.add('ceremony.started', {
      name,
      plan_sha256: parsed.sha256,
      plan: parsed.text,
      base_url: context.baseUrl ?? null,
      version: readVersion(),
    });
    await runPhases(selectCeremony(plan), { parsed, context, transcript, enter, confirmedSha256 });
    transcript.add('ceremony.completed', { name });
    return { transcript: transcript.path, outputs: listOutputs(plan) };
  } catch (error) {
    const known = isSigillumError(error);
    transcript.add('ceremony.failed', {
      phase,
      code: known ? error.code : 'internal_error',
      // Our own sentences hold no secret; what others throw is not written down.
      message: known ? error.message : 'The ceremony stopped at an error of the program.',
    });
    throw error;
  } finally {
    transcript.close();
  }
}

type Run = {
  readonly parsed: ParsedPlan;
  readonly context: CeremonyContext;
  readonly transcript: Transcript;
  readonly enter: (phase: string) => void;
  readonly confirmedSha256: string | undefined;
};

async function runPhases<Ready, Made>(
  ceremony: Ceremony<Ready, Made>,
  { parsed, context, transcript, enter, confirmedSha256 }: Run,
): Promise<void> {
  const { plan } = parsed;
  const { home } = context;
  const note: NoteCheck = (check, value) => transcript.addCheck(check, value);
  const replaces = 'renewal' in plan && plan.renewal === true;

  enter('preflight');
  checkClock(context, transcript, note);
  for (const path of listOutputs(plan)) home.assertPublishable(path, replaces);
  note(replaces ? 'outputs exist and may be replaced' : 'outputs are absent and their folders writable', [
    ...listOutputs(plan),
  ]);
  if (usesToken(plan)) {
    note('PKCS#11 module', { path: context.tokens.modulePath, sha256: context.tokens.moduleSha256 });
    note('module states', { ...context.tokens.module.readInfo() });
    noteProfile(context, note);
  }
  const ready = await ceremony.preflight(context, note);

  enter('confirm');
  if (confirmedSha256 !== undefined && confirmedSha256 !== parsed.sha256) {
    throw new SigillumError('ceremony_not_confirmed', `The plan's SHA-256 is ${parsed.sha256}, another was confirmed.`);
  }
  note('confirmation', confirmedSha256 ?? 'none: a development ceremony');
  // What is known so far is durable before anything changes.
  transcript.sync();

  enter('act');
  const made = await ceremony.act(ready, context, note);
  enter('read-back');
  await ceremony.readBack(made, context, note);
  enter('verify');
  await ceremony.verify(made, context, note);
  enter('publish');
  for (const output of ceremony.listFiles(made)) {
    home.publish(output);
    const sha256 = createHash('sha256').update(output.bytes).digest('hex');
    transcript.add('ceremony.output', { path: output.path, ...(output.isSecret ? {} : { sha256 }) });
  }
}

/** What is not required of keys stands in the transcript before any is made. */
function noteProfile({ tokens: { profile } }: CeremonyContext, note: NoteCheck): void {
  if (profile === undefined) return;
  const { name, tried, departures } = profile;
  note('vendor profile: attributes that keys lack or read back otherwise', {
    name,
    tried,
    unknown: [...departures.unknown],
    reads_back: { ...departures.readsBack },
  });
}

function selectCeremony(plan: Plan): Ceremony<unknown, unknown> {
  // Every phase only gets what the phase before gave, so the types in between don't matter here.
  const erase = <Ready, Made>(ceremony: Ceremony<Ready, Made>) => ceremony as Ceremony<unknown, unknown>;
  switch (plan['ceremony-type']) {
    case 'init-token':
      return erase(createInitTokenCeremony(plan));
    case 'generate-key':
      return plan.in === 'token'
        ? erase(createGenerateKeyInTokenCeremony(plan))
        : erase(createGenerateKeyInFileCeremony(plan));
    case 'issue-root':
    case 'issue-certificate':
      return erase(createIssueCertificateCeremony(plan));
    case 'issue-crl':
      return erase(createIssueCrlCeremony(plan));
  }
}

function usesToken(plan: Plan): boolean {
  if (plan['ceremony-type'] === 'init-token') return true;
  if (plan['ceremony-type'] === 'generate-key') return plan.in === 'token';
  return 'manifest' in ('key' in plan ? plan.key : plan.issuer.key);
}

/** A clock that runs behind would date certificates before their issuers, and CRLs before those they replace. */
function checkClock({ home, now }: CeremonyContext, transcript: Transcript, note: NoteCheck): void {
  const time = now().toISOString();
  const stamp = (name: string) => /^\d{8}T\d{9}Z(?=-)/.exec(name)?.[0] ?? '';
  const folder = home.resolve(transcriptFolder);
  const later = readdirSync(folder).find((name) => stamp(name) > stamp(transcript.chain));
  if (later !== undefined) {
    throw new SigillumError(
      'ceremony_check_failed',
      `The clock says ${time}, but there is a transcript of a later time (${later}): set the clock.`,
    );
  }
  note('clock is not behind the last ceremony', time);
}

function readVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
