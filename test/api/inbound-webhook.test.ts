import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { INBOUND_WEBHOOK_PATH, inboundWebhookResponse } from '../../src/contracts/telephony-webhook.ts';
import { Call } from '../../src/db/entities/call.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import { callRecordIdFor } from '../../src/services/call-identity.ts';
import { apiServer, ask, PREVIOUS_WEBHOOK_SECRET, WEBHOOK_SECRET, type Answer, type ApiServer, type Ask } from '../support/api-server.ts';
import { addTenant, tenantWorld, type TenantIds, type TenantWorld } from '../support/tenant-world.ts';

let world: TenantWorld;
let api: ApiServer;
let tenant: TenantIds;
beforeAll(async () => {
  world = await tenantWorld();
  api = await apiServer(world);
  tenant = await addTenant(world);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});
afterEach(() => {
  api.gateway.failure = null;
});

const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

function announcement(change: object = {}): Record<string, unknown> {
  return {
    caller_number: '+12025550199',
    called_number: tenant.did,
    call_id: `pbx-${randomUUID()}`,
    timestamp: nowSeconds(),
    channel_id: '1700000000.17',
    ...change,
  };
}

const bearer = (secret: string): Record<string, string> => ({ authorization: `Bearer ${secret}` });

function announce(body: unknown, options: Ask & { url?: string } = {}): Promise<Answer> {
  return ask(`${options.url ?? api.url}${INBOUND_WEBHOOK_PATH}`, {
    method: 'POST',
    body,
    headers: { ...bearer(WEBHOOK_SECRET), ...options.headers },
  });
}

const recorded = (id: string): Promise<Call | null> => world.db.inTenant(tenant.tenantId, (em) => em.findOne(Call, { id }));

test('an announced call is admitted and told where to go', async () => {
  const body = announcement();
  const answer = await announce(body);
  expect(answer.status).toBe(200);
  const reply = inboundWebhookResponse.strict().parse(answer.body);
  expect(reply).toMatchObject({
    status: 'accepted',
    tenant_id: tenant.tenantId,
    call_record_id: callRecordIdFor(String(body['call_id'])),
    media_app: 'holdfast-media-1',
  });
  expect(await recorded(reply.call_record_id ?? '')).toMatchObject({ status: 'initiated', externalCallId: '1700000000.17' });
});

test('the caller’s number is sealed before it leaves the API', async () => {
  const body = announcement();
  await announce(body);
  const handedOver = api.gateway.admitted.at(-1);
  expect(JSON.stringify(handedOver)).not.toContain('5550199');
  expect(world.vault.openInTransit(handedOver?.sealedCallerNumber ?? null, handedOver?.callRecordId ?? '')).toBe('+12025550199');
  await announce(announcement({ caller_number: '' }));
  expect(api.gateway.admitted.at(-1)?.sealedCallerNumber).toBeNull();
});

test('the same webhook twice at once, and once more, is one call and one answer', async () => {
  const body = announcement();
  const answers = await Promise.all([announce(body), announce(body), announce(body)]);
  const again = await announce({ ...body, timestamp: nowSeconds() + 1 });
  expect(new Set([...answers, again].map((answer) => JSON.stringify([answer.status, answer.body]))).size).toBe(1);
  const calls = await world.db.inTenant(tenant.tenantId, (em) => em.count(Call, { id: callRecordIdFor(String(body['call_id'])) }));
  expect(calls).toBe(1);
});

describe('refusals are answers', () => {
  test.each([
    ['unknown_did', null],
    ['inactive_did', { didActive: false }],
    ['tenant_suspended', { status: 'suspended' as const }],
    ['no_profile', { withProfile: false }],
  ])('200 %s', async (status, choices) => {
    const called = choices === null ? '+12025559999' : (await addTenant(world, choices)).did;
    const answer = await announce(announcement({ called_number: called }));
    expect(answer).toMatchObject({ status: 200, body: { status, media_app: null } });
    expect(String(answer.body['message'])).not.toBe('');
  });
});

