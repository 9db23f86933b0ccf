/** Orphans of every kind are planted beside a live call: the janitor removes them, and the call notices nothing. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import { connectAri, type AriClient } from '../../setup/demo/ari-client.ts';
import { runJanitorOf } from '../../setup/stack/janitor.ts';
import { INBOUND_CALL_WORKFLOW, workflowIdFor } from '../../src/contracts/call-workflow.ts';
import type { JanitorReport } from '../../src/contracts/janitor.ts';
import { liveCallKeys } from '../../src/contracts/media-node.ts';
import type { CallDetailView } from '../../src/contracts/rest-calls.ts';
import { Call } from '../../src/db/entities/call.ts';
import { Database } from '../../src/db/tenant-scope.ts';
import { bridgeIdFor, newMediaChannelId } from '../../src/telephony/asterisk/ari-ids.ts';
import { startCallStack, type CallStack } from '../support/call-stack.ts';
import { assertNothingLeft } from '../support/nothing-left.ts';
import { until } from '../support/pbx.ts';

const TIMEOUT_MS = 150_000;
const MINUTE_MS = 60_000;

let calls: CallStack;
let ari: AriClient;
let db: Database;
let redis: Redis;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  calls = await startCallStack({
    settings: {
      SILENCE_REMINDER_SECONDS: '60',
      // Its run of the minute would find some of what is planted, before it is all there.
      JANITOR_INTERVAL_SECONDS: '86400',
    },
  });
  const { env } = calls.stack;
  const ariAccount = { url: env['ARI_URL'] ?? '', username: env['ARI_USERNAME'] ?? '', password: env['ARI_PASSWORD'] ?? '' };
  // An application of Holdfast with no media node behind it.
  ari = await connectAri({ ...ariAccount, app: 'holdfast-nobody' });
  db = await Database.open({ url: env['DATABASE_URL'] ?? '' });
  redis = new Redis(env['REDIS_URL'] ?? '');
  connection = await Connection.connect({ address: env['TEMPORAL_ADDRESS'] ?? '' });
  client = new Client({ connection });
}, TIMEOUT_MS);
afterAll(async () => {
  ari?.close();
  redis?.disconnect();
  await connection?.close();
  await db?.[Symbol.asyncDispose]();
  await calls?.[Symbol.asyncDispose]();
}, TIMEOUT_MS);

const channelIds = async (): Promise<string[]> => (await ari.request<{ id: string }[]>('GET', '/channels')).map(({ id }) => id);
const bridgeIds = async (): Promise<string[]> => (await ari.request<{ id: string }[]>('GET', '/bridges')).map(({ id }) => id);

/** A record that was begun so long ago. */
async function openRecord(agoMs: number, callId: string = randomUUID()): Promise<string> {
  const { tenantId } = calls.stack.demo;
  await db.inTenant(tenantId, async (em) => {
    em.create(Call, { id: callId, tenantId, externalCallId: callId, startedAt: new Date(Date.now() - agoMs) });
  });
  return callId;
}

/** The workflow of the call was terminated, and nobody was there to close anything. */
async function terminatedWorkflow(callId: string): Promise<void> {
  const taskQueue = `nobody-${randomUUID()}`;
  const handle = await client.workflow.start(INBOUND_CALL_WORKFLOW, { workflowId: workflowIdFor(callId), taskQueue, args: [{}] });
  await handle.terminate('by hand');
}

async function liveState(callId: string, state: string): Promise<void> {
  await redis.multi().hset(liveCallKeys(callId).state, { state }).expire(liveCallKeys(callId).state, 600).exec();
}

/** One end of a line in an application without a node; what is at its other end (the agent) does not matter. */
async function unservedCaller(): Promise<string> {
  const channelId = `caller-${randomUUID()}`;
  const endpoint = `Local/${calls.stack.demo.did}@from-tata-trunk`;
  await ari.request('POST', '/channels', { endpoint, app: 'holdfast-nobody', channelId, otherChannelId: `${channelId}-far` });
  const inApp = async () => (await ari.request<{ channel_ids: string[] }>('GET', '/applications/holdfast-nobody')).channel_ids;
  await until('the caller is in the application', async () => (await inApp()).includes(channelId));
  return channelId;
}

