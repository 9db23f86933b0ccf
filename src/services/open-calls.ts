/** Calls without an end: which there are, and how one is closed that nobody else will close. */
import { CallTurn } from '../db/entities/call-turn.ts';
import { Call } from '../db/entities/call.ts';
import type { Database } from '../db/tenant-scope.ts';
import { statusForDisposition } from '../domain/call.ts';
import type { OpenCall } from '../domain/world.ts';
import type { CallRef } from './calls.ts';

/** More open calls than this are not read in one look; the oldest come first. */
const OPEN_CALLS_MAX = 5_000;
/** The reason of a call whose end nobody saw. */
export const CLOSED_BY_JANITOR = 'janitor_closed';

/** Of every tenant, oldest first: ids and times only. @throws HoldfastError dependency_unavailable. */
export async function openCalls(db: Database): Promise<OpenCall[]> {
  const rows = await db.asPlatform((em) =>
    em.execute<{ call_id: string; tenant_id: string; started_at: Date | string }[]>('select * from open_calls(?)', [OPEN_CALLS_MAX]),
  );
  return rows.map((row) => ({ callId: row.call_id, tenantId: row.tenant_id, startedAtMs: new Date(row.started_at).getTime() }));
}

/**
 * Closes the call as an error, unless it has its end by now. It ended when it was last heard of, not
 * when the janitor came by: its length is billed. @returns false when it was closed already.
 */
export async function closeAbandonedCall(db: Database, { tenantId, callId }: CallRef): Promise<boolean> {
  return db.inTenant(tenantId, async (em) => {
    const call = await em.findOne(Call, { id: callId, disposition: null });
    if (call === null) return false;
    const lastTurn = await em.findOne(CallTurn, { callId }, { orderBy: { sequence: 'desc' } });
    const closed = await em.nativeUpdate(
      Call,
      { id: callId, disposition: null },
      {
        status: statusForDisposition('error'),
        disposition: 'error',
        reason: CLOSED_BY_JANITOR,
        endedAt: lastTurn?.endedAt ?? call.answeredAt ?? call.startedAt,
        updatedAt: new Date(),
      },
    );
    return closed === 1;
  });
}
