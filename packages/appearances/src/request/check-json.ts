import type { FieldProblem } from '@sigillum/errors';

/** The part of JSON Schema that {@link checkJson} knows; a schema is data of this package, never a caller's. */
export type JsonSchema = {
  readonly type: 'object' | 'array' | 'string' | 'number' | 'integer';
  readonly description?: string;
  readonly default?: unknown;
  readonly contentEncoding?: 'base64';
  readonly additionalProperties?: false;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
};

/** Everything in which a JSON value differs from a schema, with JSON Pointers (RFC 6901). */
export function checkJson(value: unknown, schema: JsonSchema, pointer = ''): FieldProblem[] {
  const wrong = (detail: string): FieldProblem[] => [{ pointer, detail }];
  switch (schema.type) {
    case 'object':
      return isRecord(value) ? checkObject(value, schema, pointer) : wrong('must be an object');
    case 'array': {
      if (!Array.isArray(value)) return wrong('must be an array');
      const { items, minItems = 0, maxItems = 0 } = schema;
      if (value.length < minItems || value.length > maxItems) return wrong(`must have ${minItems} items`);
      return items ? value.flatMap((item, index) => checkJson(item, items, `${pointer}/${index}`)) : [];
    }
    case 'string':
      return typeof value === 'string' ? checkString(value, schema).flatMap(wrong) : wrong('must be a string');
    default:
      return checkNumber(value, schema).flatMap(wrong);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkObject(value: Record<string, unknown>, schema: JsonSchema, pointer: string): FieldProblem[] {
  const properties = new Map(Object.entries(schema.properties ?? {}));
  const missing = (schema.required ?? []).filter((key) => !Object.hasOwn(value, key));
  return [
    ...missing.map((key) => ({ pointer: `${pointer}/${key}`, detail: 'is required' })),
    ...Object.entries(value).flatMap(([key, item]) => {
      const property = properties.get(key);
      const inside = `${pointer}/${key.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`;
      return property ? checkJson(item, property, inside) : [{ pointer: inside, detail: 'is not known' }];
    }),
  ];
}

function checkString(value: string, schema: JsonSchema): string[] {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  if (value.length < minLength) return ['must not be empty'];
  if (value.length > maxLength) return [`must not be longer than ${maxLength} characters`];
  if (schema.enum && !schema.enum.includes(value)) return [`must be one of ${schema.enum.join(', ')}`];
  if (!value.isWellFormed()) return ['must be Unicode text without lone surrogates'];
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) return ['does not have the right form'];
  return [];
}

function checkNumber(value: unknown, schema: JsonSchema): string[] {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
  if (typeof value !== 'number' || !Number.isFinite(value)) return ['must be a number'];
  if (schema.type === 'integer' && !Number.isSafeInteger(value)) return ['must be a whole number'];
  return value < minimum || value > maximum ? [`must be from ${minimum} to ${maximum}`] : [];
}
