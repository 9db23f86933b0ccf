import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { liveCallKeys } from '../../src/contracts/media-node.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { LiveState } from '../../src/media/live-state.ts';
import { silentLogger, until } from '../support/pbx.ts';
import { sharedParts } from '../support/stack.ts';
import { startTcpGate, type TcpGate } from '../support/tcp-gate.ts';
import { turnRecord } from '../support/turn-record.ts';

let gate: TcpGate;
let ours: Redis;
let direct: Redis;
let live: LiveState;

beforeAll(async () => {
  const url = new URL(sharedParts().redisUrl);
  direct = new Redis(url.href);
  gate = await startTcpGate({ host: url.hostname, port: Number(url.port) });
  url.host = `127.0.0.1:${gate.port}`;
  ours = await connectRedis(url.href);
  live = new LiveState(ours, silentLogger);
});
afterAll(async () => {
  ours?.disconnect();
  direct?.disconnect();
  await gate?.[Symbol.asyncDispose]();
});

const at = '2026-11-21T10:00:00.000Z';
const facts = { tenantId: 't', nodeId: 'media-1', instance: 'i', at, transcript: [turnRecord(0)] };

/** Away for a moment, and empty when it is back. */
async function redisRestarts(callId: string, meanwhile: () => void): Promise<void> {
  await gate.shut();
  await until('the connection is gone', () => ours.status !== 'ready');
  meanwhile();
  await direct.del(...Object.values(liveCallKeys(callId)));
  await gate.open();
  await until('the connection is back', () => ours.status === 'ready');
}

async function stored(callId: string) {
  const keys = liveCallKeys(callId);
  const [state, turns, startedAt] = await Promise.all([
    direct.hgetall(keys.state),
    direct.lrange(keys.turns, 0, -1),
    direct.get(keys.startedAt),
  ]);
  return { state, sequences: turns.map((turn) => (JSON.parse(turn) as { sequence: number }).sequence), startedAt };
}

test('LiveState: a Redis that comes back empty gets the whole of each call that lives, once', async () => {
  const call = { callId: randomUUID(), epoch: 2 };
  live.started(call, facts);
  live.turn(call, turnRecord(1));
  await redisRestarts(call.callId, () => {
    live.turn(call, turnRecord(2));
    live.state(call, 'speaking', at);
  });
  await until('the call is there again', async () => (await stored(call.callId)).startedAt !== null);
  expect(await stored(call.callId)).toEqual({
    state: { epoch: '2', state: 'speaking', tenantId: 't', nodeId: 'media-1', instance: 'i', updatedAt: at },
    sequences: [0, 1, 2],
    startedAt: at,
  });
  for (const key of Object.values(liveCallKeys(call.callId))) expect(await direct.ttl(key)).toBeGreaterThan(0);
});

test('LiveState: a call that ended while Redis was away is ended there, and one that another node has is left alone', async () => {
  const [over, lost] = [
    { callId: randomUUID(), epoch: 1 },
    { callId: randomUUID(), epoch: 1 },
  ];
  live.started(over, facts);
  live.started(lost, facts);
  live.forget(lost);
  await until('both are there', async () => (await stored(lost.callId)).startedAt !== null);
  await direct.del(...Object.values(liveCallKeys(lost.callId)));
  await redisRestarts(over.callId, () => live.state(over, 'ended', at));
  await until('its end is told', async () => (await stored(over.callId)).state['state'] === 'ended');
  expect((await stored(lost.callId)).startedAt).toBeNull();
});

test('LiveState: what is kept of a call that has ended goes sooner', async () => {
  const call = { callId: randomUUID(), epoch: 1 };
  const keys = Object.values(liveCallKeys(call.callId));
  const ttls = () => Promise.all(keys.map((key) => direct.ttl(key)));
  live.started(call, facts);
  live.turn(call, turnRecord(0));
  await until('all of it is written', async () => (await ttls()).every((seconds) => seconds > 3_000));
  live.state(call, 'ended', at);
  await until('it goes within ten minutes', async () => (await ttls()).every((seconds) => seconds > 0 && seconds <= 600));
});
