import { listSeals } from '@sigillum/store';
import { z } from 'zod';
import { pageSchema, parseCursor, toPage } from '../http/cursor.ts';
import { defineRoute } from '../http/route.ts';
import { sendJson } from '../http/send-json.ts';
import { tenantOf } from '../sealing/admit.ts';
import { sealSchema, toSealResource } from './seal-resource.ts';

/** `GET /v1/seals`: the journal, newest first. */
export const listSealsRoute = defineRoute({
  method: 'get',
  path: '/v1/seals',
  operationId: 'listSeals',
  summary: 'List seals',
  description: 'The seals of the organisation in the mode of the key, newest first.',
  tag: 'Seals',
  scope: 'seals:read',
  query: pageSchema.extend({
    status: z.enum(['pending', 'completed', 'failed']).optional().meta({ description: 'Only seals with this status.' }),
  }),
  answer: {
    status: 200,
    description: 'A page of seals.',
    contents: [
      {
        mediaType: 'application/json',
        schema: z
          .object({ data: z.array(sealSchema), next_cursor: z.string().nullable() })
          .meta({ id: 'SealPage', description: 'The last page has no `next_cursor`.' }),
      },
    ],
  },
  problems: [],
  async handle({ services, response, query, caller }) {
    const rows = await listSeals(services.db, tenantOf(caller), {
      kinds: ['seal', 'digest'],
      limit: query.limit + 1,
      ...(query.cursor === undefined ? {} : { after: parseCursor('seal', query.cursor) }),
      ...(query.status === undefined ? {} : { status: query.status }),
    });
    sendJson(response, toPage(rows, { limit: query.limit, prefix: 'seal', toItem: toSealResource }));
  },
});
