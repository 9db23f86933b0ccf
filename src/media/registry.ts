/** Announces this node in Redis, so that admission finds it; silence for NODE_TTL_MS takes it off the list. */
import type { Redis } from 'ioredis';
import { NODE_BEAT_MS, NODE_KEY_PREFIX, NODE_TTL_MS, type MediaNode } from '../contracts/media-node.ts';
import { errorFacts, type Logger } from '../telemetry.ts';

export interface Announcement extends AsyncDisposable {
  /** Tells the present load at once, not at the next beat. */
  now(): Promise<void>;
}

/** @throws when Redis does not take the first announcement: a node nobody can find is of no use. */
export async function announceNode(options: { redis: Redis; describe: () => MediaNode; logger: Logger }): Promise<Announcement> {
  const { redis, describe, logger } = options;
  let failing = false;
  const now = async (): Promise<void> => {
    const node = describe();
    await redis.set(`${NODE_KEY_PREFIX}${node.id}`, JSON.stringify(node), 'PX', NODE_TTL_MS);
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
      await redis.del(`${NODE_KEY_PREFIX}${describe().id}`).catch(() => undefined);
    },
  };
}
