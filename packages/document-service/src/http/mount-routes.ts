import { SigillumError } from '@sigillum/errors';
import { addLogFields, getRequestId } from '@sigillum/service-kit';
import { type ApiKey, encodeId } from '@sigillum/store';
import type { Express, Request, Response } from 'express';
import type { Services } from '../services.ts';
import { authenticate } from './authenticate.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import { chooseMediaType } from './media-type.ts';
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
  const caller = await admitCaller(route, services, request, response);
  const answerType = chooseAnswer(route, request);
  const query = route.queryIsOptional === true ? {} : parseQuery(request.originalUrl, route.query);
  const idempotencyKey = route.idempotent === true ? readIdempotencyKey(request) : undefined;
  const bodyType =
    route.body &&
    chooseMediaType(
      request,
      route.body.contents.map(({ mediaType }) => mediaType),
    );
  await route.handle({
    services,
    request,
    response,
    requestId: getRequestId(response),
    query,
    params: request.params as Readonly<Record<string, string>>,
    idempotencyKey,
    bodyType,
    answerType,
    caller,
  });
}

/** Who calls, where that matters, counted. */
async function admitCaller(
  { scope, orScope }: Route,
  services: Services,
  request: Request,
  response: Response,
): Promise<ApiKey | undefined> {
  if (scope === undefined) return undefined;
  const caller = await authenticate(services, request, orScope === undefined ? [scope] : [scope, orScope]);
  addLogFields(response, { organisation: encodeId('org', caller.organisationId), mode: caller.mode });
  await services.rateLimiter.count(caller.id, response);
  return caller;
}

function chooseAnswer({ answer }: Route, request: Request): string {
  const offered = answer.contents.map(({ mediaType }) => mediaType);
  const chosen = request.accepts(offered);
  if (typeof chosen === 'string') return chosen;
  throw new SigillumError('request_not_acceptable', `This call answers ${offered.join(' or ')}: accept it.`);
}
