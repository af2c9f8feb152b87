import type { RequestListener } from 'node:http';
import { SigillumError } from '@sigillum/errors';
import { addLogFields, createHttpApp, useProblemHandler } from '@sigillum/service-kit';
import type { HealthAnswer, KeysAnswer, MethodName } from '@sigillum/signer-rpc';
import type { NextFunction, Request, Response } from 'express';
import { mayUse } from './client-policy.ts';
import type { ClientPolicy, Limits } from './config.ts';
import { dropUnreadAnswer } from './drop-unread-answer.ts';
import type { KeyRegistry } from './key-registry.ts';
import { createSignEndpoint, SIGN_PATH, type SignEndpointOptions } from './sign-endpoint.ts';
import type { TokenSigners } from './token-signers.ts';

export type RpcAppOptions = SignEndpointOptions & {
  readonly tokens: ReadonlyMap<string, TokenSigners>;
  readonly limits: Pick<Limits, 'connections_per_client' | 'min_timeout_ms'>;
};

/** The three methods of the contract (`@sigillum/signer-rpc`, README). */
export function createRpcApp(options: RpcAppOptions): RequestListener {
  const { logger, metrics, registry, signing, tokens } = options;
  const app = createHttpApp({ logger, metrics });
  const authorise = createAuthoriser(options);

  app.get('/v1/keys', authorise('keys'), (_request, response) => {
    const client = getClient(response);
    const keys = registry.list().filter((key) => mayUse(client, key));
    const answer: KeysAnswer = {
      keys: keys.map(({ keyId, name, algorithm, purpose, spki }) => ({
        key_id: keyId,
        name,
        algorithm,
        purpose,
        spki: Buffer.from(spki).toString('base64'),
      })),
    };
    response.json(answer);
  });

  app.get('/v1/health', authorise('health'), (_request, response) => {
    const client = getClient(response);
    const answer = createHealth(client, registry, signing.canRecord, tokens);
    response.json({ ...answer, min_timeout_ms: options.limits.min_timeout_ms } satisfies HealthAnswer);
  });

  useProblemHandler(app, { logger });
  const sign = createSignEndpoint(options);
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path === SIGN_PATH) sign(request, response);
    else app(request, response);
  };
}

function createAuthoriser({ authorisation, limits, signerMetrics }: RpcAppOptions) {
  return (method: MethodName) =>
    (request: Request, response: Response, next: NextFunction): void => {
      dropUnreadAnswer(response, limits.unread_answer_ms);
      const note = (name: string | undefined): void => addLogFields(response, { client: name });
      try {
        response.locals['client'] = authorisation.check(request, response, method, note);
      } catch (error) {
        if (error instanceof SigillumError) signerMetrics.refused.inc({ code: error.code });
        throw error;
      }
      next();
    };
}

/** Whom the authorisation found. */
function getClient(response: Response): ClientPolicy {
  return response.locals['client'] as ClientPolicy;
}

function createHealth(
  client: ClientPolicy,
  registry: KeyRegistry,
  canRecord: boolean,
  tokens: ReadonlyMap<string, TokenSigners>,
): HealthAnswer {
  const purposes: HealthAnswer['purposes'] = {};
  for (const key of registry.list()) {
    if (!mayUse(client, key)) continue;
    const isHealthy = canRecord && tokens.get(key.tokenSerial)?.isHealthy === true;
    const isUsable = isHealthy && !registry.isQuarantined(key.keyId);
    // One key that can't sign makes its purpose unavailable: nobody may rely on it then.
    purposes[key.purpose] = isUsable && purposes[key.purpose] !== 'unavailable' ? 'ok' : 'unavailable';
  }
  const states = Object.values(purposes);
  return { status: states.length > 0 && states.every((state) => state === 'ok') ? 'ok' : 'unavailable', purposes };
}
