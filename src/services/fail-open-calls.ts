/** Calls that were admitted without Temporal: which have no workflow yet, and who looks after them. */
import type { AdmitRequest } from '../contracts/call-workflow.ts';
import { Call } from '../db/entities/call.ts';
import { PhoneNumber } from '../db/entities/phone-number.ts';
import type { Database } from '../db/tenant-scope.ts';
import type { CallRef } from './calls.ts';

/** How many are looked at in one go; the oldest come first. */
const AT_MOST = 200;
/** A process that has not renewed its promise for so long is dead, or without PostgreSQL. */
export const ATTENDED_FOR_MS = 10_000;

/** Of every tenant: ids only. @throws HoldfastError dependency_unavailable. */
export async function unstartedCalls(db: Database): Promise<CallRef[]> {
  const rows = await db.asPlatform((em) =>
    em.execute<{ call_id: string; tenant_id: string }[]>('select * from unstarted_calls(?)', [AT_MOST]),
  );
  return rows.map((row) => ({ callId: row.call_id, tenantId: row.tenant_id }));
}

export interface UnstartedCall {
  readonly request: AdmitRequest;
  readonly over: boolean;
}

/** The question that the webhook asked, from the row; null when it is settled by now. The number of the caller is on record already. */
export async function unstartedCall(db: Database, { tenantId, callId }: CallRef): Promise<UnstartedCall | null> {
  return db.inTenant(tenantId, async (em) => {
    const call = await em.findOne(Call, { id: callId, admittedBy: 'fail_open', workflowStartedAt: null });
    if (call === null || call.phoneNumberId == null) return null;
    const phone = await em.findOneOrFail(PhoneNumber, { id: call.phoneNumberId });
    const request = {
      callRecordId: call.id,
      channelId: call.externalCallId,
      calledNumber: phone.didNumber,
      sealedCallerNumber: null,
      arrivedAt: call.startedAt.toISOString(),
    };
    return { request, over: call.disposition != null };
  });
}

/** The first time counts. */
export async function markStarted(db: Database, { tenantId, callId }: CallRef, at: Date): Promise<void> {
  await db.inTenant(tenantId, (em) => em.nativeUpdate(Call, { id: callId, workflowStartedAt: null }, { workflowStartedAt: at }));
}

export interface Attendant {
  /** Of the process. */
  readonly instance: string;
  readonly at: Date;
}

/**
 * Promises to look after the talk for the next ATTENDED_FOR_MS; to be repeated before that.
 * @returns false when another process has promised it, or when it is not needed any more.
 */
export async function promiseToAttend(db: Database, { tenantId, callId }: CallRef, { instance, at }: Attendant): Promise<boolean> {
  const mine = { $or: [{ attendedBy: null }, { attendedBy: instance }, { attendedUntil: { $lt: at } }] };
  const attended = { attendedBy: instance, attendedUntil: new Date(at.getTime() + ATTENDED_FOR_MS) };
  const where = { id: callId, disposition: null, workflowStartedAt: null, ...mine };
  return (await db.inTenant(tenantId, (em) => em.nativeUpdate(Call, where, attended))) === 1;
}
