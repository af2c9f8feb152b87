import type { ErrorCode } from '@sigillum/errors';
import type { ApiKey } from '@sigillum/store';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Services } from '../services.ts';
import type { Scope } from './scope.ts';

/** What a handler gets: everything checked that the table says. */
export type RouteContext<Query> = {
  readonly services: Services;
  readonly request: Request;
  readonly response: Response;
  readonly requestId: string;
  readonly query: Query;
  /** Segments of the path by their names, decoded, not yet checked. */
  readonly params: Readonly<Record<string, string>>;
  readonly idempotencyKey: string | undefined;
  /** The media type of the body, one of those that the line names; undefined for a line without a body. */
  readonly bodyType: string | undefined;
  /** The media type to answer in: of those that the line names, the one that the caller likes best. */
  readonly answerType: string;
};

/** An open route has no caller. */
export type Caller<S extends Scope | undefined> = S extends Scope ? { readonly caller: ApiKey } : unknown;

/** One form of a body or an answer. */
export type RouteContent = {
  readonly mediaType: string;
  /** Of JSON and multipart; other media types are bytes. */
  readonly schema?: z.ZodType;
  readonly example?: unknown;
};

export type RouteAnswer = {
  readonly status: 200 | 201;
  readonly description: string;
  /** The first is answered to those who accept anything. */
  readonly contents: readonly [RouteContent, ...RouteContent[]];
  readonly headers?: Readonly<Record<string, string>>;
};

export type RouteBody = { readonly description: string; readonly contents: readonly [RouteContent, ...RouteContent[]] };

/** One line of the route table, from which both express and the OpenAPI document are made. */
export type RouteDefinition<Query extends z.ZodObject, S extends Scope | undefined> = {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it: `/v1/seals/{id}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tag: string;
  /** What the API key has to be allowed; undefined for a route that anybody may call. */
  readonly scope: S;
  /** Another scope that is enough. */
  readonly orScope?: Scope;
  /** Strict: an unknown parameter is an error and not a silent default. */
  readonly query: Query;
  /** Whether the handler parses the query itself, because its options may stand in the body instead. */
  readonly queryIsOptional?: boolean;
  readonly params?: Readonly<Record<string, { readonly description: string; readonly example: string }>>;
  /** What may be sent. */
  readonly body?: RouteBody;
  /** Whether `Idempotency-Key` means something here. */
  readonly idempotent?: boolean;
  readonly answer: RouteAnswer;
  /** Codes that are particular to the route; what any route may answer is added to the document. */
  readonly problems: readonly ErrorCode[];
  handle(context: RouteContext<z.output<Query>> & Caller<S>): Promise<void>;
};

/** A line whose types have been checked, as the table holds it. */
export type Route = Omit<RouteDefinition<z.ZodObject, Scope | undefined>, 'handle'> & {
  handle(context: RouteContext<unknown> & { readonly caller: ApiKey | undefined }): Promise<void>;
};

/** Checks a line's types: the handler gets the query that its schema gives, and a caller when a scope asks for one. */
export function defineRoute<Query extends z.ZodObject, S extends Scope | undefined>(
  route: RouteDefinition<Query, S>,
): Route {
  // The mount parses the query by this schema and authenticates when there is a scope: both are what `handle` expects.
  return route as unknown as Route;
}
