/**
 * One inbound call: admitted, talked, closed. The workflow holds the decisions; whatever touches
 * the world is an activity. A ten-turn call takes about 25 events of history.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { AdmitRequest, Admission, CallOutcome, ConverseResult, HangupRequest, HangupResponse } from '../contracts/call-workflow.ts';
import { callDetails, withTurns, type CallView } from './call-details.ts';
import { failureCode, holdConversation, type LostTalk } from './conversation.ts';
import { admit, hangup, turns } from './messages.ts';
import { markCall } from './search-attributes.ts';

/** The webhook waits for it, so it must answer or fail within the webhook's deadline. */
const quick = proxyLocalActivities<Activities>({
  scheduleToCloseTimeout: 1_400,
  startToCloseTimeout: 700,
  retry: { initialInterval: 100, maximumAttempts: 2 },
});
/** A local activity would hold a workflow task open: when PostgreSQL is down for long, a normal one waits at no cost. */
const patient = proxyActivities<Activities>({
  startToCloseTimeout: 10_000,
  retry: { initialInterval: 500, backoffCoefficient: 2, maximumInterval: 15_000 },
});

export async function inboundCall(request: AdmitRequest): Promise<CallOutcome> {
  const scope = new CancellationScope();
  let view = firstView(request);
  const show = (change: Partial<CallView>): void => {
    view = { ...view, ...change };
    setCurrentDetails(callDetails(view));
  };
  let admission: Promise<Admission> | undefined;
  setHandler(admit, async () => {
    // Whoever comes first starts it: the update normally, the workflow itself when it was started without one.
    admission ??= CancellationScope.nonCancellable(() => quick.admitCall(request));
    return (await admission.catch(rejectAdmission)).response;
  });
  setHandler(hangup, ({ reason }: HangupRequest): HangupResponse => {
    show({ hangupReason: view.hangupReason ?? reason });
    scope.cancel();
    return { status: 'accepted' };
  }, { validator: (wish) => validateHangup(wish, view) });
  setHandler(turns, (batch) => {
    view = withTurns(view, batch.turns);
    show({ state: view.disposition === null ? batch.state : 'ended' });
  });
  show({});
  // The workflow's own cancellation must not cut it short: the caller may be connected already.
  admission ??= CancellationScope.nonCancellable(() => quick.admitCall(request));
  const outcome = await admission.then(
    (admitted) => runAdmitted(admitted),
    () => closeUnadmitted(),
  );
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  return outcome;

  async function runAdmitted({ response, plan, node }: Admission): Promise<CallOutcome> {
    if (plan === null || node === null) return refused(response.tenant_id, response.status);
    markCall({ tenant: plan.tenantId, direction: 'inbound', state: 'admitted', mediaNode: node.id });
    show({ tenantId: plan.tenantId, mediaNode: node.id, state: view.state === 'admitted' ? 'connecting' : view.state });
    const talk = await holdConversation({ plan, node, scope, hangupReason: () => hangupReason(view) });
    return finish(plan.tenantId, talk);
  }

  async function finish(tenantId: string, talk: ConverseResult | LostTalk): Promise<CallOutcome> {
    const result = 'lost' in talk ? resultOfLost(talk, hangupReason(view)) : talk;
    const { turnCount, latestTurns, ...facts } = result;
    view = withTurns(view, latestTurns);
    const input = { ...facts, callId: request.callRecordId, tenantId };
    await CancellationScope.nonCancellable(() => quick.finalizeCall(input).catch(() => patient.finalizeCall(input)));
    markCall({ state: 'ended', disposition: result.disposition });
    show({ state: 'ended', disposition: result.disposition, reason: result.reason, answeredAt: result.answeredAt, endedAt: result.endedAt });
    return { disposition: result.disposition, reason: result.reason, turnCount: Math.max(turnCount, view.turnCount) };
  }

  function refused(tenantId: string | null, reason: string): CallOutcome {
    markCall({ tenant: tenantId, direction: 'inbound', state: 'ended', disposition: 'rejected' });
    show({ tenantId, state: 'ended', disposition: 'rejected', reason });
    return { disposition: 'rejected', reason, turnCount: 0 };
  }

  /** The webhook has long failed and the caller heard the PBX's fallback; what remains is an honest record. */
  async function closeUnadmitted(): Promise<CallOutcome> {
    const { response, plan } = await CancellationScope.nonCancellable(() => patient.admitCall(request));
    if (plan === null) return refused(response.tenant_id, response.status);
    markCall({ tenant: plan.tenantId, direction: 'inbound' });
    show({ tenantId: plan.tenantId });
    return finish(plan.tenantId, { lost: true, reason: 'admission_timeout' });
  }
}

function firstView(request: AdmitRequest): CallView {
  return {
    callId: request.callRecordId,
    state: 'admitted',
    tenantId: null,
    mediaNode: null,
    arrivedAt: request.arrivedAt,
    answeredAt: null,
    endedAt: null,
    disposition: null,
    reason: null,
    hangupReason: null,
    turnCount: 0,
    turns: [],
  };
}

/** The stored outcome of the update: a webhook that is sent again fails again, and the PBX's fallback speaks. */
function rejectAdmission(error: unknown): never {
  throw ApplicationFailure.create({
    type: 'admission_timeout',
    message: `The call could not be admitted in time: ${failureCode(error)}`,
    nonRetryable: true,
  });
}

function validateHangup(wish: HangupRequest, view: CallView): void {
  if (typeof wish.reason !== 'string' || wish.reason.length === 0 || wish.reason.length > 100) {
    throw ApplicationFailure.nonRetryable('reason must be 1 to 100 characters', 'invalid_request');
  }
  if (view.disposition !== null) throw ApplicationFailure.nonRetryable('The call has ended', 'conflict');
}

function hangupReason(view: CallView): string | null {
  const cancelled = CancellationScope.current().consideredCancelled;
  return view.hangupReason ?? (cancelled ? 'workflow_cancelled' : null);
}

function resultOfLost(talk: LostTalk, hangupCause: string | null): Omit<ConverseResult, 'endedAt'> & { endedAt: string | null } {
  return {
    disposition: hangupCause === null ? 'error' : 'operator_hangup',
    reason: hangupCause === null ? talk.reason : hangupCause,
    answeredAt: null,
    endedAt: null,
    turnCount: 0,
    usage: { sttSeconds: 0, llmPromptTokens: 0, llmCompletionTokens: 0, ttsCharacters: 0 },
    latestTurns: [],
    unstoredTurns: [],
  };
}
