import { request } from 'node:http';
import { connect } from 'node:net';
import { readFile } from 'node:fs/promises';
import { errorCodes, HoldfastError } from '../../src/domain/errors.ts';
import { createLogger } from '../../src/telemetry.ts';
import { apiServer, ask, type ApiServer } from '../support/api-server.ts';
import { tenantWorld, type TenantWorld } from '../support/tenant-world.ts';

let world: TenantWorld;
let api: ApiServer;
beforeAll(async () => {
  world = await tenantWorld();
  api = await apiServer(world);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const tenants = (): string => `${api.url}/api/tenants`;
const valid = { name: 'A', country: 'US', timezone: 'UTC' };

describe('problems', () => {
  test('are RFC 9457 documents that name the request and where it is explained', async () => {
    const { status, headers, body } = await ask(`${api.url}/nowhere`, { headers: { 'x-request-id': 'abc-1' } });
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(body).toEqual({
      type: '/docs/errors.md#not_found',
      title: 'Not found',
      status: 404,
      detail: 'There is nothing here',
      code: 'not_found',
      request_id: 'abc-1',
    });
  });

  test.each([
    ['malformed JSON', { body: '{"name":' }, 400, 'invalid_request'],
    ['JSON that is no object', { body: '"x"' }, 400, 'invalid_request'],
    ['an array', { body: '[]' }, 400, 'invalid_request'],
    ['no body', { headers: { 'content-type': 'application/json' } }, 400, 'invalid_request'],
    [
      'another content type',
      { body: 'name=A', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported_media_type',
    ],
    [
      'text that a web page may send',
      { body: JSON.stringify(valid), headers: { 'content-type': 'text/plain' } },
      415,
      'unsupported_media_type',
    ],
    ['an unknown encoding', { body: JSON.stringify(valid), headers: { 'content-encoding': 'zap' } }, 415, 'unsupported_media_type'],
    ['a body that is too large', { body: JSON.stringify({ ...valid, name: 'x'.repeat(70_000) }) }, 413, 'payload_too_large'],
  ])('%s', async (_, options, status, code) => {
    const answer = await ask(tenants(), { method: 'POST', ...options });
    expect(answer).toMatchObject({ status, body: { status, code } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:|at /);
  });

  test.each(['limit=0', 'limit=101', 'limit=ten', 'limit=1&limit=2', 'cursor=', 'cursor=zzz', `cursor=${'x'.repeat(300)}`, 'offset=5'])(
    'query %s is 400',
    async (query) => {
      expect(await ask(`${tenants()}?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    },
  );

  test('a broken path is 400, another method 404', async () => {
    expect((await ask(`${api.url}/api/tenants/%E0%A4%A`)).status).toBe(400);
    expect((await ask(tenants(), { method: 'DELETE' })).status).toBe(404);
  });

  test('something unexpected is 500 and tells nothing', async () => {
    await using broken = await apiServer(world, {
      tenants: {
        list: () => Promise.reject(new Error('secret detail at /srv/app.ts:1')),
      } as never,
    });
    const { status, body } = await ask(`${broken.url}/api/tenants`);
    expect([status, body['code'], body['detail']]).toEqual([500, 'internal', 'Something went wrong on our side']);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test('a dependency that is away is 503 with Retry-After', async () => {
    await using away = await apiServer(world, {
      tenants: {
        list: () => Promise.reject(new HoldfastError('dependency_unavailable', 'PostgreSQL cannot be reached', { retryable: true })),
      } as never,
    });
    const { status, headers, body } = await ask(`${away.url}/api/tenants`);
    expect([status, headers.get('retry-after'), body['code']]).toEqual([503, '1', 'dependency_unavailable']);
  });

  test('every code is explained in docs/errors.md', async () => {
    const { status, headers, body } = await ask<{ text: string }>(`${api.url}/docs/errors.md`);
    expect([status, headers.get('content-type')]).toEqual([200, 'text/markdown; charset=utf-8']);
    const headings = [...body.text.matchAll(/^### (\w+)$/gm)].map((match) => match[1]);
    expect(new Set(headings)).toEqual(new Set(errorCodes));
  });
});

describe('the service', () => {
  test('says what it is and where things are', async () => {
    expect(await ask(api.url)).toMatchObject({
      status: 200,
      body: { name: 'holdfast', version: '0.1.0', links: { docs: '/docs/', openapi: '/openapi.json' } },
    });
  });

  test('GET /healthz names each dependency', async () => {
    const { status, body } = await ask(`${api.url}/healthz`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'ok',
      config_valid: true,
      dependencies: { postgres: { status: 'up' }, redis: { status: 'up' }, temporal: { status: 'up' } },
    });
    expect(typeof body['message']).toBe('string');
  });

  test('GET /healthz is 503 when one refuses or never answers, and still names the others', async () => {
    await using sick = await apiServer(world, {
      probes: {
        postgres: () => world.db.ping(),
        redis: () => Promise.reject(new Error('redis://user:password@host')),
        temporal: () => new Promise(() => undefined),
      },
    });
    const { status, body } = await ask(`${sick.url}/healthz`);
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: 'unavailable',
      message: 'Not reachable: redis, temporal',
      dependencies: { postgres: { status: 'up' }, redis: { status: 'down' }, temporal: { status: 'down' } },
    });
    expect(JSON.stringify(body)).not.toContain('password');
  });

  test('its answers are careful with browsers and do not name the framework', async () => {
    const { headers } = await ask(`${api.url}/healthz`);
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
  });

  test('on loopback it answers to loopback names only', async () => {
    const { hostname, port } = new URL(api.url);
    const statusFor = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        request({ hostname, port, path: '/healthz', headers: { host }, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    expect(await statusFor('localhost:8080')).toBe(200);
    expect(await statusFor('[::1]:8080')).toBe(200);
    expect(await statusFor('evil.example')).toBe(403);
    expect(await statusFor('127.0.0.1.evil.example')).toBe(403);
  });

  test('bytes that are no HTTP do not hurt it', async () => {
    const { hostname, port } = new URL(api.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end('\u0000\u0001 garbage\r\n\r\n'));
      socket.on('error', () => undefined);
      socket.resume().once('close', () => resolve());
    });
    expect((await ask(`${api.url}/healthz`)).status).toBe(200);
  });
});

describe('the access log', () => {
  test('has the route, never the path, the query or the body', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = createLogger({ process: 'api', level: 'silent' });
    logger.info = (facts: unknown) => void lines.push(facts as Record<string, unknown>);
    await using logged = await apiServer(world, { logger });
    await ask(`${logged.url}/api/tenants/12025550199/calls?caller_number=%2B12025550199`);
    await ask(`${logged.url}/api/tenants`, { method: 'POST', body: { ...valid, name: 'Ann 12025550199' } });
    await ask(`${logged.url}/12025550199`);
    expect(lines.map(({ method, route, status }) => [method, route, status])).toEqual([
      ['GET', '/api/tenants/:tenantId/calls', 404],
      ['POST', '/api/tenants', 201],
      ['GET', null, 404],
    ]);
    expect(JSON.stringify(lines)).not.toContain('5550199');
  });
});

describe('the documents', () => {
  test('/openapi.json describes every route with its contracts', async () => {
    const { status, body } = await ask<{
      openapi: string;
      paths: Record<string, Record<string, { operationId: string; responses: object }>>;
      components: { schemas: object };
    }>(`${api.url}/openapi.json`);
    expect([status, body.openapi]).toEqual([200, '3.1.0']);
    const operations = Object.entries(body.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    expect(operations.toSorted()).toEqual(
      [
        'get /',
        'get /healthz',
        'post /internal/telephony/inbound',
        'get /api/tenants',
        'post /api/tenants',
        'get /api/tenants/{tenantId}',
        'patch /api/tenants/{tenantId}',
        ...['phone-numbers', 'ai-profiles'].flatMap((name) => {
          const list = `/api/tenants/{tenantId}/${name}`;
          const one = `${list}/{${name === 'phone-numbers' ? 'phoneNumberId' : 'aiProfileId'}}`;
          return [`get ${list}`, `post ${list}`, `get ${one}`, `patch ${one}`];
        }),
        'get /api/tenants/{tenantId}/calls',
        'get /api/tenants/{tenantId}/calls/{callId}',
        'post /api/tenants/{tenantId}/calls/{callId}/hangup',
        'post /api/tenants/{tenantId}/calls/{callId}/say',
        'post /api/tenants/{tenantId}/calls/{callId}/transfer',
        'get /api/tenants/{tenantId}/bookings',
      ].toSorted(),
    );
    const ids = Object.values(body.paths).flatMap((methods) => Object.values(methods).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.keys(body.components.schemas)).toEqual(
      expect.arrayContaining(['Tenant', 'CreateTenant', 'PhoneNumber', 'AIProfile', 'CallDetail', 'Booking', 'Problem']),
    );
    const references = JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g);
    for (const [, name] of references) expect(body.components.schemas).toHaveProperty(name ?? '');
  });

  test('/docs/ is Swagger UI from this machine only', async () => {
    const page = await ask<{ text: string }>(`${api.url}/docs/`);
    expect(page.status).toBe(200);
    expect(page.body.text).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    const assets = [...page.body.text.matchAll(/(?:src|href)="\.\/([\w.-]+)"/g)].map((match) => match[1]);
    expect(assets).toEqual(expect.arrayContaining(['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-ui-init.js']));
    for (const asset of assets) expect([asset, (await ask(`${api.url}/docs/${asset}`)).status]).toEqual([asset, 200]);
    expect((await ask<{ text: string }>(`${api.url}/docs/swagger-ui-init.js`)).body.text).toContain('/openapi.json');
    expect((await ask(`${api.url}/docs`)).status).toBe(200);
  });

  test('the errors document on disk is the one that is served', async () => {
    const file = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    expect((await ask<{ text: string }>(`${api.url}/docs/errors.md`)).body.text).toBe(file);
  });
});
