/**
 * The live conversation in Redis, best effort: `call:{id}:state|turns|started_at`, each with a TTL.
 * Redis gone means a log line, never a slower answer: nothing here is awaited by a call. A node that
 * has lost a call to another one (a higher epoch) writes nothing about it any more.
 *
 * What was written is remembered while the call lives: a Redis that was away, and may have come back
 * empty, gets all of it again at once.
 */
import type { Redis } from 'ioredis';
import type { Checkpoint, ToolRound } from '../contracts/checkpoint.ts';
import { ENDED_CALL_TTL_SECONDS, LIVE_CALL_TTL_SECONDS, liveCallKeys } from '../contracts/media-node.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import type { CallState } from '../domain/call.ts';
import { errorFacts, type Logger } from '../telemetry.ts';

/** Sets fields of the state and how long the call stays, unless a higher epoch owns it. */
const SET_STATE = `
local owner = redis.call('HGET', KEYS[1], 'epoch')
if owner and tonumber(owner) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
for i = 1, #KEYS do redis.call('EXPIRE', KEYS[i], ARGV[2]) end
return 1`;
/** Appends a turn to the list, unless a higher epoch owns the state. */
const ADD_TURN = `
local owner = redis.call('HGET', KEYS[1], 'epoch')
if owner and tonumber(owner) > tonumber(ARGV[1]) then return 0 end
redis.call('RPUSH', KEYS[2], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1`;

/** All of a call once more, unless a higher epoch owns it. Arguments: epoch, TTL, started at, number of turns, turns, fields. */
const RESTORE = `
local owner = redis.call('HGET', KEYS[1], 'epoch')
if owner and tonumber(owner) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], unpack(ARGV, 5 + ARGV[4]))
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2])
for i = 5, 4 + ARGV[4] do redis.call('RPUSH', KEYS[2], ARGV[i]) end
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('SET', KEYS[3], ARGV[3], 'EX', ARGV[2], 'NX')
return 1`;

const ttlSeconds = (fields: Readonly<Record<string, string>>): number =>
  fields['state'] === 'ended' ? ENDED_CALL_TTL_SECONDS : LIVE_CALL_TTL_SECONDS;

export interface LiveCall {
  readonly callId: string;
  readonly epoch: number;
}

export interface CallFacts {
  readonly tenantId: string;
  readonly nodeId: string;
  readonly instance: string;
  /** ISO 8601 */
  readonly at: string;
  readonly transcript: readonly TurnRecord[];
}

interface Remembered {
  call: LiveCall;
  readonly startedAt: string;
  readonly fields: Record<string, string>;
  readonly turns: string[];
}

export class LiveState {
  readonly #redis: Redis;
  readonly #logger: Logger;
  readonly #calls = new Map<string, Remembered>();
  #failing = false;

  constructor(redis: Redis, logger: Logger) {
    this.#redis = redis;
    this.#logger = logger;
    redis.on('ready', () => this.#restore());
  }

  /** @param facts.transcript what was said before this node had the call. */
  started(call: LiveCall, facts: CallFacts): void {
    const { tenantId, nodeId, instance, at, transcript } = facts;
    this.#calls.set(call.callId, { call, startedAt: at, fields: {}, turns: transcript.map((turn) => JSON.stringify(turn)) });
    this.#set(call, { state: 'connecting', tenantId, nodeId, instance, updatedAt: at });
    const { startedAt } = liveCallKeys(call.callId);
    this.#write(this.#redis.set(startedAt, at, 'EX', LIVE_CALL_TTL_SECONDS, 'NX'));
  }

  state(call: LiveCall, state: CallState, at: string): void {
    this.#set(call, { state, updatedAt: at });
  }

  /** @param apology through our own failure: the caller hears so much, where there is somebody to tell them. */
  ended(call: LiveCall, { at, apology }: { readonly at: string; readonly apology: boolean }): void {
    this.#set(call, { state: 'ended', updatedAt: at, ...(apology ? { apology: '1' } : {}) });
  }

  /** What another node needs to go on, should this one and its worker die together. */
  memory(call: LiveCall, checkpoint: Checkpoint, rounds: readonly ToolRound[]): void {
    this.#set(call, { checkpoint: JSON.stringify(checkpoint), rounds: JSON.stringify(rounds) });
  }

  turn(call: LiveCall, turn: TurnRecord): void {
    const { state, turns } = liveCallKeys(call.callId);
    const text = JSON.stringify(turn);
    this.#calls.get(call.callId)?.turns.push(text);
    this.#write(this.#redis.eval(ADD_TURN, 2, state, turns, call.epoch, LIVE_CALL_TTL_SECONDS, text));
  }

  /** The call is another node's: what this one knows of it is out of date. */
  forget({ callId }: LiveCall): void {
    this.#calls.delete(callId);
  }

  #set(call: LiveCall, fields: Readonly<Record<string, string>>): void {
    const { callId, epoch } = call;
    const known = this.#calls.get(callId);
    if (known !== undefined) {
      known.call = call;
      Object.assign(known.fields, fields);
    }
    const { state, turns, startedAt } = liveCallKeys(callId);
    const keys = [state, turns, startedAt];
    const done = this.#redis.eval(SET_STATE, keys.length, ...keys, epoch, ttlSeconds(fields), ...Object.entries(fields).flat());
    // The end, too, is told to a Redis that is away when it is back.
    if (fields['state'] === 'ended') done.then(() => this.#calls.delete(callId)).catch(() => undefined);
    this.#write(done);
  }

  #restore(): void {
    for (const { call, startedAt, fields, turns } of this.#calls.values()) {
      const { callId, epoch } = call;
      const keys = liveCallKeys(callId);
      const values = [epoch, ttlSeconds(fields), startedAt, turns.length, ...turns, ...Object.entries(fields).flat()];
      const done = this.#redis.eval(RESTORE, 3, keys.state, keys.turns, keys.startedAt, ...values);
      if (fields['state'] === 'ended') done.then(() => this.#calls.delete(callId)).catch(() => undefined);
      this.#write(done);
    }
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
