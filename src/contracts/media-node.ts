import { z } from 'zod';

/** How a media node announces itself in Redis: `SET media:node:{id} <json> PX NODE_TTL_MS`, every NODE_BEAT_MS. */
export const NODE_TTL_MS = 3_000;
export const NODE_BEAT_MS = 1_000;
export const NODE_KEY_PREFIX = 'media:node:';
/** Set of node ids that may have a key: a scan of all keys would cost more with every live call. */
export const NODE_INDEX_KEY = 'media:nodes';

export const mediaNode = z.object({
  id: z.string().regex(/^[a-z0-9-]{1,60}$/),
  /** The Stasis application that this node serves. */
  app: z.string().regex(/^[a-zA-Z0-9_-]{1,80}$/),
  /** ws://host:port of its control server. */
  controlUrl: z.url(),
  pid: z.int().positive(),
  /** Of this process alone: a node that was started again has another one. */
  instance: z.string().min(1).max(40),
  live: z.int().nonnegative(),
  capacity: z.int().positive(),
  draining: z.boolean(),
  /** wss://… of its media streams, for calls of Twilio; absent where it takes none. */
  streamUrl: z.url().optional(),
});
export type MediaNode = z.infer<typeof mediaNode>;

/** Redis keys of a live call; every one expires so long after it was written last, and sooner once the call has ended. */
export const LIVE_CALL_TTL_SECONDS = 3_600;
/** For a worker that comes late to a call that is over; what lasts is in PostgreSQL. */
export const ENDED_CALL_TTL_SECONDS = 600;
export const liveCallKeys = (callId: string) => ({
  /**
   * hash: state, tenantId, nodeId, instance, controlUrl, epoch, updatedAt, checkpoint (JSON), rounds (JSON),
   * apology ("1": it ended through our own failure, which the caller has not been told)
   */
  state: `call:${callId}:state`,
  /** list of TurnRecord JSON, oldest first */
  turns: `call:${callId}:turns`,
  /** ISO 8601 */
  startedAt: `call:${callId}:started_at`,
});
