import { listSeals } from '@sigillum/store';
import { z } from 'zod';
import { pageSchema, parseCursor, toPage } from '../http/cursor.ts';
import { defineRoute } from '../http/route.ts';
import { sendJson } from '../http/send-json.ts';
import { tenantOf } from '../sealing/admit.ts';
import { extensionSchema, toExtensionResource } from './extension-resource.ts';

/** `GET /v1/extensions`, newest first. */
export const listExtensionsRoute = defineRoute({
  method: 'get',
  path: '/v1/extensions',
  operationId: 'listExtensions',
  summary: 'List extensions',
  description: 'The extensions of the organisation in the mode of the key, newest first.',
  tag: 'Extensions',
  scope: 'seals:read',
  query: pageSchema.extend({
    status: z
      .enum(['pending', 'completed', 'failed'])
      .optional()
      .meta({ description: 'Only extensions with this status.' }),
  }),
  answer: {
    status: 200,
    description: 'A page of extensions.',
    contents: [
      {
        mediaType: 'application/json',
        schema: z
          .object({ data: z.array(extensionSchema), next_cursor: z.string().nullable() })
          .meta({ id: 'ExtensionPage', description: 'The last page has no `next_cursor`.' }),
      },
    ],
  },
  problems: [],
  async handle({ services, response, query, caller }) {
    const rows = await listSeals(services.db, tenantOf(caller), {
      kinds: ['extension'],
      limit: query.limit + 1,
      ...(query.cursor === undefined ? {} : { after: parseCursor('ext', query.cursor) }),
      ...(query.status === undefined ? {} : { status: query.status }),
    });
    sendJson(response, toPage(rows, { limit: query.limit, prefix: 'ext', toItem: toExtensionResource }));
  },
});
