import express, { type Express, type Request, type RequestHandler } from 'express';
import { HoldfastError } from '../domain/errors.ts';
import { invalidRequest } from './problem.ts';
import type { Route } from './route.ts';

export function mountRoutes(app: Express, routes: readonly Route[], options: { bodyLimitBytes: number }): void {
  const readJson = jsonBody(options.bodyLimitBytes);
  for (const each of routes) {
    const path = each.path.replaceAll(/\{(\w+)\}/g, ':$1');
    const before = each.body === undefined ? [] : [readJson];
    app[each.method](path, ...before, async (request, response) => {
      const reply = await each.handle(inputOf(each, request));
      if (reply.location !== undefined) response.set('location', reply.location);
      response.status(each.success.status).json(reply.body);
    });
  }
}

/** JSON and nothing else. An absent body is undefined; what it may be decides the contract. */
export function jsonBody(limitBytes: number): RequestHandler {
  const parse = express.json({ limit: limitBytes, strict: true, type: () => true });
  return (request, response, next) => {
    const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
    if (hasBody && request.is('application/json') !== 'application/json') {
      throw new HoldfastError('unsupported_media_type', 'The body must be application/json');
    }
    parse(request, response, next);
  };
}

function inputOf(each: Route, request: Request): Parameters<Route['handle']>[0] {
  const parsed = {
    // An id that is no UUID names nothing.
    params: each.params === undefined ? null : each.params.safeParse(request.params),
    query: each.query === undefined ? null : each.query.safeParse(request.query),
    body: each.body === undefined ? null : each.body.safeParse(request.body ?? (each.bodyOptional === true ? {} : undefined)),
  };
  if (parsed.params?.success === false) throw new HoldfastError('not_found', 'No such resource');
  if (parsed.query?.success === false) throw invalidRequest(parsed.query.error);
  if (parsed.body?.success === false) throw invalidRequest(parsed.body.error);
  return { params: parsed.params?.data ?? {}, query: parsed.query?.data ?? {}, body: parsed.body?.data };
}
