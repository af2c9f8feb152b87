import { z } from 'zod';
import { defineRoute } from '../http/route.ts';
import { sendJson } from '../http/send-json.ts';
import { tenantOf } from '../sealing/admit.ts';
import { getWork } from './find-work.ts';
import { sealSchema, toSealResource } from './seal-resource.ts';

/** `GET /v1/seals/{id}`. */
export const getSealRoute = defineRoute({
  method: 'get',
  path: '/v1/seals/{id}',
  operationId: 'getSeal',
  summary: 'Get a seal',
  description: 'One seal of the organisation in the mode of the key; that of another one does not exist.',
  tag: 'Seals',
  scope: 'seals:read',
  query: z.strictObject({}),
  params: { id: { description: 'Id of the seal.', example: 'seal_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB' } },
  answer: {
    status: 200,
    description: 'The seal.',
    contents: [{ mediaType: 'application/json', schema: sealSchema }],
  },
  problems: ['seal_not_found'],
  async handle({ services, response, params, caller }) {
    sendJson(response, toSealResource(await getWork(services, tenantOf(caller), 'seal', params['id'] ?? '')));
  },
});
