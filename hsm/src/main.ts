import { readFileSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import type { CeremonyContext } from './ceremonies/ceremony.ts';
import { runCeremony } from './ceremonies/run-ceremony.ts';
import { createContext, createDevelopmentPinSource } from './development/development-context.ts';
import { readDevelopmentPlans } from './development/development-plans.ts';
import { makeDevelopmentPki } from './development/make-development-pki.ts';
import type { Progress } from './development/progress.ts';
import { renewCrls } from './development/renew-crls.ts';
import { renewLeaves } from './development/renew-leaves.ts';
import { reportFailure } from './development/report-step.ts';
import { listTokenRecords } from './development/token-record.ts';
import { Home } from './home/home.ts';
import { protectTokens } from './home/protect-tokens.ts';
import { readPinFromDescriptor } from './home/read-pin.ts';
import { findSofthsmModule, softhsmConfiguration, writeSofthsmConfiguration } from './home/softhsm.ts';
import type { ModuleChoice } from './keys/token-access.ts';
import { readVendorProfile } from './keys/vendor-profile.ts';
import { describePlan } from './plan/list-outputs.ts';
import { parsePlan } from './plan/parse-plan.ts';
import { verifyTranscript } from './transcript/verify-transcript.ts';

const usage = `Usage:
  run FILE.yaml --home DIR [--pin-fd N] [--base-url URL] [--confirm SHA256]
      [--module PATH] [--library-parameters TEXT] [--profile VENDOR.yaml]
  development-pki --home DIR --base-url URL [--module PATH]
  renew-leaves --home DIR [--module PATH]
  renew-crls --home DIR [--module PATH]
  repair-tokens --home DIR
  verify-transcript FILE.jsonl`;

/** EX_USAGE of sysexits.h. */
const exitUsage = 64;

type Options = {
  readonly words: readonly string[];
  readonly home: string | undefined;
  readonly baseUrl: string | undefined;
  readonly pinDescriptor: number | undefined;
  readonly confirm: string | undefined;
  readonly module: string | undefined;
  readonly libraryParameters: string | undefined;
  readonly profile: string | undefined;
};

async function main(argv: readonly string[]): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new SigillumError('ceremony_arguments_invalid', `Node 24 is needed; this is ${process.versions.node}.`);
  }
  // What a module writes is for its owner alone; files that are public get their mode when they are published.
  process.umask(0o077);
  const options = readOptions(argv);
  const [command, ...words] = options.words;
  switch (command) {
    case 'run':
      return runOne(getOnly(words), options);
    case 'development-pki':
      if (options.baseUrl === undefined) throw misuse('--base-url is needed');
      return develop(words, options, makeDevelopmentPki);
    case 'renew-leaves':
      return develop(words, options, async (plans, context, report) => {
        await renewLeaves(plans, context, report);
        await renewCrls(plans, context, report);
      });
    case 'renew-crls':
      return develop(words, options, renewCrls);
    case 'repair-tokens':
      // What every development command begins with is all of it.
      return develop(words, options, async () => undefined);
    case 'verify-transcript': {
      const { report, outcome } = verifyTranscript(getOnly(words));
      const isWhole = report.intact && outcome !== undefined;
      print({ step: 'verify-transcript', state: isWhole ? 'done' : 'failed', outcome: outcome ?? 'missing' });
      for (const { line, detail } of report.problems) process.stderr.write(`line ${line}: ${detail}\n`);
      if (!isWhole) process.exitCode = 1;
      return;
    }
    default:
      throw misuse(command === undefined ? 'a command is needed' : `there is no command ${command}`);
  }
}

