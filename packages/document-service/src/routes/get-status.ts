import { z } from 'zod';
import { defineRoute } from '../http/route.ts';
import { sendJson } from '../http/send-json.ts';

const statusSchema = z
  .object({
    status: z.enum(['operational', 'degraded']),
    components: z.array(
      z.object({
        name: z.enum(['database', 'signer', 'time_stamps']),
        status: z.enum(['operational', 'unavailable']),
      }),
    ),
    checked_at: z.iso.datetime(),
  })
  .meta({ id: 'Status', description: 'Whether documents can be sealed now.' });

/** `GET /v1/status`: open to everybody; the checks behind it run at most once in a few seconds. */
export const getStatusRoute = defineRoute({
  method: 'get',
  path: '/v1/status',
  operationId: 'getStatus',
  summary: 'Get the status of the service',
  description: 'Whether the parts that a seal needs work at the moment.',
  tag: 'Service',
  scope: undefined,
  query: z.strictObject({}),
  answer: {
    status: 200,
    description: 'The status.',
    contents: [{ mediaType: 'application/json', schema: statusSchema }],
  },
  problems: [],
  async handle({ services, response }) {
    const { checks, checkedAt } = await services.health.check();
    const components = Object.entries(checks).map(([name, ok]) => ({
      name,
      status: ok ? 'operational' : 'unavailable',
    }));
    const status = components.every((component) => component.status === 'operational') ? 'operational' : 'degraded';
    sendJson(response, { status, components, checked_at: checkedAt.toISOString() });
  },
});
