/**
 * One inbound call: admitted, talked, closed. The workflow holds the decisions; whatever touches
 * the world is an activity. A ten-turn call takes 25 events of history.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  proxyActivities,
  proxyLocalActivities,
  currentUpdateInfo,
  setCurrentDetails,
  setHandler,
  workflowInfo,
  uuid4,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type {
  Admission,
  AdmitRequest,
  CallOutcome,
  ConverseResult,
  EndedCall,
  HangupRequest,
  HangupResponse,
  SteerResponse,
  TurnsSignal,
} from '../contracts/call-workflow.ts';
import type { SteerCommand } from '../domain/steering.ts';
import type { MediaNode } from '../contracts/media-node.ts';
import type { InboundWebhookResponse } from '../contracts/telephony-webhook.ts';
import { callDetails, newCallView, withTurns, type CallView } from './call-details.ts';
import { failureCode, holdConversation, type LostTalk } from './conversation.ts';
import { checkSayText, checkSipAddress, steeringFailure } from './steering.ts';
import { admit, hangup, say, transfer, turns } from './messages.ts';
import { markCall } from './search-attributes.ts';

/** The webhook waits for these, so they answer or fail within its deadline. */
const quick = proxyLocalActivities<Activities>({
  scheduleToCloseTimeout: 1_400,
  startToCloseTimeout: 700,
  retry: { initialInterval: 100, maximumAttempts: 2 },
});
/** An operator waits for it; the signals of the talk do as well. */
const brief = proxyLocalActivities<Activities>({
  scheduleToCloseTimeout: 4_000,
  startToCloseTimeout: 2_500,
  retry: { initialInterval: 200, maximumAttempts: 4 },
});
/** A local activity holds a workflow task open; while PostgreSQL is away for long, a normal one waits at no cost. */
const patient = proxyActivities<Activities>({
  startToCloseTimeout: 10_000,
  retry: { initialInterval: 500, backoffCoefficient: 2, maximumInterval: 15_000 },
});

/** An operator's own wishes, for those who look at the call later. */
const SHOWN_WISHES = 20;
/** No dialplan waits for so long: a workflow whose first worker came that late has nobody to answer. */
const WEBHOOK_OVER_MS = 10_000;

export async function inboundCall(request: AdmitRequest): Promise<CallOutcome> {
  return new InboundCall(request).run();
}

class InboundCall {
  readonly #request: AdmitRequest;
  /** Cancelled when the talk should end early. */
  readonly #talkScope = new CancellationScope();
  #view: CallView;
  #admission: Promise<Admission> | undefined;
  #owner: { readonly node: MediaNode; readonly epoch: number } | undefined;

