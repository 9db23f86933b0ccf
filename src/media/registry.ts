/** Announces this node in Redis, so that admission finds it; silence for NODE_TTL_MS takes it off the list. */
import type { Redis } from 'ioredis';
import { NODE_BEAT_MS, NODE_INDEX_KEY, NODE_KEY_PREFIX, NODE_TTL_MS, type MediaNode } from '../contracts/media-node.ts';
import { errorFacts, type Logger } from '../telemetry.ts';

export interface Announcement extends AsyncDisposable {
  /** Tells the present load at once, not at the next beat. */
  now(): Promise<void>;
}

/** Renewed with every announcement: where no node has lived for this long, nothing is left of any. */
const INDEX_TTL_MS = 3_600_000;

/** How a node is found: its id in the index, and what it says of itself for as long as it is alive. */
export async function putNode(redis: Redis, node: MediaNode, ttlMs: number): Promise<void> {
  await redis
    .multi()
    .sadd(NODE_INDEX_KEY, node.id)
    .pexpire(NODE_INDEX_KEY, INDEX_TTL_MS)
    .set(`${NODE_KEY_PREFIX}${node.id}`, JSON.stringify(node), 'PX', ttlMs)
    .exec();
}

/** @throws when Redis does not take the first announcement: a node nobody can find is of no use. */
export async function announceNode(options: { redis: Redis; describe: () => MediaNode; logger: Logger }): Promise<Announcement> {
  const { redis, describe, logger } = options;
  let failing = false;
  const now = async (): Promise<void> => {
    await putNode(redis, describe(), NODE_TTL_MS);
  };
  await now();
  const timer = setInterval(() => {
    now().then(
      () => (failing = false),
      (error: unknown) => {
        if (!failing) logger.warn({ event: 'announcement_failed', error: errorFacts(error) }, 'Redis does not take the node announcement');
        failing = true;
      },
    );
  }, NODE_BEAT_MS);
  return {
    now,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      const { id } = describe();
      await redis
        .multi()
        .srem(NODE_INDEX_KEY, id)
        .del(`${NODE_KEY_PREFIX}${id}`)
        .exec()
        .catch(() => undefined);
    },
  };
}
