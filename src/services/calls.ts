/** What happens to a call's record after admission. Every function may be repeated without harm. */
import type { FinalizeRequest } from '../contracts/call-workflow.ts';
import type { TurnRecord } from '../contracts/turn.ts';
import { CallTurn } from '../db/entities/call-turn.ts';
import { Call } from '../db/entities/call.ts';
import type { Database, ScopedEntityManager } from '../db/tenant-scope.ts';
import { statusForDisposition, type CallStatus, type Disposition } from '../domain/call.ts';
import { HoldfastError } from '../domain/errors.ts';
import { storableText } from '../lib/storable-text.ts';
import { turnRecord } from './call-course.ts';

export interface CallsDeps {
  readonly db: Database;
}

export interface CallRef {
  readonly tenantId: string;
  readonly callId: string;
}

const TURNS_PER_CALL_MAX = 2_000;

/** The first time counts; nothing happens once the call is over. @throws HoldfastError not_found. */
export async function recordAnswered(deps: CallsDeps, input: CallRef & { readonly answeredAt: string }): Promise<void> {
  await deps.db.inTenant(input.tenantId, async (em) => {
    const call = await findCall(em, input.callId);
    if (call.disposition != null) return;
    call.status = 'in_progress';
    call.answeredAt ??= new Date(input.answeredAt);
  });
}

/** Which media node holds the call now. @throws HoldfastError not_found. */
export async function recordNode(deps: CallsDeps, input: CallRef & { readonly mediaNode: string }): Promise<void> {
  await deps.db.inTenant(input.tenantId, async (em) => {
    const call = await findCall(em, input.callId);
    if (call.disposition == null) call.mediaNode = input.mediaNode;
  });
}

/** Writes turns by call and sequence; a turn that comes again replaces what was stored. @throws HoldfastError not_found. */
export async function recordTurns(deps: CallsDeps, input: CallRef & { readonly turns: readonly TurnRecord[] }): Promise<void> {
  if (input.turns.length === 0) return;
  // Two rows of the same sequence in one statement would be refused: the later one is the newer.
  const turns = new Map(input.turns.map((turn) => [turn.sequence, turn]));
  await deps.db.inTenant(input.tenantId, async (em) => {
    await findCall(em, input.callId);
    const now = new Date();
    const rows = [...turns.values()].map((turn) => ({
      ...turnRow(turn),
      id: crypto.randomUUID(),
      tenantId: input.tenantId,
      callId: input.callId,
      createdAt: now,
      updatedAt: now,
    }));
    await em.upsertMany(CallTurn, rows, {
      onConflictFields: ['callId', 'sequence'],
      onConflictAction: 'merge',
      onConflictExcludeFields: ['id', 'tenantId', 'createdAt'],
    });
  });
}

/** Oldest first: what was said, as far as it is durable. */
export async function storedTurns(deps: CallsDeps, { tenantId, callId }: CallRef): Promise<TurnRecord[]> {
  return deps.db.inTenant(tenantId, async (em) => {
    const turns = await em.find(CallTurn, { callId }, { orderBy: { sequence: 'asc' }, limit: TURNS_PER_CALL_MAX });
    return turns.map(turnRecord);
  });
}

export interface FinalCall {
  readonly status: CallStatus;
  readonly disposition: Disposition;
  readonly reason: string | null;
  readonly endedAt: string;
}

/**
 * Writes the one disposition of a call. The first one wins: whoever comes later gets what is stored.
 * @throws HoldfastError not_found.
 */
export async function finalizeCall(deps: CallsDeps, input: FinalizeRequest): Promise<FinalCall> {
  return deps.db.inTenant(input.tenantId, async (em) => {
    await em.nativeUpdate(
      Call,
      { id: input.callId, disposition: null },
      {
        status: statusForDisposition(input.disposition),
        disposition: input.disposition,
        reason: storableText(input.reason).slice(0, 100),
        endedAt: new Date(input.endedAt),
        usage: input.usage,
        updatedAt: new Date(),
      },
    );
    const call = await findCall(em, input.callId);
    if (call.answeredAt == null && input.answeredAt !== null && call.disposition === input.disposition)
      call.answeredAt = new Date(input.answeredAt);
    return {
      status: call.status,
      disposition: call.disposition ?? input.disposition,
      reason: call.reason ?? null,
      endedAt: (call.endedAt ?? new Date(input.endedAt)).toISOString(),
    };
  });
}

async function findCall(em: ScopedEntityManager, callId: string): Promise<Call> {
  const call = await em.findOne(Call, { id: callId });
  if (call === null) throw new HoldfastError('not_found', 'No such call');
  return call;
}

function turnRow(turn: TurnRecord) {
  return {
    sequence: turn.sequence,
    speaker: turn.speaker,
    text: storableText(turn.text),
    heardText: storableText(turn.heardText),
    interrupted: turn.interrupted,
    startedAt: new Date(turn.startedAt),
    endedAt: new Date(turn.endedAt),
    latencies: turn.latencies,
  };
}
