/** After a call nothing may be left of it: no channel, bridge, open workflow, or Redis key that stays for ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import type { CallStack } from './call-stack.ts';

/** A call whose channel never comes is given up after 10 s, and the visibility store of Temporal lags a little behind. */
const PATIENCE_MS = 25_000;

/** @throws Error naming everything that is still there. */
export async function assertNothingLeft(calls: CallStack): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const left = (await Promise.all([pbxLeft(calls), carrierLeft(calls), redisLeft(calls), workflowsLeft(calls)])).flat();
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new Error(`Left behind: ${left.join('; ')}`);
    await sleep(200);
  }
}

async function pbxLeft({ stack: { env } }: CallStack): Promise<string[]> {
  const authorization = `Basic ${Buffer.from(`${env['ARI_USERNAME']}:${env['ARI_PASSWORD']}`).toString('base64')}`;
  const list = async (what: string): Promise<string[]> => {
    const response = await fetch(`${env['ARI_URL']}/ari/${what}`, { headers: { authorization }, signal: AbortSignal.timeout(5_000) });
    if (!response.ok) throw new Error(`ARI GET /${what}: ${response.status}`);
    return ((await response.json()) as { id: string }[]).map(({ id }) => `${what.slice(0, -1)} ${id} in the PBX`);
  };
  return (await Promise.all([list('channels'), list('bridges')])).flat();
}

async function carrierLeft({ carrier }: CallStack): Promise<string[]> {
  const count = await carrier.channelCount();
  return count === 0 ? [] : [`${count} channels in the carrier`];
}

/** -1: TTL's answer for a key that never expires. */
const NEVER = -1;

async function redisLeft({ stack: { env } }: CallStack): Promise<string[]> {
  const redis = new Redis(env['REDIS_URL'] ?? '', { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const keys = await redis.keys('*');
    const lives = await Promise.all(keys.map((key) => redis.ttl(key)));
    return keys.filter((_, i) => lives[i] === NEVER).map((key) => `Redis key ${key} without TTL`);
  } finally {
    redis.disconnect();
  }
}

async function workflowsLeft({ stack: { env }, taskQueue }: CallStack): Promise<string[]> {
  const connection = await Connection.connect({ address: env['TEMPORAL_ADDRESS'] ?? '' });
  try {
    const client = new Client({ connection, namespace: env['TEMPORAL_NAMESPACE'] ?? 'default' });
    const open: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query: `TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Running'` })) {
      open.push(`open workflow ${workflowId}`);
    }
    return open;
  } finally {
    await connection.close();
  }
}
