/** Errors → RFC 9457 problem documents, in one place. */
import type { Response } from 'express';
import { z } from 'zod';
import type { Problem } from '../contracts/rest.ts';
import { HoldfastError, type ErrorCode } from '../domain/errors.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';
/** The API serves docs/errors.md there. */
export const ERRORS_PATH = '/docs/errors.md';

const statuses: Partial<Record<ErrorCode, number>> = {
  invalid_request: 400,
  stale_timestamp: 400,
  unauthorized: 401,
  forbidden_address: 403,
  transfer_forbidden: 403,
  not_found: 404,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  limit_exceeded: 429,
  dependency_unavailable: 503,
  admission_timeout: 503,
};

const titles: Record<number, string> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Conflict',
  413: 'Payload too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Service unavailable',
};

const RETRY_AFTER_SECONDS = 1;

export const statusOf = (error: HoldfastError): number => statuses[error.code] ?? 500;

/** Whatever was thrown while a request was served, Express's own errors included. */
export function toHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  if (error instanceof z.ZodError) return invalidRequest(error);
  return fromExpress(error) ?? new HoldfastError('internal', 'Something went wrong on our side', { cause: error });
}

export function invalidRequest(error: z.ZodError): HoldfastError {
  const errors = error.issues
    .slice(0, 20)
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'is not a field of this request' }))
        : [{ path: issue.path.join('.'), message: issue.message }],
    );
  return new HoldfastError('invalid_request', 'The request is not valid', { details: { errors } });
}

export function sendProblem(response: Response, error: HoldfastError, requestId: string): void {
  const status = statusOf(error);
  const errors = error.details['errors'] as Problem['errors'];
  const document: Problem = {
    type: `${ERRORS_PATH}#${error.code}`,
    title: titles[status] ?? 'Error',
    status,
    // The words of an unexpected error may hold anything: they are for the log only.
    detail: status === 500 ? 'Something went wrong on our side' : error.message,
    code: error.code,
    request_id: requestId,
    ...(errors === undefined ? {} : { errors }),
  };
  if (status === 503) response.set('retry-after', String(RETRY_AFTER_SECONDS));
  if (status === 401) response.set('www-authenticate', 'Bearer');
  response.status(status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(document));
}

/** body-parser and the router throw http-errors with a status and often a type. */
function fromExpress(error: unknown): HoldfastError | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  if (error.status === 413) return new HoldfastError('payload_too_large', 'The body is too large', { cause: error });
  if (error.status === 415) return new HoldfastError('unsupported_media_type', 'The body’s encoding is not supported', { cause: error });
  if (error.status < 400 || error.status >= 500) return null;
  const malformed = 'type' in error && error.type === 'entity.parse.failed';
  return new HoldfastError('invalid_request', malformed ? 'The body is not valid JSON' : 'The request is malformed', { cause: error });
}
