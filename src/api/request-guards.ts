/** Around every request: an id, a log line without content, headers that keep browsers careful. */
import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import { HoldfastError } from '../domain/errors.ts';
import type { Logger } from '../telemetry.ts';

const REQUEST_ID_HEADER = 'x-request-id';

export const requestIdOf = (response: Response): string => String(response.getHeader(REQUEST_ID_HEADER) ?? '');

/** Logs the route's pattern, never the URL: paths and queries may hold numbers. */
export function accessLog(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const startedMs = performance.now();
    const given = request.get(REQUEST_ID_HEADER) ?? '';
    const requestId = /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
    response.set(REQUEST_ID_HEADER, requestId);
    response.on('finish', () => {
      const pattern = request.route as { path?: unknown } | undefined;
      const route = typeof pattern?.path === 'string' ? pattern.path : null;
      const durationMs = Math.round(performance.now() - startedMs);
      logger.info({ event: 'request', requestId, method: request.method, route, status: response.statusCode, durationMs }, 'Request');
    });
    next();
  };
}

export const safeHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    // Swagger UI styles itself inline and draws its icons from data: URLs.
    'content-security-policy':
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  });
  next();
};

const LOOPBACK_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/**
 * On loopback only the machine itself may ask, and it does so by a loopback name. Another name is a
 * web page that pointed its own domain here to read what it may not (DNS rebinding).
 */
export const loopbackNamesOnly: RequestHandler = (request, _response, next) => {
  if (!LOOPBACK_NAME.test(request.headers.host ?? '')) throw new HoldfastError('forbidden_address', 'This host name is not served here');
  next();
};

export const isLoopback = (host: string): boolean => host === '::1' || LOOPBACK_NAME.test(host);
