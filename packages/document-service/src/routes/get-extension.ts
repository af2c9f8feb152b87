import { z } from 'zod';
import { defineRoute } from '../http/route.ts';
import { sendJson } from '../http/send-json.ts';
import { tenantOf } from '../sealing/admit.ts';
import { extensionSchema, toExtensionResource } from './extension-resource.ts';
import { getWork } from './find-work.ts';

/** `GET /v1/extensions/{id}`. */
export const getExtensionRoute = defineRoute({
  method: 'get',
  path: '/v1/extensions/{id}',
  operationId: 'getExtension',
  summary: 'Get an extension',
  description: 'One extension of the organisation in the mode of the key; that of another one does not exist.',
  tag: 'Extensions',
  scope: 'seals:read',
  query: z.strictObject({}),
  params: { id: { description: 'Id of the extension.', example: 'ext_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB' } },
  answer: {
    status: 200,
    description: 'The extension.',
    contents: [{ mediaType: 'application/json', schema: extensionSchema }],
  },
  problems: ['extension_not_found'],
  async handle({ services, response, params, caller }) {
    sendJson(response, toExtensionResource(await getWork(services, tenantOf(caller), 'extension', params['id'] ?? '')));
  },
});
