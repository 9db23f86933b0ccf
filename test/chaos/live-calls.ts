/** Which media node holds which calls at this moment, as Redis knows it. */
import { Redis } from 'ioredis';
import type { World } from './world.ts';

export interface LiveNode {
  /** As the stack calls the process: media, media2, … */
  readonly part: string;
  readonly calls: readonly string[];
}

/** Of one business, because calls of nodes that died without a successor stay listed; the busiest node first. */
export async function liveCalls({ stack }: World, tenantId: string): Promise<LiveNode[]> {
  const redis = new Redis(stack.env['REDIS_URL'] ?? '', { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const keys = await redis.keys('call:*:state');
    const states = await Promise.all(keys.map((key) => redis.hmget(key, 'nodeId', 'state', 'tenantId')));
    const held = keys.map((key, i) => ({
      callId: key.split(':')[1] ?? '',
      nodeId: states[i]?.[0] ?? '',
      state: states[i]?.[1],
      tenant: states[i]?.[2],
    }));
    const live = held.filter(({ state, nodeId, tenant }) => state !== 'ended' && nodeId !== '' && tenant === tenantId);
    return [...Map.groupBy(live, ({ nodeId }) => nodeId)]
      .map(([nodeId, calls]) => ({ part: partOf(nodeId), calls: calls.map(({ callId }) => callId) }))
      .sort((a, b) => b.calls.length - a.calls.length);
  } finally {
    redis.disconnect();
  }
}

/** media-1 → media, media-2 → media2 */
const partOf = (nodeId: string): string => nodeId.replace(/^media-1$/, 'media').replace(/^media-(\d+)$/, 'media$1');
