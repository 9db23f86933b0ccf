/** The OpenAPI 3.1 document, made from the routes and the zod contracts they are checked by. */
import { OpenAPIRegistry, OpenApiGeneratorV31, type ResponseConfig } from '@asteasolutions/zod-to-openapi';
import type { z } from 'zod';
import { problem } from '../contracts/rest.ts';
import { health, serviceInfo } from '../contracts/rest-service.ts';
import { INBOUND_WEBHOOK_PATH, inboundWebhookRequest, inboundWebhookResponse } from '../contracts/telephony-webhook.ts';
import { PROBLEM_MEDIA_TYPE } from './problem.ts';
import type { Route } from './route.ts';

const problemDescriptions: Record<number, string> = {
  400: 'The request is not valid; `errors` names the fields',
  401: 'The bearer token is missing or wrong',
  403: 'This address may not do this',
  404: 'There is no such resource',
  409: 'It does not fit with what there is',
  413: 'The body is too large',
  415: 'The body is not application/json',
  500: 'Something went wrong on our side',
  503: 'Something that Holdfast needs cannot be reached; try again',
};

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>;

export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const registry = new OpenAPIRegistry();
  for (const each of routes) registerRoute(registry, each);
  registerService(registry);
  registerWebhook(registry);
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version,
      description:
        'AI phone agents on your own machines. Lists come in pages: pass `next_cursor` back as `cursor`. Problems are RFC 9457 documents.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
  });
}

function registerRoute(registry: OpenAPIRegistry, each: Route): void {
  const writes = each.body !== undefined;
  const problems = [400, ...(each.problems ?? []), ...(writes ? [413, 415] : []), 500, 503];
  const location =
    each.success.status === 201
      ? { headers: { Location: { schema: { type: 'string' as const }, description: 'Path of what was made' } } }
      : {};
  registry.registerPath({
    method: each.method,
    path: each.path,
    tags: [each.tag],
    summary: each.summary,
    operationId: operationId(each),
    request: {
      ...(each.params === undefined ? {} : { params: each.params }),
      ...(each.query === undefined ? {} : { query: each.query }),
      ...(each.body === undefined
        ? {}
        : { body: { required: each.bodyOptional !== true, content: { 'application/json': { schema: each.body } } } }),
    },
    responses: {
      [each.success.status]: { ...jsonResponse(each.success.description, each.success.schema), ...location },
      ...problemResponses(problems),
    },
  });
}

/** listTenants, createTenants…: for generated clients. */
function operationId(each: Route): string {
  const last = each.path.split('/').at(-1) ?? '';
  const verb = { post: 'create', patch: 'patch', get: last.startsWith('{') ? 'get' : 'list' }[each.method];
  const words = each.path
    .split('/')
    .filter((part) => part !== '' && part !== 'api' && !part.startsWith('{'))
    .flatMap((part) => part.split('-'));
  return verb + words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('');
}

function registerService(registry: OpenAPIRegistry): void {
  const shared = { method: 'get' as const, tags: ['Service'] };
  registry.registerPath({
    ...shared,
    path: '/',
    summary: 'What this is',
    operationId: 'getServiceInfo',
    responses: { 200: jsonResponse('Name, version, links', serviceInfo) },
  });
  registry.registerPath({
    ...shared,
    path: '/healthz',
    summary: 'Whether everything that the API needs can be reached',
    operationId: 'getHealth',
    responses: { 200: jsonResponse('Everything is reachable', health), 503: jsonResponse('Something is not', health) },
  });
}

function registerWebhook(registry: OpenAPIRegistry): void {
  const bearer = registry.registerComponent('securitySchemes', 'telephonySecret', { type: 'http', scheme: 'bearer' });
  registry.registerPath({
    method: 'post',
    path: INBOUND_WEBHOOK_PATH,
    tags: ['Telephony'],
    summary: 'A PBX announces a call; refusals are answers with status 200',
    operationId: 'announceCall',
    security: [{ [bearer.name]: [] }],
    request: { body: { required: true, content: { 'application/json': { schema: inboundWebhookRequest } } } },
    responses: {
      200: jsonResponse('What to do with the call', inboundWebhookResponse),
      ...problemResponses([400, 401, 403, 413, 415, 500, 503]),
    },
  });
}

const jsonResponse = (description: string, schema: z.ZodType): ResponseConfig => ({
  description,
  content: { 'application/json': { schema } },
});

function problemResponses(statuses: readonly number[]): Record<number, ResponseConfig> {
  const entries = [...new Set(statuses)].map((status): [number, ResponseConfig] => [
    status,
    { description: problemDescriptions[status] ?? 'A problem', content: { [PROBLEM_MEDIA_TYPE]: { schema: problem } } },
  ]);
  return Object.fromEntries(entries);
}