describe('the address', () => {
  test('must be on the list: 403 before secret and body are looked at', async () => {
    await using strict = await apiServer(world, {
      webhook: {
        desk: api.gateway,
        vault: world.vault,
        secrets: [WEBHOOK_SECRET],
        allowedAddresses: ['10.0.0.0/8'],
        maxAgeSeconds: 60,
        now: () => new Date(),
      },
    });
    for (const options of [{}, { headers: bearer('wrong') }, { headers: { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1' } }]) {
      expect(await announce('{"broken', { url: strict.url, ...options })).toMatchObject({
        status: 403,
        body: { code: 'forbidden_address' },
      });
    }
    expect(await answerBeforeBody(strict.url)).toBe(403);
  });
});

/** Sends the headers of a large body and none of it. */
function answerBeforeBody(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}${INBOUND_WEBHOOK_PATH}`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': '60000' },
    });
    request.on('error', reject).on('response', (response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    request.on('close', () => undefined).flushHeaders();
  });
}

describe('the secret', () => {
  test('may be the present one or, while it is rolled out, the previous one', async () => {
    for (const secret of [WEBHOOK_SECRET, PREVIOUS_WEBHOOK_SECRET]) {
      expect((await announce(announcement(), { headers: bearer(secret) })).status).toBe(200);
    }
  });

  test.each([
    ['wrong', 'Bearer wrong-secret-entirely'],
    ['cut short', `Bearer ${WEBHOOK_SECRET.slice(0, -1)}`],
    ['longer', `Bearer ${WEBHOOK_SECRET}1`],
    ['empty', 'Bearer '],
    ['Basic', `Basic ${Buffer.from(`x:${WEBHOOK_SECRET}`).toString('base64')}`],
    ['bare', WEBHOOK_SECRET],
    ['absent', ''],
  ])('%s: 401, before the body is read', async (_, authorization) => {
    const answer = await announce('{"broken', { headers: { authorization } });
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('an empty secret in the configuration opens nothing', async () => {
    await using open = await apiServer(world, {
      webhook: {
        desk: api.gateway,
        vault: world.vault,
        secrets: [''],
        allowedAddresses: ['127.0.0.1'],
        maxAgeSeconds: 60,
        now: () => new Date(),
      },
    });
    expect((await announce(announcement(), { url: open.url, headers: { authorization: 'Bearer ' } })).status).toBe(401);
  });
});

describe('the body', () => {
  test.each([
    ['malformed', '{"call_id":', []],
    ['a list', '[]', ['']],
    ['no call_id', announcementWithout('call_id'), ['call_id']],
    ['no called_number', announcementWithout('called_number'), ['called_number']],
    ['an empty called_number', { called_number: '' }, ['called_number']],
    ['a call_id with a slash', { call_id: '../../x' }, ['call_id']],
    ['a call_id that is too long', { call_id: 'x'.repeat(151) }, ['call_id']],
    ['a caller_number that is no text', { caller_number: 12 }, ['caller_number']],
    ['an unreadable timestamp', { timestamp: 'yesterday' }, ['timestamp']],
    ['a timestamp without a zone', { timestamp: '2026-11-21T18:00:00' }, ['timestamp']],
  ])('%s: 400', async (_, body, paths) => {
    const sent = typeof body === 'string' ? body : { ...announcement(), ...body };
    const answer = await announce(sent);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(((answer.body['errors'] ?? []) as { path: string }[]).map(({ path }) => path)).toEqual(paths);
  });

  test('too large: 413; not JSON: 415', async () => {
    expect((await announce({ ...announcement(), padding: 'x'.repeat(70_000) })).status).toBe(413);
    expect((await announce('call_id=1', { headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(415);
  });
});

function announcementWithout(key: string): object {
  return { [key]: undefined };
}

describe('the timestamp', () => {
  test.each([
    ['seconds', () => nowSeconds()],
    ['digits', () => String(nowSeconds())],
    ['a fraction', () => Date.now() / 1_000],
    ['ISO 8601', () => new Date().toISOString()],
    ['ISO 8601 with an offset', () => new Date(Date.now() + 3_600_000).toISOString().replace('Z', '+01:00')],
    ['fifty seconds ago', () => nowSeconds() - 50],
  ])('%s is fresh', async (_, timestamp) => {
    expect((await announce(announcement({ timestamp: timestamp() }))).status).toBe(200);
  });

  test.each([
    ['an old one', () => nowSeconds() - 62],
    ['one from the future', () => nowSeconds() + 65],
    ['milliseconds instead of seconds', () => Date.now()],
    ['an old ISO one', () => '2020-01-01T00:00:00Z'],
  ])('%s is stale: 400, and no call', async (_, timestamp) => {
    const body = announcement({ timestamp: timestamp() });
    expect(await announce(body)).toMatchObject({ status: 400, body: { code: 'stale_timestamp', errors: [{ path: 'timestamp' }] } });
    expect(await recorded(callRecordIdFor(String(body['call_id'])))).toBeNull();
  });
});

describe('when the call cannot be admitted in time', () => {
  test.each(['admission_timeout', 'dependency_unavailable'] as const)('%s is 503, so that the dialplan helps itself', async (code) => {
    api.gateway.failure = new HoldfastError(code, 'Too slow', { retryable: true });
    const answer = await announce(announcement());
    expect(answer).toMatchObject({ status: 503, body: { code } });
    expect(answer.headers.get('retry-after')).toBe('1');
  });
});
