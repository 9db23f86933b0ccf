import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { liveCallKeys } from '../../src/contracts/media-node.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { forgetLiveState, liveStates } from '../../src/services/live-calls.ts';
import { sharedParts } from '../support/stack.ts';

let redis: Redis;
beforeAll(async () => {
  redis = await connectRedis(sharedParts().redisUrl);
});
afterAll(() => redis.disconnect());

const seen = async (callId: string) => (await liveStates(redis)).find((state) => state.callId === callId);

test('liveStates tells of each call its state, and whether any of its keys would stay for ever', async () => {
  const [live, forEver, turnsOnly] = [randomUUID(), randomUUID(), randomUUID()];
  await redis.multi().hset(liveCallKeys(live).state, { state: 'speaking' }).expire(liveCallKeys(live).state, 60).exec();
  await redis.multi().hset(liveCallKeys(forEver).state, { state: 'ended' }).expire(liveCallKeys(forEver).state, 60).exec();
  await redis.set(liveCallKeys(forEver).startedAt, 'now');
  await redis.multi().rpush(liveCallKeys(turnsOnly).turns, '{}').expire(liveCallKeys(turnsOnly).turns, 60).exec();
  expect(await seen(live)).toEqual({ callId: live, state: 'speaking', expires: true });
  expect(await seen(forEver)).toEqual({ callId: forEver, state: 'ended', expires: false });
  expect(await seen(turnsOnly)).toEqual({ callId: turnsOnly, state: null, expires: true });
  for (const callId of [live, forEver, turnsOnly]) await forgetLiveState(redis, callId);
  expect(await seen(live)).toBeUndefined();
  expect(await seen(forEver)).toBeUndefined();
  expect(await seen(turnsOnly)).toBeUndefined();
});