async function plantOrphans() {
  const callId = randomUUID();
  const mediaChannel = newMediaChannelId({ callId, epoch: 1 });
  const media = { app: 'holdfast-nobody', channelId: mediaChannel, transport: 'websocket', encapsulation: 'none', format: 'slin16' };
  await ari.request('POST', '/channels/externalMedia', { ...media, connection_type: 'server', external_host: 'INCOMING' });
  const bridge = bridgeIdFor(callId);
  await ari.request('POST', `/bridges/${bridge}`, { type: 'mixing' });
  const caller = await unservedCaller();
  const terminated = await openRecord(2 * MINUTE_MS);
  await terminatedWorkflow(terminated);
  const neverStarted = await openRecord(20 * MINUTE_MS);
  const notYetStarted = await openRecord(3 * MINUTE_MS);
  const stale = randomUUID();
  await liveState(stale, 'speaking');
  return { mediaChannel, bridge, caller, terminated, neverStarted, notYetStarted, stale };
}

const foundIn = (report: JanitorReport): string[] =>
  report.found.map(({ kind, subject, outcome }) => `${kind} ${subject} ${outcome}`).sort();

test(
  'the janitor removes orphans of every kind, leaves a live call alone, and finds nothing the second time',
  async () => {
    const live = calls.dial({
      script: [
        { do: 'hear', what: 'the greeting' },
        { do: 'silence', forMs: 25_000 },
        { do: 'say', text: 'what are your opening hours' },
        { do: 'hear', what: 'the hours', expect: /nine|closed|open/i },
        { do: 'hangup' },
      ],
    });
    await until('the call talks', async () => (await bridgeIds()).length === 1, 30_000);
    const [liveBridge = ''] = await bridgeIds();
    const planted = await plantOrphans();
    const fresh = await openRecord(1_000);

    const report = await runJanitorOf(calls.stack.env);
    expect(report.unseen).toEqual([]);
    expect(foundIn(report)).toEqual(
      [
        `bridge_orphan ${planted.bridge} repaired`,
        `call_without_end ${planted.neverStarted} repaired`,
        `call_without_end ${planted.terminated} repaired`,
        `call_without_workflow ${planted.notYetStarted} reported`,
        `caller_unserved ${planted.caller} repaired`,
        `live_state_stale ${planted.stale} repaired`,
        `media_channel_orphan ${planted.mediaChannel} repaired`,
      ].sort(),
    );
    expect(await channelIds()).not.toContain(planted.mediaChannel);
    expect(await bridgeIds()).toContain(liveBridge);
    expect(await bridgeIds()).not.toContain(planted.bridge);
    expect(await redis.exists(...Object.values(liveCallKeys(planted.stale)))).toBe(0);
    const record = (callId: string) => calls.api<CallDetailView>('GET', `/tenants/${calls.stack.demo.tenantId}/calls/${callId}`);
    for (const callId of [planted.terminated, planted.neverStarted]) {
      expect(await record(callId)).toMatchObject({ status: 'failed', disposition: 'error', reason: 'janitor_closed' });
    }
    for (const callId of [planted.notYetStarted, fresh]) expect(await record(callId)).toMatchObject({ disposition: null });

    await db.inTenant(calls.stack.demo.tenantId, (em) => em.nativeDelete(Call, { id: [planted.notYetStarted, fresh] }));
    expect((await runJanitorOf(calls.stack.env)).found).toEqual([]);
    expect(await bridgeIds()).toContain(liveBridge);

    const dialled = await live;
    expect(dialled.failure).toBeNull();
    expect(await dialled.record()).toMatchObject({ disposition: 'caller_hangup' });
    const after = await runJanitorOf(calls.stack.env);
    expect(after).toMatchObject({ found: [], watching: {}, unseen: [] });
    await assertNothingLeft(calls);
  },
  TIMEOUT_MS,
);
