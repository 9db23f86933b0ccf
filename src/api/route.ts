/**
 * One route = its contract and what it does. The router and the OpenAPI document are made from the
 * same list, so neither can promise what the other does not hold.
 */
import type { z } from 'zod';

export interface Route<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
> {
  readonly method: 'get' | 'post' | 'patch';
  /** OpenAPI's template, e.g. /api/tenants/{tenantId}. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** A body may be left out: it is {} then. */
  readonly bodyOptional?: boolean;
  readonly success: { readonly status: 200 | 201 | 202; readonly schema: z.ZodType; readonly description: string };
  /** Beyond what every route may answer. */
  readonly problems?: readonly (403 | 404 | 409 | 503)[];
  readonly handle: (input: RouteInput<Params, Query, Body>) => Promise<RouteReply>;
}

export interface RouteInput<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> {
  readonly params: z.output<Params>;
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
}

export interface RouteReply {
  readonly body: object;
  /** Of what was made, with 201. */
  readonly location?: string;
}

/** Keeps the types of params, query and body for `handle`; the list itself holds them widened. */
export function route<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType>(
  definition: Route<Params, Query, Body>,
): Route {
  return definition;
}
