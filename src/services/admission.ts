/** Takes a call in, or refuses it: number → tenant → profile → line → media node, and one row that says so. */
import type { Admission, AdmitRequest } from '../contracts/call-workflow.ts';
import type { MediaNode } from '../contracts/media-node.ts';
import { carries } from '../contracts/twilio.ts';
import { AIProfile } from '../db/entities/ai-profile.ts';
import { Call } from '../db/entities/call.ts';
import { PhoneNumber } from '../db/entities/phone-number.ts';
import { Tenant } from '../db/entities/tenant.ts';
import type { Database, DialledNumber, ScopedEntityManager } from '../db/tenant-scope.ts';
import { internationalReadings, nationalReadings } from '../lib/phone-numbers.ts';
import { accepted, over, refused, type Refusal } from './admission-answer.ts';
import { insertCall, MISSED_REASON } from './admission-record.ts';
import { requestLine } from './call-lines.ts';
import type { PlanSettings } from './call-plan.ts';
import { readCourse } from './call-course.ts';
import type { MediaNodes, NodeChooser } from './media-nodes.ts';
import type { NumberVault } from './number-vault.ts';

export interface AdmissionDeps {
  readonly db: Database;
  readonly vault: NumberVault;
  readonly mediaNodes: MediaNodes;
  readonly nodeChooser: NodeChooser;
  readonly plan: PlanSettings;
  /** Of the whole platform. */
  readonly maxConcurrentCalls: number;
  readonly now: () => Date;
}

/**
 * Why the question is asked.
 * - `workflow`: the call's workflow answers the webhook.
 * - `fail_open`: the API answers it, because Temporal cannot; from then on the call counts as live,
 *   whatever its workflow thinks of its own failed answer.
 * - `missed`: nobody waits for an answer any more; the call gets a record, and no line.
 */
export type AdmissionMode = 'workflow' | 'fail_open' | 'missed';

/**
 * Safe to repeat: a call that is already on record gets the answer it got before. Refusals are data.
 * @throws HoldfastError dependency_unavailable (retryable) when PostgreSQL cannot be reached.
 */
export async function admitCall(deps: AdmissionDeps, request: AdmitRequest, mode: AdmissionMode = 'workflow'): Promise<Admission> {
  const dialled = await whoseNumber(deps.db, request.calledNumber);
  if (dialled === null || dialled.tenantStatus === 'deleted') return refused('unknown_did');
  // Before the transaction: a slow Redis must not hold a connection to PostgreSQL.
  const nodes = await deps.mediaNodes.live();
  return deps.db.inTenant(dialled.tenantId, (em) => admitInTenant({ ...deps, em, nodes, dialled, request, mode }));
}

/** International readings first: a national form is only considered when nobody has the number as dialled. */
async function whoseNumber(db: Database, calledNumber: string): Promise<DialledNumber | null> {
  return (await db.resolveDid(internationalReadings(calledNumber))) ?? db.resolveDid(nationalReadings(calledNumber));
}

export interface AdmissionContext extends AdmissionDeps {
  readonly em: ScopedEntityManager;
  readonly nodes: readonly MediaNode[];
  readonly dialled: DialledNumber;
  readonly request: AdmitRequest;
  readonly mode: AdmissionMode;
}

async function admitInTenant(context: AdmissionContext): Promise<Admission> {
  const { em, dialled, mode } = context;
  const [tenant, phone] = await Promise.all([
    em.findOneOrFail(Tenant, { id: dialled.tenantId }, { populate: ['wrappedDataKey'] }),
    em.findOneOrFail(PhoneNumber, { id: dialled.phoneNumberId }),
  ]);
  const stored = await findStored(context);
  if (stored !== null) return answerAgain(context, tenant, stored);
  const profile = await em.findOne(AIProfile, phone.aiProfileId == null ? { isDefault: true } : { id: phone.aiProfileId });
  const refusal = refusalFor(dialled, profile);
  const place = refusal === null && mode !== 'missed' ? await findPlace(context, tenant) : { refusal, node: null };
  const missed = mode === 'missed' && refusal === null;
  const call = await insertCall(context, { tenant, profile, ...place, missed });
  if (call === null) return answerAgain(context, tenant, (await findStored(context)) as Call);
  if (missed) return over(call, { turnCount: 0, latestTurns: [] });
  if (place.node === null || profile === null) return refused(place.refusal ?? 'no_capacity', call);
  return accepted(context, { tenant, profile, node: place.node });
}

/** Locked: a workflow that gives a call up and an API that answers for it must not both have their way. */
async function findStored({ em, request }: AdmissionContext): Promise<Call | null> {
  // Not the ORM's lock mode: that one would lock the tenant's row as well, which no tenant may.
  const found = await em.execute('select from calls where id = ? for update', [request.callRecordId]);
  return found.length === 0 ? null : em.findOneOrFail(Call, { id: request.callRecordId });
}

function refusalFor(dialled: DialledNumber, profile: AIProfile | null): Refusal | null {
  if (dialled.tenantStatus !== 'active') return 'tenant_suspended';
  if (!dialled.isActive) return 'inactive_did';
  return profile === null ? 'no_profile' : null;
}

interface Place {
  readonly refusal: Refusal | null;
  readonly node: MediaNode | null;
}

/** A line of the tenant's and a media node with room. From here on other admissions wait until this one is on record. */
async function findPlace(context: AdmissionContext, tenant: Tenant): Promise<Place> {
  const { em, nodes, maxConcurrentCalls } = context;
  const refusal = await requestLine({ em, tenant, nodes, maxConcurrentCalls });
  if (refusal !== null) return { refusal, node: null };
  const node = chooseNode(context);
  return { refusal: node === null ? 'no_capacity' : null, node };
}

/** Of those that can hold a call of its kind. */
function chooseNode({ nodeChooser, nodes, request, now }: AdmissionContext): MediaNode | null {
  const able = nodes.filter((node) => carries(node, request.channelId));
  return nodeChooser.choose(able, now().getTime());
}

async function answerAgain(context: AdmissionContext, tenant: Tenant, stored: Call): Promise<Admission> {
  const { em, nodes, mode } = context;
  if (stored.disposition === 'rejected') return refused(stored.reason as Refusal, stored);
  if (mode === 'missed' && stored.disposition == null && stored.admittedBy === 'workflow') {
    Object.assign(stored, { status: 'failed', disposition: 'error', reason: MISSED_REASON, endedAt: context.now() });
  }
  if (stored.disposition != null) return over(stored, await readCourse(em, stored.id));
  if (mode === 'fail_open') stored.admittedBy = 'fail_open';
  const profile = stored.aiProfileId == null ? null : await em.findOne(AIProfile, { id: stored.aiProfileId });
  // The node first chosen may have died since.
  const node = nodes.find(({ id }) => id === stored.mediaNode) ?? chooseNode(context);
  if (profile === null || node === null) {
    const reason = profile === null ? 'no_profile' : 'no_capacity';
    Object.assign(stored, { status: 'rejected', disposition: 'rejected', reason, endedAt: context.now() });
    return refused(reason, stored);
  }
  stored.mediaNode = node.id;
  return accepted(context, { tenant, profile, node });
}
