/**
 * The live conversation in Redis, best effort: `call:{id}:state|turns|started_at`, each with a TTL.
 * Redis gone means a log line, never a slower answer: nothing here is awaited by a call.
 */
import type { Redis } from 'ioredis';
import { LIVE_CALL_TTL_SECONDS, liveCallKeys } from '../contracts/media-node.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import type { CallState } from '../domain/call.ts';
import { errorFacts, type Logger } from '../telemetry.ts';

export class LiveState {
  readonly #redis: Redis;
  readonly #logger: Logger;
  #failing = false;

  constructor(redis: Redis, logger: Logger) {
    this.#redis = redis;
    this.#logger = logger;
  }

  started(call: { callId: string; tenantId: string; nodeId: string; epoch: number; at: string }): void {
    const keys = liveCallKeys(call.callId);
    this.#write(
      this.#redis
        .multi()
        .hset(keys.state, { state: 'connecting', tenantId: call.tenantId, nodeId: call.nodeId, epoch: call.epoch, updatedAt: call.at })
        .expire(keys.state, LIVE_CALL_TTL_SECONDS)
        .set(keys.startedAt, call.at, 'EX', LIVE_CALL_TTL_SECONDS)
        .exec(),
    );
  }

  state(callId: string, state: CallState, at: string): void {
    const key = liveCallKeys(callId).state;
    this.#write(this.#redis.multi().hset(key, { state, updatedAt: at }).expire(key, LIVE_CALL_TTL_SECONDS).exec());
  }

  turn(callId: string, turn: TurnRecord): void {
    const key = liveCallKeys(callId).turns;
    this.#write(this.#redis.multi().rpush(key, JSON.stringify(turn)).expire(key, LIVE_CALL_TTL_SECONDS).exec());
  }

  #write(done: Promise<unknown>): void {
    done.then(
      () => (this.#failing = false),
      (error: unknown) => {
        if (!this.#failing)
          this.#logger.warn({ event: 'live_state_unavailable', error: errorFacts(error) }, 'Redis does not take live state; calls go on');
        this.#failing = true;
      },
    );
  }
}
