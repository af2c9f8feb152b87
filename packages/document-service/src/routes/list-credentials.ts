import { listCredentials } from '@sigillum/store';
import { z } from 'zod';
import { pageSchema, parseCursor, toPage } from '../http/cursor.ts';
import { defineRoute } from '../http/route.ts';
import { sendJson } from '../http/send-json.ts';
import { tenantOf } from '../sealing/admit.ts';
import { credentialSchema, toCredentialResource } from './credential-resource.ts';

/** `GET /v1/credentials`. */
export const listCredentialsRoute = defineRoute({
  method: 'get',
  path: '/v1/credentials',
  operationId: 'listCredentials',
  summary: 'List credentials',
  description: 'The credentials of the organisation in the mode of the key, oldest first.',
  tag: 'Credentials',
  scope: 'credentials:read',
  query: pageSchema,
  answer: {
    status: 200,
    description: 'A page of credentials.',
    contents: [
      {
        mediaType: 'application/json',
        schema: z
          .object({ data: z.array(credentialSchema), next_cursor: z.string().nullable() })
          .meta({ id: 'CredentialPage', description: 'The last page has no `next_cursor`.' }),
      },
    ],
  },
  problems: [],
  async handle({ services, response, query, caller }) {
    const rows = await listCredentials(services.db, tenantOf(caller), {
      limit: query.limit + 1,
      ...(query.cursor === undefined ? {} : { after: parseCursor('cred', query.cursor) }),
    });
    sendJson(
      response,
      toPage(rows, { limit: query.limit, prefix: 'cred', toItem: (row) => toCredentialResource(services, row) }),
    );
  },
});
