import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { resolveConfigPaths } from './config-path.ts';

/** Configurations are written by people; more is a wrong path, not a configuration. */
const maxConfigBytes = 1024 * 1024;

/** Aliases expand; a hundred are more than anybody writes, and a bomb needs more. */
const maxYamlAliases = 100;

/**
 * Reads a YAML file, validates it with a strict zod schema and returns it deeply frozen, paths made absolute.
 * @throws SigillumError `config_invalid` whose message and `fields` list all problems at once.
 */
export function loadConfig<Schema extends z.ZodType>(path: string | undefined, schema: Schema): z.output<Schema> {
  if (path === undefined) {
    throw new SigillumError('config_invalid', 'Say which configuration to use: --config FILE');
  }
  const absolute = resolve(path);
  return parseConfig(readText(absolute), { name: absolute, directory: dirname(absolute) }, schema);
}

/** {@link loadConfig} for a text that is already there. `directory` is what relative paths resolve against. */
export function parseConfig<Schema extends z.ZodType>(
  text: string,
  origin: { readonly name: string; readonly directory: string },
  schema: Schema,
): z.output<Schema> {
  const document = parseDocument(text, { prettyErrors: true });
  const yamlProblems = [...document.errors, ...document.warnings];
  if (yamlProblems.length > 0) {
    throw invalid(
      origin.name,
      yamlProblems.map((problem) => ({ pointer: '', detail: problem.message.trimEnd() })),
    );
  }
  const result = schema.safeParse(document.toJS({ maxAliasCount: maxYamlAliases }));
  if (!result.success) {
    throw invalid(
      origin.name,
      result.error.issues.map((issue) => ({ pointer: toPointer(issue.path), detail: issue.message })),
    );
  }
  return resolveConfigPaths(result.data, origin.directory) as z.output<Schema>;
}

function readText(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > maxConfigBytes) {
      throw new SigillumError(
        'config_invalid',
        `${path} has ${bytes.length} bytes; a configuration has at most 1 MiB.`,
      );
    }
    return bytes.toString('utf8');
  } catch (cause) {
    if (cause instanceof SigillumError) throw cause;
    throw new SigillumError('config_invalid', `The configuration ${path} can't be read.`, { cause });
  }
}

/** RFC 6901 §3. */
function toPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function invalid(name: string, fields: readonly { pointer: string; detail: string }[]): SigillumError {
  const lines = fields.map(({ pointer, detail }) => `  ${pointer === '' ? '(file)' : pointer}: ${detail}`);
  return new SigillumError('config_invalid', [`${name} is not a valid configuration:`, ...lines].join('\n'), {
    fields,
  });
}
