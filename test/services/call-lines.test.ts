/** Limits on simultaneous calls under concurrency: real PostgreSQL, as many connections as two workers have. */
import { randomUUID } from 'node:crypto';
import type { Admission } from '../../src/contracts/call-workflow.ts';
import { Call } from '../../src/db/entities/call.ts';
import { Database } from '../../src/db/tenant-scope.ts';
import { admitCall, type AdmissionDeps } from '../../src/services/admission.ts';
import { finalizeCall } from '../../src/services/calls.ts';
import { NodeChooser } from '../../src/services/media-nodes.ts';
import { runSql } from '../support/database.ts';
import { addTenant, tenantWorld, type TenantIds, type TenantWorld } from '../support/tenant-world.ts';
import { mediaNodeOf } from '../support/media-node.ts';

let world: TenantWorld;
let second: Database;
/** Each test has its own platform. */
beforeEach(async () => {
  world = await tenantWorld();
  second = await Database.open({ url: world.database.appUrl });
});
afterEach(async () => {
  await second[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const now = new Date('2026-11-20T15:00:00Z');

function deps(db: Database, change: Partial<AdmissionDeps> = {}): AdmissionDeps {
  const node = mediaNodeOf('media-1', { capacity: 10_000 });
  return {
    db,
    vault: world.vault,
    mediaNodes: { live: async () => [node] },
    nodeChooser: new NodeChooser(),
    plan: {
      conversation: { maxTurns: 20, maxDurationSeconds: 300, silenceReminderMs: 8_000, maxReminders: 2 },
      models: { stt: 's', llm: 'l', tts: 't', voice: 'v' },
    },
    maxConcurrentCalls: 500,
    now: () => now,
    ...change,
  };
}

const request = (calledNumber: string) => ({
  callRecordId: randomUUID(),
  channelId: '1.1',
  calledNumber,
  sealedCallerNumber: null,
  arrivedAt: now.toISOString(),
});

/** Half of them by each of two processes' worth of connections. */
function arrive(did: string, count: number, change: Partial<AdmissionDeps> = {}): Promise<Admission[]> {
  const sides = [deps(world.db, change), deps(second, change)] as const;
  return Promise.all(Array.from({ length: count }, (_, n) => admitCall(sides[n % 2 === 0 ? 0 : 1], request(did))));
}

const tally = (admissions: readonly Admission[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { response } of admissions) counts[response.status] = (counts[response.status] ?? 0) + 1;
  return counts;
};

const end = (tenantId: string, callId: string) =>
  finalizeCall(world, {
    tenantId,
    callId,
    disposition: 'completed',
    reason: 'end_call',
    answeredAt: null,
    endedAt: now.toISOString(),
    usage: { sttSeconds: 0, llmPromptTokens: 0, llmCompletionTokens: 0, ttsCharacters: 0 },
  });

const openCalls = (tenant: TenantIds) => world.db.inTenant(tenant.tenantId, (em) => em.count(Call, { disposition: null }));

test('a hundred calls at once: exactly the tenant’s limit is admitted, every other one is on record as refused', async () => {
  const tenant = await addTenant(world, { maxConcurrentCalls: 7 });
  const answers = await arrive(tenant.did, 100);
  expect(tally(answers)).toEqual({ accepted: 7, over_limit: 93 });
  expect(await openCalls(tenant)).toBe(7);
  const rejected = { disposition: 'rejected', reason: 'over_limit' } as const;
  expect(await world.db.inTenant(tenant.tenantId, (em) => em.count(Call, rejected))).toBe(93);
});

test('a line is free again with the end of its call', async () => {
  const tenant = await addTenant(world, { maxConcurrentCalls: 2 });
  const [first] = await arrive(tenant.did, 2);
  expect(tally(await arrive(tenant.did, 1))).toEqual({ over_limit: 1 });
  await end(tenant.tenantId, first?.response.call_record_id ?? '');
  expect(tally(await arrive(tenant.did, 2))).toEqual({ accepted: 1, over_limit: 1 });
});

test('without a number of its own a tenant has what its plan gives', async () => {
  const tenant = await addTenant(world, { plan: 'starter' });
  expect(tally(await arrive(tenant.did, 12))).toEqual({ accepted: 10, over_limit: 2 });
});

test('the platform’s limit holds over all tenants', async () => {
  const tenants = await Promise.all([addTenant(world), addTenant(world), addTenant(world)]);
  const answers = await Promise.all(tenants.map((tenant) => arrive(tenant.did, 10, { maxConcurrentCalls: 9 })));
  expect(tally(answers.flat())['accepted']).toBe(9);
});

test('one tenant’s flood leaves another one its lines, and takes the rest', async () => {
  const loud = await addTenant(world, { maxConcurrentCalls: 100 });
  const small = await addTenant(world, { maxConcurrentCalls: 100 });
  const platform = { maxConcurrentCalls: 20 };
  expect(tally(await arrive(loud.did, 40, platform))).toEqual({ accepted: 16, over_share: 24 });
  expect(tally(await arrive(small.did, 3, platform))).toEqual({ accepted: 3 });
  // Both at once for the last line: only the one below its share gets it.
  const [more, one] = await Promise.all([arrive(loud.did, 5, platform), arrive(small.did, 1, platform)]);
  expect(tally(one)).toEqual({ accepted: 1 });
  expect(tally(more)['accepted']).toBeUndefined();
});

test('a tenant that is alone on the platform may have all its lines', async () => {
  const tenant = await addTenant(world, { maxConcurrentCalls: 100 });
  expect(tally(await arrive(tenant.did, 12, { maxConcurrentCalls: 8 }))).toEqual({ accepted: 8, no_capacity: 4 });
});

test('a call that is announced twice takes one line, also when it is the last', async () => {
  const tenant = await addTenant(world, { maxConcurrentCalls: 1 });
  const asked = request(tenant.did);
  const answers = await Promise.all(Array.from({ length: 6 }, (_, n) => admitCall(deps(n % 2 === 0 ? world.db : second), asked)));
  expect(tally(answers)).toEqual({ accepted: 6 });
  expect(await openCalls(tenant)).toBe(1);
});

test('counting tells numbers, never a row: the owner of the tables sees none either', async () => {
  const tenant = await addTenant(world);
  await arrive(tenant.did, 2);
  expect(await runSql(world.database.appUrl, 'select * from call_load(gen_random_uuid())')).toEqual([
    { open_calls: 2, open_of_tenant: 0, busy_tenants: 2, callable_tenants: 1 },
  ]);
  expect(await runSql(world.database.appUrl, 'select call_load(gen_random_uuid())', 'select id from calls')).toEqual([]);
  expect(await runSql(world.database.appUrl, `set app.look_up = 'calls'`, 'select id from calls')).toEqual([]);
  expect(await runSql(world.database.ownerUrl, 'select call_load(gen_random_uuid())', 'select id from calls')).toEqual([]);
});

test('a process that freezes in the middle of an admission holds the others up for a moment only', async () => {
  const tenant = await addTenant(world);
  const counted = Promise.withResolvers<void>();
  const frozen = Promise.withResolvers<void>();
  const holding = world.db
    .inTenant(tenant.tenantId, async (em) => {
      await em.execute('select * from call_load(?)', [tenant.tenantId]);
      counted.resolve();
      await frozen.promise;
      await em.count(Call);
    })
    .catch((error: unknown) => error);
  await counted.promise;
  expect(tally(await arrive(tenant.did, 1))).toEqual({ accepted: 1 });
  frozen.resolve();
  expect(await holding).toMatchObject({ code: 'dependency_unavailable' });
});
