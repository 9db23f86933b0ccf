import type { CallCourse } from '../contracts/call-workflow.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import { CallTurn } from '../db/entities/call-turn.ts';
import type { ScopedEntityManager } from '../db/tenant-scope.ts';

/** As many as an operator is shown in Temporal's UI. */
const LATEST_TURNS = 40;

/** What was said in a call, as far as it is on record. */
export async function readCourse(em: ScopedEntityManager, callId: string): Promise<CallCourse> {
  const turns = await em.find(CallTurn, { callId }, { orderBy: { sequence: 'desc' }, limit: LATEST_TURNS });
  return { turnCount: (turns[0]?.sequence ?? -1) + 1, latestTurns: turns.toReversed().map(turnRecord) };
}

/** A stored turn as everyone else knows it. */
export function turnRecord(turn: CallTurn): TurnRecord {
  return {
    sequence: turn.sequence,
    speaker: turn.speaker,
    text: turn.text,
    heardText: turn.heardText,
    interrupted: turn.interrupted,
    startedAt: turn.startedAt.toISOString(),
    endedAt: turn.endedAt.toISOString(),
    latencies: turn.latencies,
  };
}
