import { TLSSocket } from 'node:tls';
import { SigillumError } from '@sigillum/errors';
import { addLogFields, createHttpApp, type Logger, type Metrics, useProblemHandler } from '@sigillum/service-kit';
import {
  type HealthAnswer,
  type KeysAnswer,
  MAX_REQUEST_BYTES,
  type MethodName,
  signDigestsRequestSchema,
} from '@sigillum/signer-rpc';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { ClientIdentities } from './client-identity.ts';
import { mayUse, type Policy } from './client-policy.ts';
import type { ClientPolicy, Limits } from './config.ts';
import type { KeyRegistry } from './key-registry.ts';
import type { DigestSigning } from './sign-digests.ts';
import type { TokenSigners } from './token-signers.ts';

export type RpcAppOptions = {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly policy: Policy;
  readonly registry: KeyRegistry;
  readonly tokens: ReadonlyMap<string, TokenSigners>;
  readonly signing: DigestSigning;
  readonly limits: Pick<Limits, 'connections_per_client' | 'unread_answer_ms' | 'min_timeout_ms'>;
};

/** What the authorisation found out about a request, kept on `response.locals`. */
type Caller = { readonly client: ClientPolicy; readonly arrivedAt: number };

/** The three methods of the contract (`@sigillum/signer-rpc`, README). */
export function createRpcApp(options: RpcAppOptions): Express {
  const { logger, metrics, policy, registry, tokens, signing } = options;
  const app = createHttpApp({ logger, metrics });
  const authorise = createAuthorisation(policy, options.limits);
  const readJson = express.json({ limit: MAX_REQUEST_BYTES, type: 'application/json', inflate: false });

  app.post('/v1/signDigests', authorise('signDigests'), readJson, async (request, response) => {
    const { client, arrivedAt } = getCaller(response);
    const body = parseBody(request);
    const key = policy.getKey(client, registry, body.key_id);
    addLogFields(response, { rpc_request_id: body.request_id, key_id: key.keyId, digests: body.digests.length });
    const answer = await signing.sign(client, key, body, arrivedAt);
    // Recorded in any case; only the answer needs somebody who listens.
    if (!response.destroyed) response.json(answer);
  });

  app.get('/v1/keys', authorise('keys'), (_request, response) => {
    const { client } = getCaller(response);
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
    const { client } = getCaller(response);
    const answer = createHealth(client, registry, tokens);
    response.json({ ...answer, min_timeout_ms: options.limits.min_timeout_ms } satisfies HealthAnswer);
  });

  useProblemHandler(app, { logger });
  return app;
}

/** Asked on every request, before the body is read: a connection may be older than the policy. */
function createAuthorisation(policy: Policy, limits: RpcAppOptions['limits']) {
  const identities = new ClientIdentities();
  return (method: MethodName) =>
    (request: Request, response: Response, next: NextFunction): void => {
      const arrivedAt = performance.now();
      const { socket } = request;
      const identity = socket instanceof TLSSocket ? identities.find(socket, Date.now()) : undefined;
      addLogFields(response, { client: identity?.name });
      const client = policy.getClient(identity, method);
      if (identities.countConnections(client.name) > limits.connections_per_client) {
        response.setHeader('Connection', 'close');
        const message = `${client.name} has more than ${limits.connections_per_client} connections.`;
        throw new SigillumError('signer_overloaded', message, { retryAfterSeconds: 1 });
      }
      dropUnreadAnswer(response, limits.unread_answer_ms);
      const caller: Caller = { client, arrivedAt };
      response.locals['caller'] = caller;
      next();
    };
}

/** Whoever doesn't read its answer holds a connection and memory: both end. */
function dropUnreadAnswer(response: Response, afterMs: number): void {
  response.once('prefinish', () => {
    if (response.writableFinished) return;
    const timer = setTimeout(() => response.destroy(), afterMs);
    response.once('close', () => clearTimeout(timer));
  });
}

function getCaller(response: Response): Caller {
  return response.locals['caller'] as Caller;
}

function parseBody(request: Request) {
  if (request.is('application/json') === false) {
    throw new SigillumError('request_media_type_unsupported', 'Send application/json.');
  }
  const parsed = signDigestsRequestSchema.safeParse(request.body);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => ({
      pointer: issue.path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
      detail: issue.message,
    }));
    throw new SigillumError('request_invalid', 'The request does not have the form of the contract.', { fields });
  }
  return parsed.data;
}

function createHealth(
  client: ClientPolicy,
  registry: KeyRegistry,
  tokens: ReadonlyMap<string, TokenSigners>,
): HealthAnswer {
  const purposes: HealthAnswer['purposes'] = {};
  for (const key of registry.list()) {
    if (!mayUse(client, key)) continue;
    const isUsable = tokens.get(key.tokenSerial)?.isHealthy === true && !registry.isQuarantined(key.keyId);
    // One key that can't sign makes its purpose unavailable: nobody may rely on it then.
    purposes[key.purpose] = isUsable && purposes[key.purpose] !== 'unavailable' ? 'ok' : 'unavailable';
  }
  const states = Object.values(purposes);
  return { status: states.length > 0 && states.every((state) => state === 'ok') ? 'ok' : 'unavailable', purposes };
}
