import { codeRegistry, type ErrorCode, problemMediaType } from '@sigillum/errors';
import { z } from 'zod';
import { createDocument } from 'zod-openapi';
import type { Route, RouteContent } from './route.ts';
import { scopes } from './scope.ts';

/** The OpenAPI 3.1 document as it is served. */
export type OpenApiDocument = ReturnType<typeof createDocument>;

type Paths = NonNullable<Parameters<typeof createDocument>[0]['paths']>;
type Operation = NonNullable<NonNullable<Paths[string]>['get']>;
type Responses = NonNullable<Operation['responses']>;

/** What every route may answer, whatever it does. */
const everywhere: readonly ErrorCode[] = [
  'request_invalid',
  'request_not_acceptable',
  // Before any route: an appearance in the query gets there.
  'request_head_too_large',
  'internal_error',
];
const whenAuthenticated: readonly ErrorCode[] = [
  'request_rate_limited',
  'request_unauthenticated',
  'request_forbidden',
  'database_unavailable',
];

const problemSchema = z
  .object({
    type: z
      .string()
      .meta({ description: '`/problems/<code>`: a page that says more.', example: '/problems/request_invalid' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'A sentence that a person can act on.' }),
    code: z.string().meta({ description: 'Stable; programs decide by it.', example: 'request_invalid' }),
    request_id: z.string(),
    errors: z
      .array(z.object({ pointer: z.string().meta({ description: 'JSON Pointer (RFC 6901).' }), detail: z.string() }))
      .optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

/** Generates the document from the route table: what isn't in the table isn't served, and the other way round. */
export function buildOpenApi(routes: readonly Route[], publicUrl: string): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = toOperation(route);
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Sigillum',
      version: '1',
      summary: 'Electronic seals for PDF documents',
      description:
        'A PDF goes in, a sealed and time-stamped PDF (PAdES baseline B-T, B-LT or B-LTA) comes out. Errors are RFC 9457 problems with a stable `code`. A key that begins with `sk_test_` works on test credentials, whose seals have no legal standing.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: publicUrl }],
    tags: [
      { name: 'Seals', description: 'Sealing documents, and the journal of seals.' },
      { name: 'Extensions', description: 'Sealed documents to a higher level, and renewed.' },
      { name: 'Credentials', description: 'The certificates that can seal.' },
      { name: 'Service', description: 'The service itself.' },
    ],
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: `An API key, \`sk_test_…\` or \`sk_live_…\`. Scopes: ${scopes.map((scope) => `\`${scope}\``).join(', ')}.`,
        },
      },
    },
  });
}

function toOperation(route: Route): Operation {
  const path = z.object(
    Object.fromEntries(Object.entries(route.params ?? {}).map(([name, meta]) => [name, z.string().meta(meta)])),
  );
  return {
    operationId: route.operationId,
    summary: route.summary,
    description: route.scope === undefined ? route.description : `${route.description}\n\n${sayScope(route)}`,
    tags: [route.tag],
    ...(route.scope === undefined ? { security: [] } : {}),
    requestParams: {
      query: route.query,
      ...(route.params === undefined ? {} : { path }),
      ...(route.idempotent === true ? { header: idempotencyHeader } : {}),
    },
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            description: route.body.description,
            content: toContent(route.body.contents),
          },
        }),
    responses: { ...toAnswer(route), ...toProblems(route) },
  };
}

function sayScope({ scope, orScope }: Route): string {
  return `Scope: \`${scope}\`${orScope === undefined ? '' : ` or \`${orScope}\``}.`;
}

function toContent(contents: readonly RouteContent[]): NonNullable<NonNullable<Operation['requestBody']>['content']> {
  return Object.fromEntries(
    contents.map(({ mediaType, schema, example }) => [
      mediaType,
      {
        schema: schema ?? { type: 'string' as const, format: 'binary' },
        ...(example === undefined ? {} : { example }),
      },
    ]),
  );
}

const idempotencyHeader = z.object({
  'Idempotency-Key': z.string().min(1).max(255).optional().meta({
    description:
      'Makes it safe to try again: the first outcome is answered again for 24 hours to the same document and options. Use a new value, a UUID for instance, for each request.',
  }),
});

function toAnswer({ answer }: Route): Responses {
  const headers = { 'Sigillum-Request-Id': 'Our id of the request; also in the logs.', ...answer.headers };
  return {
    [String(answer.status)]: {
      description: answer.description,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
      ),
      content: toContent(answer.contents),
    },
  } as Responses;
}

/** One answer per status, naming the codes that can come with it. */
function toProblems(route: Route): Responses {
  const byStatus = new Map<number, ErrorCode[]>();
  const codes = [...everywhere, ...(route.scope === undefined ? [] : whenAuthenticated), ...route.problems];
  for (const code of new Set(codes)) {
    const { status } = codeRegistry[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const sorted = [...byStatus].sort(([left], [right]) => left - right);
  return Object.fromEntries(
    sorted.map(([status, of]) => [
      String(status),
      {
        description: of.map((code) => `\`${code}\`: ${codeRegistry[code].title}`).join('. '),
        content: { [problemMediaType]: { schema: problemSchema } },
      },
    ]),
  ) as Responses;
}
