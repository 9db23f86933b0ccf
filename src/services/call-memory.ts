/** What Redis keeps of a live call (src/media/live-state.ts writes it), for those who have to go on with it. */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { checkpoint, toolRound, type ResumePoint } from '../contracts/checkpoint.ts';
import { liveCallKeys } from '../contracts/media-node.ts';
import { turnRecord, type TurnRecord } from '../contracts/turn.ts';
import { storedTurns, type CallRef, type CallsDeps } from './calls.ts';

export interface LiveCall {
  /** By sequence; the newest version of each. */
  readonly turns: readonly TurnRecord[];
  readonly resume: ResumePoint;
  readonly owner: { readonly epoch: number; readonly instance: string } | null;
}

const storedOwner = z.object({ epoch: z.coerce.number().int().positive(), instance: z.string() });

export interface RecallDeps extends CallsDeps {
  readonly redis: Redis;
}

/** Redis, which has it all; failing that, what PostgreSQL has of the words. @throws when neither can be reached. */
export async function recallCall(deps: RecallDeps, call: CallRef): Promise<LiveCall | null> {
  const live = await liveCall(deps.redis, call.callId).catch(() => null);
  if (live !== null) return live;
  return { turns: await storedTurns(deps, call), resume: { checkpoint: null, rounds: [] }, owner: null };
}

/** Null when Redis knows nothing of the call. What cannot be read is left out. @throws when Redis cannot be reached. */
async function liveCall(redis: Redis, callId: string): Promise<LiveCall | null> {
  const keys = liveCallKeys(callId);
  const [state, turns] = await Promise.all([redis.hgetall(keys.state), redis.lrange(keys.turns, 0, -1)]);
  if (Object.keys(state).length === 0) return null;
  const owner = storedOwner.safeParse(state);
  const parsed = turns.flatMap((text) => valid(turnRecord, text));
  return {
    turns: [...new Map(parsed.map((turn) => [turn.sequence, turn])).values()].sort((a, b) => a.sequence - b.sequence),
    resume: {
      checkpoint: valid(checkpoint, state['checkpoint'])[0] ?? null,
      rounds: valid(z.array(toolRound), state['rounds'])[0] ?? [],
    },
    owner: owner.success ? owner.data : null,
  };
}

function valid<T>(schema: z.ZodType<T>, text: string | undefined): T[] {
  if (text === undefined) return [];
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