async function runOne(file: string, options: Options): Promise<void> {
  const { pinDescriptor } = options;
  const home = openHome(options);
  const parsed = parsePlan(readPlan(file), file);
  const context = createContext(
    home,
    findModule(options),
    () => {
      if (pinDescriptor === undefined) throw misuse('the ceremony needs a PIN: --pin-fd N');
      return readPinFromDescriptor(pinDescriptor);
    },
    options.baseUrl,
  );
  const step = describePlan(parsed.plan);
  print({ step, state: 'running', plan_sha256: parsed.sha256 });
  try {
    const { transcript } = await runCeremony(parsed, context, options.confirm);
    print({ step, state: 'done', transcript });
  } catch (error) {
    reportFailure(step, print, error);
    throw error;
  } finally {
    context.tokens.close();
  }
}

function readPlan(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SigillumError('ceremony_plan_invalid', `The ceremony file ${file} can't be read.`, { cause });
  }
}

async function develop(words: readonly string[], options: Options, work: typeof makeDevelopmentPki): Promise<void> {
  const { pinDescriptor, confirm, libraryParameters, profile } = options;
  if ([words[0], pinDescriptor, confirm, libraryParameters, profile].some((option) => option !== undefined)) {
    throw misuse('only --home, --base-url and --module go with this command');
  }
  const plans = readDevelopmentPlans();
  const home = openHome(options);
  for (const label of protectTokens(home, listTokenRecords(home, plans))) {
    print({ step: `repair token ${label}`, state: 'done' });
  }
  const context: CeremonyContext = createContext(
    home,
    findModule(options),
    createDevelopmentPinSource(home, plans),
    options.baseUrl,
  );
  try {
    await work(plans, context, print);
  } finally {
    context.tokens.close();
  }
}

function openHome(options: Options): Home {
  if (options.home === undefined) throw misuse('--home is needed');
  const home = new Home(options.home);
  home.makeDirectory('secrets');
  writeSofthsmConfiguration(home);
  // SoftHSM reads it when it is loaded; a path, not a secret.
  process.env['SOFTHSM2_CONF'] = home.resolve(softhsmConfiguration);
  return home;
}

function findModule({ module, libraryParameters, profile }: Options): ModuleChoice {
  return {
    path: module ?? findSofthsmModule(),
    libraryParameters,
    profile: profile === undefined ? undefined : readVendorProfile(profile),
  };
}

function readOptions(argv: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      strict: true,
      options: {
        home: { type: 'string' },
        'base-url': { type: 'string' },
        'pin-fd': { type: 'string' },
        confirm: { type: 'string' },
        module: { type: 'string' },
        'library-parameters': { type: 'string' },
        profile: { type: 'string' },
      },
    });
    const descriptor = values['pin-fd'];
    if (descriptor !== undefined && !/^\d{1,4}$/.test(descriptor)) throw misuse('--pin-fd needs a number');
    return {
      words: positionals,
      home: values.home,
      baseUrl: readBaseUrl(values['base-url']),
      pinDescriptor: descriptor === undefined ? undefined : Number(descriptor),
      confirm: values.confirm,
      module: values.module,
      libraryParameters: values['library-parameters'],
      profile: values.profile,
    };
  } catch (cause) {
    if (isSigillumError(cause)) throw cause;
    throw misuse(Error.isError(cause) ? cause.message : 'it is not understood');
  }
}

/** `http://host:port` and nothing behind it: paths are put behind it. */
function readBaseUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' || `${url.origin}/` !== url.href)
    throw misuse('--base-url is like http://127.0.0.1:8480');
  return url.origin;
}

function getOnly(words: readonly string[]): string {
  const [word, ...others] = words;
  if (word === undefined || others.length > 0) throw misuse('one file is needed');
  return word;
}

function misuse(why: string): SigillumError {
  return new SigillumError('ceremony_arguments_invalid', `The command line is wrong: ${why}.\n${usage}`);
}

/** Synchronous, so that a progress line is out before a native call takes its time. */
function print(progress: Progress): void {
  writeSync(process.stdout.fd, `${JSON.stringify(progress)}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (isSigillumError(error)) {
    process.stderr.write(`${error.code}: ${error.message}\n`);
    process.exitCode = error.code === 'ceremony_arguments_invalid' ? exitUsage : 1;
  } else {
    throw error;
  }
}
