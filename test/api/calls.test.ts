import { randomUUID } from 'node:crypto';
import { callDetail } from '../../src/contracts/rest-calls.ts';
import { Call } from '../../src/db/entities/call.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import { callRecordIdFor } from '../../src/services/call-identity.ts';
import { finalizeCall, recordTurns } from '../../src/services/calls.ts';
import { runTool } from '../../src/services/tools.ts';
import { apiServer, ask, type ApiServer } from '../support/api-server.ts';
import { addCall, addTenant, tenantWorld, type TenantIds, type TenantWorld } from '../support/tenant-world.ts';

let world: TenantWorld;
let api: ApiServer;
let tenant: TenantIds;
beforeAll(async () => {
  world = await tenantWorld();
  api = await apiServer(world);
});
beforeEach(async () => {
  tenant = await addTenant(world);
  api.gateway.failure = null;
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const base = (): string => `${api.url}/api/tenants/${tenant.tenantId}`;
type Page = { items: { id: string; status: string; caller_number: string | null }[]; next_cursor: string | null };

async function announced(callerNumber: string): Promise<string> {
  const callRecordId = callRecordIdFor(randomUUID());
  const sealedCallerNumber = world.vault.sealInTransit(callerNumber, callRecordId);
  await api.gateway.admit({
    callRecordId,
    channelId: '1.1',
    calledNumber: tenant.did,
    sealedCallerNumber,
    arrivedAt: '2026-11-20T15:00:00Z',
  });
  return callRecordId;
}

const finish = (callId: string) =>
  finalizeCall(world, {
    tenantId: tenant.tenantId,
    callId,
    disposition: 'completed',
    reason: 'end_call',
    answeredAt: '2026-11-20T15:00:01Z',
    endedAt: '2026-11-20T15:01:00Z',
    usage: { sttSeconds: 1, llmPromptTokens: 1, llmCompletionTokens: 1, ttsCharacters: 1 },
  });

test('a call is shown with its turns, tool runs and booking, and its caller masked', async () => {
  const callId = await announced('+12025550199');
  const at = '2026-11-20T15:00:00.000Z';
  const turn = { startedAt: at, endedAt: at, interrupted: false, latencies: { responseMs: 400 } };
  await recordTurns(world, {
    tenantId: tenant.tenantId,
    callId,
    turns: [
      { ...turn, sequence: 0, speaker: 'agent', text: 'Hello', heardText: 'Hello' },
      { ...turn, sequence: 1, speaker: 'caller', text: 'Monday at ten please', heardText: 'Monday at ten please' },
    ],
  });
  const args = '{"date":"2026-11-23","time":"10:00"}';
  await runTool(
    { db: world.db, now: () => new Date(at) },
    { tenantId: tenant.tenantId, callId, key: '1:0', name: 'book_appointment', arguments: args },
  );
  await finish(callId);
  const { status, body } = await ask(`${base()}/calls/${callId}`);
  expect(status).toBe(200);
  expect(callDetail.strict().parse(body)).toMatchObject({
    id: callId,
    status: 'completed',
    disposition: 'completed',
    caller_number: '•••••••0199',
    turns: [
      { sequence: 0, speaker: 'agent' },
      { sequence: 1, text: 'Monday at ten please', latencies: { responseMs: 400 } },
    ],
    tool_runs: [{ key: '1:0', name: 'book_appointment', status: 'succeeded', result: { booked: true } }],
    bookings: [{ starts_at: '2026-11-23T15:00:00.000Z', source_call_id: callId }],
  });
  expect(JSON.stringify(body)).not.toContain('2025550199');
  const bookings = await ask<Page>(`${base()}/bookings`);
  expect(bookings.body.items).toMatchObject([{ starts_at: '2026-11-23T15:00:00.000Z' }]);
});

test('calls are found by caller and status, newest first, page by page', async () => {
  const ann = [await announced('+12025550199'), await announced('+12025550199')];
  const ben = await announced('+12025550111');
  await finish(ann[0] ?? '');
  const listed = async (query: string): Promise<string[]> => (await ask<Page>(`${base()}/calls?${query}`)).body.items.map(({ id }) => id);
  expect((await listed('caller_number=%2B12025550199')).toSorted()).toEqual(ann.toSorted());
  // Unescaped, the plus arrives as a space.
  expect(await listed('caller_number=+12025550111')).toEqual([ben]);
  expect(await listed('caller_number=%2B12025550199&status=completed')).toEqual([ann[0]]);
  expect(await listed('caller_number=%2B12025550000')).toEqual([]);

  const times = [1, 2, 3, 4, 5].map((hour) => new Date(`2026-11-21T0${hour}:00:00Z`));
  const ids = await Promise.all(times.map((time) => addCall(world, tenant.tenantId, time)));
  const first = (await ask<Page>(`${base()}/calls?limit=3`)).body;
  const second = (await ask<Page>(`${base()}/calls?limit=3&cursor=${first.next_cursor}`)).body;
  expect([...first.items, ...second.items].map(({ id }) => id).slice(0, 5)).toEqual(ids.toReversed());
});

test.each(['caller_number=alice', 'caller_number=2025550199', 'status=ringing', 'tenant_id=x'])('filter %s is 400', async (query) => {
  expect((await ask(`${base()}/calls?${query}`)).status).toBe(400);
});

test('another tenant’s call is not there', async () => {
  const callId = await announced('+12025550199');
  const other = await addTenant(world);
  const path = `${api.url}/api/tenants/${other.tenantId}/calls/${callId}`;
  expect((await ask(path)).status).toBe(404);
  expect((await ask(`${path}/hangup`, { method: 'POST' })).status).toBe(404);
  expect(api.gateway.hangups.map(({ callRecordId }) => callRecordId)).not.toContain(callId);
  expect((await ask<Page>(`${api.url}/api/tenants/${other.tenantId}/calls?caller_number=%2B12025550199`)).body.items).toEqual([]);
});

describe('hangup', () => {
  test('202: the running call is asked to end, with or without a reason', async () => {
    const callId = await announced('+12025550199');
    expect(await ask(`${base()}/calls/${callId}/hangup`, { method: 'POST' })).toMatchObject({ status: 202, body: { status: 'accepted' } });
    await ask(`${base()}/calls/${callId}/hangup`, { method: 'POST', body: { reason: 'fire_drill' } });
    expect(api.gateway.hangups.filter((each) => each.callRecordId === callId).map(({ reason }) => reason)).toEqual([
      'operator_hangup',
      'fire_drill',
    ]);
  });

  test('a reason must be a word, never a sentence about somebody', async () => {
    const callId = await announced('+12025550199');
    expect((await ask(`${base()}/calls/${callId}/hangup`, { method: 'POST', body: { reason: 'Ann said so' } })).status).toBe(400);
  });

  test('409 once the call is over, 404 when it never was, 503 when Temporal is away', async () => {
    const callId = await announced('+12025550199');
    api.gateway.failure = new HoldfastError('dependency_unavailable', 'Temporal cannot be reached', { retryable: true });
    expect((await ask(`${base()}/calls/${callId}/hangup`, { method: 'POST' })).status).toBe(503);
    api.gateway.failure = null;
    await finish(callId);
    expect((await ask(`${base()}/calls/${callId}/hangup`, { method: 'POST' })).status).toBe(409);
    expect((await ask(`${base()}/calls/${randomUUID()}/hangup`, { method: 'POST' })).status).toBe(404);
  });
});

describe('say and transfer', () => {
  const post = (callId: string, what: string, body: unknown) => ask(`${base()}/calls/${callId}/${what}`, { method: 'POST', body });

  test('202: the running call is told what the operator wants', async () => {
    const callId = await announced('+12025550199');
    expect(await post(callId, 'say', { text: ' One moment please. ' })).toMatchObject({ status: 202, body: { status: 'accepted' } });
    expect(await post(callId, 'transfer', { to: 'sip:desk@pbx.example.com:5070' })).toMatchObject({ status: 202 });
    expect(api.gateway.steered.filter((each) => each.callId === callId).map(({ command }) => command)).toEqual([
      { kind: 'say', text: 'One moment please.' },
      { kind: 'transfer', to: 'sip:desk@pbx.example.com:5070' },
    ]);
  });

  test.each([
    ['say', {}],
    ['say', { text: '' }],
    ['say', { text: 'x'.repeat(501) }],
    ['say', { text: 'two\nlines' }],
    ['say', { text: 'hello', voice: 'loud' }],
    ['transfer', { to: 'reception' }],
    ['transfer', { to: 'sip:desk@host;transport=tcp' }],
    ['transfer', { to: 'sip:a@b&PJSIP/c' }],
    ['transfer', { to: 'tel:+12025550100' }],
  ])('400: %s %j', async (what, body) => {
    const callId = await announced('+12025550199');
    const answer = await post(callId, what, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request', errors: expect.any(Array) } });
    expect(api.gateway.steered.map((each) => each.callId)).not.toContain(callId);
  });

  test('403 for a host that is not allowed, 409 once the call is over, 404 for another tenant’s call', async () => {
    const callId = await announced('+12025550199');
    api.gateway.failure = new HoldfastError('transfer_forbidden', 'Calls may not be transferred to that host');
    expect(await post(callId, 'transfer', { to: 'sip:a@b' })).toMatchObject({ status: 403, body: { code: 'transfer_forbidden' } });
    api.gateway.failure = null;
    const other = await addTenant(world);
    for (const [what, body] of [
      ['say', { text: 'hello' }],
      ['transfer', { to: 'sip:a@b' }],
    ] as const) {
      const path = `${api.url}/api/tenants/${other.tenantId}/calls/${callId}/${what}`;
      expect((await ask(path, { method: 'POST', body })).status).toBe(404);
    }
    await finish(callId);
    expect((await post(callId, 'say', { text: 'hello' })).status).toBe(409);
    expect((await post(callId, 'transfer', { to: 'sip:a@b' })).status).toBe(409);
  });
});

test('a sealed number that does not open is not shown, and does not hide the call', async () => {
  const callId = await announced('+12025550199');
  await world.db.inTenant(tenant.tenantId, (em) => em.nativeUpdate(Call, { id: callId }, { callerNumberSealed: Buffer.from('damaged') }));
  expect((await ask(`${base()}/calls/${callId}`)).body['caller_number']).toBeNull();
});
