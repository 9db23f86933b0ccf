import { CallLog } from '../../src/services/call-log.ts';
import { finalizeCall } from '../../src/services/calls.ts';
import { closeAbandonedCall, openCalls } from '../../src/services/open-calls.ts';
import { runSql } from '../support/database.ts';
import { addCall, addCallRows, addTenant, tenantWorld, type TenantWorld } from '../support/tenant-world.ts';

let world: TenantWorld;
beforeAll(async () => {
  world = await tenantWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const startedAt = new Date('2026-11-20T15:00:00.250Z');
const usage = { sttSeconds: 1, llmPromptTokens: 2, llmCompletionTokens: 3, ttsCharacters: 4 };

async function newCall(): Promise<{ tenantId: string; callId: string }> {
  const { tenantId } = await addTenant(world);
  return { tenantId, callId: await addCall(world, tenantId, startedAt) };
}
const read = (ref: { tenantId: string; callId: string }) => new CallLog(world).get(ref);

test('openCalls tells of every tenant which calls have no end, and nothing else about them', async () => {
  const [ours, theirs, ended] = await Promise.all([newCall(), newCall(), newCall()]);
  await finalizeCall(world, {
    ...ended,
    disposition: 'completed',
    reason: 'end_call',
    answeredAt: null,
    endedAt: startedAt.toISOString(),
    usage,
  });
  const open = await openCalls(world.db);
  expect(open).toContainEqual({ ...ours, startedAtMs: startedAt.getTime() });
  expect(open).toContainEqual({ ...theirs, startedAtMs: startedAt.getTime() });
  expect(open.map(({ callId }) => callId)).not.toContain(ended.callId);
});

test('the role that may ask for open calls sees none of them otherwise, also in the same transaction', async () => {
  await newCall();
  const asked = { sql: 'select count(*)::int as seen from open_calls(10)', values: [] };
  const [row] = await runSql<{ seen: number }>(world.database.appUrl, 'begin', asked, 'select count(*)::int as seen from calls');
  expect(row?.seen).toBe(0);
  const own = `select set_config('app.look_up', 'open_calls', false)`;
  expect(await runSql<{ seen: number }>(world.database.appUrl, own, 'select count(*)::int as seen from calls')).toEqual([{ seen: 0 }]);
});

test('closeAbandonedCall ends a call as an error, at the time it was last heard of', async () => {
  const silent = await newCall();
  const spoken = await newCall();
  await addCallRows(world, spoken.tenantId, spoken.callId);
  expect(await closeAbandonedCall(world.db, silent)).toBe(true);
  expect(await closeAbandonedCall(world.db, spoken)).toBe(true);
  const error = { status: 'failed', disposition: 'error', reason: 'janitor_closed' };
  expect(await read(silent)).toMatchObject({ ...error, ended_at: startedAt.toISOString() });
  expect(await read(spoken)).toMatchObject({ ...error, ended_at: '2026-11-20T15:00:00.000Z' });
});

test('closeAbandonedCall leaves a call that has its end by now as it is, however often it is asked', async () => {
  const call = await newCall();
  await finalizeCall(world, {
    ...call,
    disposition: 'completed',
    reason: 'end_call',
    answeredAt: null,
    endedAt: '2026-11-20T15:02:00.000Z',
    usage,
  });
  expect(await closeAbandonedCall(world.db, call)).toBe(false);
  expect(await read(call)).toMatchObject({ disposition: 'completed', ended_at: '2026-11-20T15:02:00.000Z' });
  const other = await newCall();
  expect(await Promise.all([closeAbandonedCall(world.db, other), closeAbandonedCall(world.db, other)])).toContain(true);
  expect(await closeAbandonedCall(world.db, other)).toBe(false);
});

test('closeAbandonedCall finds no call through another tenant', async () => {
  const [ours, theirs] = [await newCall(), await newCall()];
  expect(await closeAbandonedCall(world.db, { tenantId: ours.tenantId, callId: theirs.callId })).toBe(false);
  expect(await read(theirs)).toMatchObject({ disposition: null });
});