  constructor(request: AdmitRequest) {
    this.#request = request;
    this.#view = newCallView(request);
    // Before anything is awaited: the update arrives with the start.
    setHandler(admit, () => this.#answerWebhook(), { description: 'The answer to the webhook that brought this call.' });
    setHandler(hangup, (wish) => this.#hangup(wish), {
      validator: (wish) => this.#validateHangup(wish),
      description: 'Ends the call with a goodbye. Argument: {"reason": "why, in a few words, no names"}',
    });
    setHandler(say, ({ text }) => this.#steer({ kind: 'say', text: text.trim() }), {
      validator: (wish) => this.#validateSteering(() => checkSayText(wish?.text)),
      description: 'The agent says this as soon as nobody speaks. Argument: {"text": "1 to 500 characters, one line"}',
    });
    setHandler(transfer, ({ to }) => this.#steer({ kind: 'transfer', to }), {
      validator: (wish) => this.#validateSteering(() => checkSipAddress(wish?.to)),
      description:
        'Sends the caller to a SIP address after a short announcement; they come back when nobody answers there. Argument: {"to": "sip:user@host"}',
    });
    setHandler(turns, (batch) => this.#hearTurns(batch), { description: 'What was said, in batches; sent by converse.' });
  }

  /** Nothing here is cut short by the workflow's own cancellation: that means "end the call", and the call has to be closed. */
  async run(): Promise<CallOutcome> {
    this.#show({});
    const outcome = await this.#admit().then(
      (admission) => this.#talk(admission),
      () => this.#recordMissedCall(),
    );
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    return outcome;
  }

  /** Once, whoever asks first: the update, or the workflow itself when it was started without one. */
  #admit(): Promise<Admission> {
    const late = Date.now() - workflowInfo().startTime.getTime() > WEBHOOK_OVER_MS;
    const request = late ? { ...this.#request, missed: true } : this.#request;
    this.#admission ??= CancellationScope.nonCancellable(() => quick.admitCall(request));
    return this.#admission;
  }

  /** The outcome is stored with the update: a webhook that is sent again gets the same answer, or fails again. */
  async #answerWebhook(): Promise<InboundWebhookResponse> {
    try {
      return (await this.#admit()).response;
    } catch (error) {
      const message = `The call could not be admitted in time: ${failureCode(error)}`;
      throw ApplicationFailure.create({ type: 'admission_timeout', message, nonRetryable: true });
    }
  }

  async #talk({ response, plan, node, over }: Admission): Promise<CallOutcome> {
    if (over != null) return this.#alreadyOver(response.tenant_id, over);
    if (plan === null || node === null) return this.#refused(response);
    this.#owner = { node, epoch: 1 };
    markCall({ tenant: plan.tenantId, direction: 'inbound', state: 'admitted', mediaNode: node.id });
    this.#show({ tenantId: plan.tenantId, mediaNode: node.id, epoch: 1 });
    const owner = () => this.#owner ?? { node, epoch: 1 };
    const talk = await holdConversation({ plan, owner, scope: this.#talkScope, hangupReason: () => this.#hangupReason() });
    return this.#close(plan.tenantId, 'lost' in talk ? this.#resultOf(talk) : talk);
  }

  #refused({ tenant_id: tenantId, status: reason }: InboundWebhookResponse): CallOutcome {
    markCall({ tenant: tenantId, direction: 'inbound', state: 'ended', disposition: 'rejected' });
    this.#show({ tenantId, state: 'ended', disposition: 'rejected', reason });
    return { disposition: 'rejected', reason, turnCount: 0 };
  }

  /** Admitted without Temporal, and ended before it was back: what is left is to show it. */
  #alreadyOver(tenantId: string | null, ended: EndedCall): CallOutcome {
    const { disposition, reason, answeredAt, endedAt, turnCount, latestTurns } = ended;
    markCall({ tenant: tenantId, direction: 'inbound', state: 'ended', disposition });
    this.#view = withTurns(this.#view, latestTurns);
    this.#show({ tenantId, state: 'ended', disposition, reason, answeredAt, endedAt });
    return { disposition, reason, turnCount };
  }

  /**
   * The webhook has failed and the caller heard the PBX's fallback; what remains is an honest record. If
   * the API has taken the call in spite of us, there is a talk to hold.
   */
  async #recordMissedCall(): Promise<CallOutcome> {
    const admission = await CancellationScope.nonCancellable(() => patient.admitCall({ ...this.#request, missed: true }));
    const { response, plan, over } = admission;
    // Version 0.1 had only a plan, and closed the call itself.
    if (over !== undefined) return this.#talk(admission);
    if (plan === null) return this.#refused(response);
    markCall({ tenant: plan.tenantId, direction: 'inbound' });
    this.#show({ tenantId: plan.tenantId });
    return this.#close(plan.tenantId, this.#resultOf({ lost: true, reason: 'admission_timeout' }));
  }

  async #close(tenantId: string, result: Result): Promise<CallOutcome> {
    const { turnCount, latestTurns, ...facts } = result;
    const { answeredAt, endedAt } = facts;
    this.#view = withTurns(this.#view, latestTurns);
    const input = { ...facts, callId: this.#request.callRecordId, tenantId };
    let end = { disposition: facts.disposition, reason: facts.reason };
    try {
      // PostgreSQL knows better when converse could write the end there, and Temporal was away when it wanted to say so.
      const stored = await CancellationScope.nonCancellable(() => quick.finalizeCall(input).catch(() => patient.finalizeCall(input)));
      end = { disposition: stored.disposition, reason: stored.reason ?? facts.reason };
    } finally {
      // A record that can never be closed (its tenant was deleted) fails the workflow, which is to be seen; the call is over all the same.
      markCall({ state: 'ended', disposition: end.disposition });
      this.#show({ state: 'ended', ...end, answeredAt, endedAt });
    }
    return { ...end, turnCount: Math.max(turnCount, this.#view.turnCount) };
  }

  #hangup({ reason }: HangupRequest): HangupResponse {
    this.#show({ hangupReason: this.#view.hangupReason ?? reason });
    this.#talkScope.cancel();
    return { status: 'accepted' };
  }

  #validateHangup(wish: HangupRequest | undefined): void {
    const reason: unknown = wish?.reason;
    if (typeof reason !== 'string' || reason.length === 0 || reason.length > 100) {
      throw ApplicationFailure.nonRetryable('reason must be 1 to 100 characters', 'invalid_request');
    }
    if (this.#view.disposition !== null) throw ApplicationFailure.nonRetryable('The call has ended', 'conflict');
  }

  /** Answered once the media node has taken it in. */
  async #steer(command: SteerCommand): Promise<SteerResponse> {
    const { tenantId } = this.#view;
    if (this.#owner === undefined || tenantId === null) throw steeringFailure('conflict', 'The call is not connected yet');
    const id = currentUpdateInfo()?.id ?? uuid4();
    const { callRecordId: callId } = this.#request;
    try {
      const request = { callId, tenantId, ...this.#owner, id, command };
      await CancellationScope.nonCancellable(() => brief.steerCall(request));
    } catch (error) {
      throw steeringFailure(failureCode(error));
    }
    this.#show({ wishes: [...this.#view.wishes, command].slice(-SHOWN_WISHES) });
    return { status: 'accepted' };
  }

  #validateSteering(checkArgument: () => void): void {
    checkArgument();
    if (this.#view.disposition !== null || this.#view.hangupReason !== null)
      throw steeringFailure('conflict', 'The call is ending or has ended');
  }

  #hearTurns({ turns: batch, state, node, epoch }: TurnsSignal): void {
    this.#view = withTurns(this.#view, batch);
    if (node !== undefined && epoch !== undefined) this.#moved(node, epoch);
    this.#show(this.#view.disposition === null ? { state } : {});
  }

  #moved(node: MediaNode, epoch: number): void {
    if (this.#owner === undefined || epoch <= this.#owner.epoch) return;
    if (node.id !== this.#owner.node.id) markCall({ mediaNode: node.id });
    this.#owner = { node, epoch };
    this.#show({ mediaNode: node.id, epoch });
  }

  #show(change: Partial<CallView>): void {
    this.#view = { ...this.#view, ...change };
    setCurrentDetails(callDetails(this.#view));
  }

  #hangupReason(): string | null {
    return this.#view.hangupReason ?? (CancellationScope.current().consideredCancelled ? 'workflow_cancelled' : null);
  }

  /** What is known about a talk that nobody could tell the end of. */
  #resultOf(talk: LostTalk): Result {
    const hangupReason = this.#hangupReason();
    return {
      disposition: hangupReason === null ? 'error' : 'operator_hangup',
      reason: hangupReason ?? talk.reason,
      answeredAt: null,
      endedAt: null,
      turnCount: 0,
      usage: { sttSeconds: 0, llmPromptTokens: 0, llmCompletionTokens: 0, ttsCharacters: 0 },
      latestTurns: [],
      unstoredTurns: [],
    };
  }
}

type Result = Omit<ConverseResult, 'endedAt'> & { readonly endedAt: string | null };
