/** What Redis holds about calls (`call:{id}:state|turns|started_at`), for who has to tidy it. */
import type { Redis } from 'ioredis';
import { liveCallKeys } from '../contracts/media-node.ts';
import { callStates, type CallState } from '../domain/call.ts';
import type { SeenLiveState } from '../domain/world.ts';

/** Calls that one look reads. Every key expires by itself, so what lies beyond is gone within the hour. */
const CALLS_MAX = 5_000;
const SCAN_COUNT = 1_000;
const KEY = /^call:([^:]{1,100}):(state|turns|started_at)$/;
/** TTL's answer for a key that never expires. */
const NEVER = -1;

/** @throws when Redis cannot be reached. */
export async function liveStates(redis: Redis): Promise<SeenLiveState[]> {
  const keysByCall = await scanCalls(redis);
  const calls = [...keysByCall];
  const pipeline = redis.pipeline();
  for (const [callId, keys] of calls) {
    pipeline.hget(liveCallKeys(callId).state, 'state');
    for (const key of keys) pipeline.ttl(key);
  }
  const answers = (await pipeline.exec()) ?? [];
  let next = 0;
  return calls.map(([callId, keys]) => {
    const [, state] = answers[next++] ?? [];
    const lives = keys.map(() => answers[next++]?.[1]);
    return { callId, state: stateFrom(state), expires: !lives.includes(NEVER) };
  });
}

/** Idempotent. */
export async function forgetLiveState(redis: Redis, callId: string): Promise<void> {
  await redis.del(...Object.values(liveCallKeys(callId)));
}

async function scanCalls(redis: Redis): Promise<Map<string, string[]>> {
  const calls = new Map<string, string[]>();
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', 'call:*', 'COUNT', SCAN_COUNT);
    for (const key of new Set(found)) {
      const callId = KEY.exec(key)?.[1];
      if (callId !== undefined) calls.set(callId, [...(calls.get(callId) ?? []), key]);
    }
    cursor = next;
  } while (cursor !== '0' && calls.size < CALLS_MAX);
  return calls;
}

const stateFrom = (value: unknown): CallState | null => callStates.find((state) => state === value) ?? null;
