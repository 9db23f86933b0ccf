/** The row of a call that has just been decided about. */
import type { MediaNode } from '../contracts/media-node.ts';
import type { AIProfile } from '../db/entities/ai-profile.ts';
import { Call } from '../db/entities/call.ts';
import type { Tenant } from '../db/entities/tenant.ts';
import { internationalReadings, toE164 } from '../lib/phone-numbers.ts';
import { storableText } from '../lib/storable-text.ts';
import type { Refusal } from './admission-answer.ts';
import type { AdmissionContext } from './admission.ts';

/** The reason on record when nobody answered the webhook in time. */
export const MISSED_REASON = 'admission_timeout';

export interface Decision {
  readonly tenant: Tenant;
  readonly profile: AIProfile | null;
  readonly refusal: Refusal | null;
  readonly node: MediaNode | null;
  /** Nobody answered the webhook: the record is all that there will be. */
  readonly missed: boolean;
}

/** Null when the same call was put on record at the same moment by someone else. */
export async function insertCall(context: AdmissionContext, decision: Decision): Promise<Call | null> {
  const { em, request, dialled, vault, mode } = context;
  const { tenant, node, profile } = decision;
  const arrivedAt = new Date(request.arrivedAt);
  const raw = vault.openInTransit(request.sealedCallerNumber, request.callRecordId);
  const number = raw === null ? null : (toE164(raw, tenant.country) ?? internationalReadings(raw)[0]?.e164 ?? null);
  const call = em.create(
    Call,
    {
      id: request.callRecordId,
      tenantId: tenant.id,
      externalCallId: storableText(request.channelId),
      direction: 'inbound',
      ...outcome(decision),
      callerNumberHash: number === null ? null : vault.hash(tenant.id, number),
      callerNumberSealed: raw === null ? null : vault.sealNumber(number ?? raw, keyOwner(tenant, request.callRecordId)),
      phoneNumberId: dialled.phoneNumberId,
      aiProfileId: profile?.id ?? null,
      mediaNode: node?.id ?? null,
      startedAt: arrivedAt,
      endedAt: outcome(decision).disposition === null ? null : arrivedAt,
      admittedBy: mode === 'fail_open' ? 'fail_open' : 'workflow',
    },
    { persist: false },
  );
  const { affectedRows } = await em
    .createQueryBuilder(Call)
    .insert({ ...call, createdAt: context.now(), updatedAt: context.now() })
    .onConflict('id')
    .ignore()
    .execute('run');
  return affectedRows === 0 ? null : call;
}

function outcome({ refusal, missed }: Decision) {
  if (missed) return { status: 'failed', disposition: 'error', reason: MISSED_REASON } as const;
  if (refusal !== null) return { status: 'rejected', disposition: 'rejected', reason: refusal } as const;
  return { status: 'initiated', disposition: null, reason: null } as const;
}

const keyOwner = (tenant: Tenant, callId: string) => ({ tenantId: tenant.id, callId, wrappedDataKey: tenant.wrappedDataKey });
