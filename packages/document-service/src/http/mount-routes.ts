import { SigillumError } from '@sigillum/errors';
import { addLogFields, getRequestId } from '@sigillum/service-kit';
import { encodeId } from '@sigillum/store';
import type { Express, Request, Response } from 'express';
import type { Services } from '../services.ts';
import { authenticate } from './authenticate.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import { assertMediaType } from './media-type.ts';
import { parseQuery } from './parse-query.ts';
import type { Route } from './route.ts';

/** Mounts the route table. Each request is checked by its line before the handler sees it: who, then what. */
export function mountRoutes(app: Express, routes: readonly Route[], services: Services): void {
  for (const route of routes) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    app[route.method](path, (request: Request, response: Response) => handle(route, services, request, response));
  }
}

async function handle(route: Route, services: Services, request: Request, response: Response): Promise<void> {
  const caller = route.scope === undefined ? undefined : await authenticate(services, request, route.scope);
  if (caller !== undefined)
    addLogFields(response, { organisation: encodeId('org', caller.organisationId), mode: caller.mode });
  if (!request.accepts(route.answer.mediaType)) {
    throw new SigillumError('request_not_acceptable', `This call answers ${route.answer.mediaType}: accept it.`);
  }
  const query = parseQuery(request.originalUrl, route.query);
  const idempotencyKey = route.idempotent === true ? readIdempotencyKey(request) : undefined;
  if (route.body !== undefined) assertMediaType(request, route.body.mediaType);
  await route.handle({
    services,
    request,
    response,
    requestId: getRequestId(response),
    query,
    params: request.params as Readonly<Record<string, string>>,
    idempotencyKey,
    caller,
  });
}
