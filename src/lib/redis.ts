import { Redis } from 'ioredis';
import { HoldfastError } from '../domain/errors.ts';

const CONNECT_TIMEOUT_MS = 3_000;
const COMMAND_TIMEOUT_MS = 1_000;
/** A connection that owes an answer for so long is dead: its host may have gone without a word. */
const SILENCE_MS = 2_000;
const RECONNECT_MAX_MS = 1_000;

/**
 * A connected client that afterwards reconnects for ever and, while Redis is away, fails each command
 * at once instead of queueing it: a call must not wait for Redis.
 * @throws HoldfastError dependency_unavailable (retryable) naming host and port, never the password.
 */
export async function connectRedis(url: string): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, RECONNECT_MAX_MS),
  });
  // Without a listener a lost connection would end the process; commands report it where it matters.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
    return redis;
  } catch (cause) {
    redis.disconnect();
    throw new HoldfastError('dependency_unavailable', `Redis cannot be reached at ${new URL(url).host} (REDIS_URL)`, {
      retryable: true,
      cause,
    });
  }
}
