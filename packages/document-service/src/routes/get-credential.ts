import { SigillumError } from '@sigillum/errors';
import { findCredential, findDefaultCredential } from '@sigillum/store';
import { z } from 'zod';
import { defineRoute } from '../http/route.ts';
import { sendJson } from '../http/send-json.ts';
import { tenantOf } from '../sealing/admit.ts';
import { credentialSchema, toCredentialResource } from './credential-resource.ts';

/** `GET /v1/credentials/{id}`: by id or by name. */
export const getCredentialRoute = defineRoute({
  method: 'get',
  path: '/v1/credentials/{id}',
  operationId: 'getCredential',
  summary: 'Get a credential',
  description:
    'One credential of the organisation in the mode of the key, by its id or its name; `default` is the default one, unless one has that name.',
  tag: 'Credentials',
  scope: 'credentials:read',
  orScope: 'seals:digest',
  query: z.strictObject({}),
  params: { id: { description: 'Id or name of the credential.', example: 'p256' } },
  answer: {
    status: 200,
    description: 'The credential.',
    contents: [{ mediaType: 'application/json', schema: credentialSchema }],
  },
  problems: ['credential_not_found'],
  async handle({ services, response, params, caller }) {
    const tenant = tenantOf(caller);
    const id = params['id'] ?? '';
    const credential =
      (await findCredential(services.db, tenant, id)) ??
      (id === 'default' ? await findDefaultCredential(services.db, tenant) : undefined);
    if (credential === undefined) {
      throw new SigillumError('credential_not_found', 'There is no credential of this name or id.');
    }
    sendJson(response, toCredentialResource(services, credential));
  },
});
