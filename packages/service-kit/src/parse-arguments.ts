import { SigillumError } from '@sigillum/errors';

/** What stands on a service's command line. */
export type Arguments = {
  /** The value of `--config`; `loadConfig` says so when it is needed and missing. */
  readonly configPath: string | undefined;
  /** `--check-config`: validate and exit 0 or 78. */
  readonly checkConfig: boolean;
  /** `--lifeline`: the end of stdin means that the parent is gone, or wants us to stop. */
  readonly lifeline: boolean;
  /** The first word that is no option. */
  readonly command: string | undefined;
  /** Everything else in its order, for the app to parse; an app without options of its own calls {@link assertNoRest}. */
  readonly rest: readonly string[];
};

/**
 * Parses the arguments every service understands (`process.argv.slice(2)`).
 * @throws SigillumError `config_invalid` when `--config` has no value or comes twice.
 */
export function parseArguments(argv: readonly string[]): Arguments {
  let configPath: string | undefined;
  let checkConfig = false;
  let lifeline = false;
  let command: string | undefined;
  const rest: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    if (argument === '--check-config') checkConfig = true;
    else if (argument === '--lifeline') lifeline = true;
    else if (argument === '--config' || argument.startsWith('--config=')) {
      const value = argument === '--config' ? argv[(index += 1)] : argument.slice('--config='.length);
      if (value === undefined || value === '' || value.startsWith('--')) {
        throw new SigillumError('config_invalid', 'The option --config needs the path of a file.');
      }
      if (configPath !== undefined) throw new SigillumError('config_invalid', 'The option --config came twice.');
      configPath = value;
    } else if (command === undefined && rest.length === 0 && !argument.startsWith('-')) command = argument;
    else rest.push(argument);
  }
  return { configPath, checkConfig, lifeline, command, rest };
}

/** Stops on words that nobody understood. @throws SigillumError `config_invalid`. */
export function assertNoRest(args: Arguments): void {
  const stray = [...(args.command === undefined ? [] : [args.command]), ...args.rest];
  if (stray.length > 0) {
    throw new SigillumError('config_invalid', `Not understood on the command line: ${stray.join(' ')}`);
  }
}
