/** Takes a call in, or refuses it: number → tenant → profile → media node, and one row that says so. */
import type { Admission, AdmitRequest } from '../contracts/call-workflow.ts';
import type { MediaNode } from '../contracts/media-node.ts';
import type { AdmissionStatus } from '../contracts/telephony-webhook.ts';
import { AIProfile } from '../db/entities/ai-profile.ts';
import { Call } from '../db/entities/call.ts';
import { PhoneNumber } from '../db/entities/phone-number.ts';
import { Tenant } from '../db/entities/tenant.ts';
import type { Database, DialledNumber, ScopedEntityManager } from '../db/tenant-scope.ts';
import { storableText } from '../lib/storable-text.ts';
import { internationalReadings, nationalReadings, toE164 } from '../lib/phone-numbers.ts';
import { buildCallPlan, type PlanSettings } from './call-plan.ts';
import type { MediaNodes, NodeChooser } from './media-nodes.ts';
import type { NumberVault } from './number-vault.ts';

export interface AdmissionDeps {
  readonly db: Database;
  readonly vault: NumberVault;
  readonly mediaNodes: MediaNodes;
  readonly nodeChooser: NodeChooser;
  readonly plan: PlanSettings;
  readonly now: () => Date;
}

export type Refusal = Exclude<AdmissionStatus, 'accepted'>;

const messages: Record<AdmissionStatus, string> = {
  accepted: 'The call is admitted.',
  unknown_did: 'No business answers this number.',
  inactive_did: 'This number is not in service.',
  tenant_suspended: 'This business does not take calls at the moment.',
  no_profile: 'No agent is set up for this number.',
  no_capacity: 'Every agent is busy.',
};

/**
 * Safe to repeat: a call that is already on record gets the answer it got before. Refusals are data.
 * @throws HoldfastError dependency_unavailable (retryable) when PostgreSQL cannot be reached.
 */
export async function admitCall(deps: AdmissionDeps, request: AdmitRequest): Promise<Admission> {
  const dialled = await whoseNumber(deps.db, request.calledNumber);
  if (dialled === null || dialled.tenantStatus === 'deleted') return refused('unknown_did');
  // Before the transaction: a slow Redis must not hold a connection to PostgreSQL.
  const nodes = await deps.mediaNodes.live();
  return deps.db.inTenant(dialled.tenantId, (em) => admitInTenant({ ...deps, em, nodes, dialled, request }));
}

/** International readings first: a national form is only considered when nobody has the number as dialled. */
async function whoseNumber(db: Database, calledNumber: string): Promise<DialledNumber | null> {
  return (await db.resolveDid(internationalReadings(calledNumber))) ?? db.resolveDid(nationalReadings(calledNumber));
}

interface Context extends AdmissionDeps {
  readonly em: ScopedEntityManager;
  readonly nodes: readonly MediaNode[];
  readonly dialled: DialledNumber;
  readonly request: AdmitRequest;
}

async function admitInTenant(context: Context): Promise<Admission> {
  const { em, request, dialled } = context;
  const [tenant, phone] = await Promise.all([
    em.findOneOrFail(Tenant, { id: dialled.tenantId }, { populate: ['wrappedDataKey'] }),
    em.findOneOrFail(PhoneNumber, { id: dialled.phoneNumberId }),
  ]);
  const stored = await em.findOne(Call, { id: request.callRecordId });
  if (stored !== null) return answerAgain(context, tenant, stored);
  const profile = await em.findOne(AIProfile, phone.aiProfileId == null ? { isDefault: true } : { id: phone.aiProfileId });
  const refusal = refusalFor(dialled, profile);
  const node = refusal === null ? context.nodeChooser.choose(context.nodes, context.now().getTime()) : null;
  const call = await insertOnce(context, { tenant, refusal: refusal ?? (node === null ? 'no_capacity' : null), node, profile });
  if (call === null) return answerAgain(context, tenant, await em.findOneOrFail(Call, { id: request.callRecordId }));
  if (call.disposition === 'rejected' || node === null || profile === null) return refused(call.reason as Refusal, call);
  return accepted(context, { tenant, profile, node });
}

function refusalFor(dialled: DialledNumber, profile: AIProfile | null): Refusal | null {
  if (dialled.tenantStatus !== 'active') return 'tenant_suspended';
  if (!dialled.isActive) return 'inactive_did';
  return profile === null ? 'no_profile' : null;
}

interface Decision {
  readonly tenant: Tenant;
  readonly refusal: Refusal | null;
  readonly node: MediaNode | null;
  readonly profile: AIProfile | null;
}

/** Null when the same call was put on record at the same moment by someone else. */
async function insertOnce(context: Context, decision: Decision): Promise<Call | null> {
  const { em, request, dialled, vault } = context;
  const { tenant, refusal, node, profile } = decision;
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
      status: refusal === null ? 'initiated' : 'rejected',
      disposition: refusal === null ? null : 'rejected',
      reason: refusal,
      callerNumberHash: number === null ? null : vault.hash(tenant.id, number),
      callerNumberSealed: raw === null ? null : vault.sealNumber(number ?? raw, keyOwner(tenant, request.callRecordId)),
      phoneNumberId: dialled.phoneNumberId,
      aiProfileId: profile?.id ?? null,
      mediaNode: node?.id ?? null,
      startedAt: arrivedAt,
      endedAt: refusal === null ? null : arrivedAt,
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

async function answerAgain(context: Context, tenant: Tenant, stored: Call): Promise<Admission> {
  const { em, nodes } = context;
  if (stored.disposition === 'rejected') return refused(stored.reason as Refusal, stored);
  const profile = stored.aiProfileId == null ? null : await em.findOne(AIProfile, { id: stored.aiProfileId });
  // The node first chosen may have died since.
  const node = nodes.find(({ id }) => id === stored.mediaNode) ?? context.nodeChooser.choose(nodes, context.now().getTime());
  if (profile === null || node === null)
    return refused(reject(stored, profile === null ? 'no_profile' : 'no_capacity', context.now()), stored);
  stored.mediaNode = node.id;
  return accepted(context, { tenant, profile, node });
}

/** An admitted call that nobody can take any more; a call that has ended stays as it ended. */
function reject(call: Call, reason: Refusal, at: Date): Refusal {
  if (call.disposition == null) Object.assign(call, { status: 'rejected', disposition: 'rejected', reason, endedAt: at });
  return reason;
}

function accepted(context: Context, { tenant, profile, node }: { tenant: Tenant; profile: AIProfile; node: MediaNode }): Admission {
  const { request } = context;
  const plan = buildCallPlan(
    { callId: request.callRecordId, channelId: request.channelId, arrivedAt: new Date(request.arrivedAt), business: tenant, profile },
    context.plan,
  );
  return {
    response: {
      status: 'accepted',
      call_record_id: request.callRecordId,
      tenant_id: tenant.id,
      message: messages.accepted,
      media_app: node.app,
    },
    plan,
    node,
  };
}

function refused(status: Refusal, call?: { readonly id: string; readonly tenantId: string }): Admission {
  const response = {
    status,
    call_record_id: call?.id ?? null,
    tenant_id: call?.tenantId ?? null,
    message: messages[status],
    media_app: null,
  };
  return { response, plan: null, node: null };
}

export const keyOwner = (tenant: Tenant, callId: string) => ({ tenantId: tenant.id, callId, wrappedDataKey: tenant.wrappedDataKey });
