/**
 * The live conversation in Redis, best effort: `call:{id}:state|turns|started_at`, each with a TTL.
 * Redis gone means a log line, never a slower answer: nothing here is awaited by a call. A node that
 * has lost a call to another one (a higher epoch) writes nothing about it any more.
 */
import type { Redis } from 'ioredis';
import type { Checkpoint, ToolRound } from '../contracts/checkpoint.ts';
import { LIVE_CALL_TTL_SECONDS, liveCallKeys } from '../contracts/media-node.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import type { CallState } from '../domain/call.ts';
import { errorFacts, type Logger } from '../telemetry.ts';

/** Sets fields of the state, unless a higher epoch owns it. */
const SET_STATE = `
local owner = redis.call('HGET', KEYS[1], 'epoch')
if owner and tonumber(owner) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1`;
/** Appends a turn to the list, unless a higher epoch owns the state. */
const ADD_TURN = `
local owner = redis.call('HGET', KEYS[1], 'epoch')
if owner and tonumber(owner) > tonumber(ARGV[1]) then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1`;

export interface LiveCall {
  readonly callId: string;
  readonly epoch: number;
}

export class LiveState {
  readonly #redis: Redis;
  readonly #logger: Logger;
  #failing = false;

  constructor(redis: Redis, logger: Logger) {
    this.#redis = redis;
    this.#logger = logger;
  }

  started(call: LiveCall, facts: { tenantId: string; nodeId: string; instance: string; at: string }): void {
    const { tenantId, nodeId, instance, at } = facts;
    this.#set(call, { state: 'connecting', tenantId, nodeId, instance, updatedAt: at });
    const { startedAt } = liveCallKeys(call.callId);
    this.#write(this.#redis.set(startedAt, at, 'EX', LIVE_CALL_TTL_SECONDS, 'NX'));
  }

  state(call: LiveCall, state: CallState, at: string): void {
    this.#set(call, { state, updatedAt: at });
  }

  /** What another node needs to go on, should this one and its worker die together. */
  memory(call: LiveCall, checkpoint: Checkpoint, rounds: readonly ToolRound[]): void {
    this.#set(call, { checkpoint: JSON.stringify(checkpoint), rounds: JSON.stringify(rounds) });
  }

  turn(call: LiveCall, turn: TurnRecord): void {
    const { state, turns } = liveCallKeys(call.callId);
    this.#write(this.#redis.eval(ADD_TURN, 2, state, turns, call.epoch, LIVE_CALL_TTL_SECONDS, JSON.stringify(turn)));
  }

  #set({ callId, epoch }: LiveCall, fields: Readonly<Record<string, string>>): void {
    const { state } = liveCallKeys(callId);
    this.#write(this.#redis.eval(SET_STATE, 1, state, epoch, LIVE_CALL_TTL_SECONDS, ...Object.entries(fields).flat()));
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
