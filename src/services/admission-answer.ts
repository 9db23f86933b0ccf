/** What an admission tells the webhook and the workflow. */
import type { Admission, CallCourse } from '../contracts/call-workflow.ts';
import type { MediaNode } from '../contracts/media-node.ts';
import type { AdmissionStatus } from '../contracts/telephony-webhook.ts';
import type { AIProfile } from '../db/entities/ai-profile.ts';
import type { Call } from '../db/entities/call.ts';
import type { Tenant } from '../db/entities/tenant.ts';
import type { AdmissionContext } from './admission.ts';
import { buildCallPlan } from './call-plan.ts';

export type Refusal = Exclude<AdmissionStatus, 'accepted'>;

const messages: Record<AdmissionStatus, string> = {
  accepted: 'The call is admitted.',
  unknown_did: 'No business answers this number.',
  inactive_did: 'This number is not in service.',
  tenant_suspended: 'This business does not take calls at the moment.',
  no_profile: 'No agent is set up for this number.',
  over_limit: 'This business has as many calls as it may have at once.',
  over_share: 'All lines are busy; this business has its share of them.',
  no_capacity: 'Every agent is busy.',
};

export function accepted(
  context: Pick<AdmissionContext, 'request' | 'plan' | 'nodes' | 'nodeChooser'>,
  { tenant, profile, node }: { tenant: Tenant; profile: AIProfile; node: MediaNode },
): Admission {
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
      standby_app: context.nodeChooser.standby(context.nodes, node)?.app ?? null,
    },
    plan,
    node,
    over: null,
  };
}

export function refused(status: Refusal, call?: { readonly id: string; readonly tenantId: string }): Admission {
  return {
    response: { ...nowhere(status), call_record_id: call?.id ?? null, tenant_id: call?.tenantId ?? null },
    plan: null,
    node: null,
    over: null,
  };
}

/** A call that has ended before anybody asked (again): there is nowhere left to go. */
export function over(call: Call, course: CallCourse): Admission {
  const { id, tenantId, disposition, reason, answeredAt, endedAt, startedAt } = call;
  return {
    response: { ...nowhere('accepted'), call_record_id: id, tenant_id: tenantId },
    plan: null,
    node: null,
    over: {
      disposition: disposition ?? 'error',
      reason: reason ?? '',
      answeredAt: answeredAt?.toISOString() ?? null,
      endedAt: (endedAt ?? startedAt).toISOString(),
      ...course,
    },
  };
}

const nowhere = (status: AdmissionStatus) => ({ status, message: messages[status], media_app: null, standby_app: null });
