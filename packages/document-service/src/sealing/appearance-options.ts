import { createHash } from 'node:crypto';
import { type AppearanceRequest, appearanceJsonSchema, parseAppearance } from '@sigillum/appearances';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { z } from 'zod';

/** `appearance`: the JSON of it as a text in a query, as an object in JSON. */
export const appearanceOption = z
  .union([z.string().max(64 * 1024), z.record(z.string(), z.unknown())], { error: 'Must be a JSON object.' })
  .optional()
  .meta({
    description: 'Makes the seal visible. In the query: the JSON as text; with a logo, use multipart or JSON instead.',
    example: '{"page":1,"rectangle":[360,40,560,110]}',
    override: { type: 'string', contentMediaType: 'application/json', contentSchema: appearanceJsonSchema as object },
  });

/** {@link appearanceOption} as JSON bodies have it, for the documentation. */
export const appearanceBodyOption = appearanceOption.meta({
  example: undefined,
  override: appearanceJsonSchema as object,
});

/**
 * Reads the option.
 * @param pointer where it stands
 * @throws SigillumError `appearance_invalid` with pointers below that one
 */
export function readAppearance(
  given: z.output<typeof appearanceOption>,
  pointer: string,
): AppearanceRequest | undefined {
  if (given === undefined) return undefined;
  try {
    return parseAppearance(typeof given === 'string' ? parseJson(given) : given);
  } catch (error) {
    if (!isSigillumError(error)) throw error;
    throw pointInto(error, pointer);
  }
}

/** The same error with its pointers below where the appearance stands. */
export function pointInto(error: SigillumError, pointer: string): SigillumError {
  return new SigillumError(error.code, error.message, {
    cause: error.cause,
    fields: error.fields.map((field) => ({ ...field, pointer: pointer + field.pointer })),
  });
}

/** The request as a fingerprint takes it: defaults spelled out, an image by its hash. */
export function normaliseAppearance(request: AppearanceRequest | undefined): unknown {
  return request === undefined ? undefined : normalise(request);
}

function normalise(value: unknown): unknown {
  if (value instanceof Uint8Array) return createHash('sha256').update(value).digest('hex');
  if (Array.isArray(value)) return value.map(normalise);
  if (typeof value !== 'object' || value === null) return value;
  const given = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(given.map(([key, item]) => [key, normalise(item)]));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SigillumError('appearance_invalid', 'The appearance of the seal is not JSON.', {
      fields: [{ pointer: '', detail: 'Must be a JSON object.' }],
    });
  }
}
