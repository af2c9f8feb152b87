import { resolve } from 'node:path';
import { z } from 'zod';

/** A path as it stands in a configuration file, between validation and resolution. */
class UnresolvedPath {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * A path in a configuration file, relative to the folder of that file, in any depth of the schema. `loadConfig` turns
 * it into an absolute path after validation; a refinement of an enclosing object must not look into it.
 */
export function configPath(): z.ZodType<string, string> {
  const schema = z
    .string()
    .min(1)
    .refine((text) => !text.includes('\0'), 'A path holds no NUL')
    .transform((text) => new UnresolvedPath(text));
  // The value is a string for everybody who reads a loaded configuration: resolveConfigPaths is what loadConfig ends with.
  return schema as unknown as z.ZodType<string, string>;
}

/** Replaces, in a copy, every value of {@link configPath} by its absolute path, and freezes all of it. */
export function resolveConfigPaths(value: unknown, directory: string): unknown {
  if (value instanceof UnresolvedPath) return resolve(directory, value.text);
  if (Array.isArray(value)) return Object.freeze(value.map((item: unknown) => resolveConfigPaths(item, directory)));
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value).map(([key, item]) => [key, resolveConfigPaths(item, directory)] as const);
    return Object.freeze(Object.fromEntries(entries));
  }
  return value;
}
