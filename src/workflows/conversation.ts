/** One talk, from the first word to its end, over any number of activity attempts. */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { CallPlan } from '../contracts/call-plan.ts';
import type { ConverseRequest, ConverseResult } from '../contracts/call-workflow.ts';
import type { MediaNode } from '../contracts/media-node.ts';

/** How long after its last beat a worker counts as dead. The talk goes on meanwhile; its tools and turns wait. */
const HEARTBEAT_TIMEOUT_MS = 3_000;
/** Ringing, goodbye and the wait for PostgreSQL after the talk, on top of the longest talk. */
const SLACK_MS = 60_000;
const CLOSING_MS = 30_000;

const retry = { initialInterval: 200, backoffCoefficient: 1.5, maximumInterval: 2_000, nonRetryableErrorTypes: ['no_media_node'] };

/** A talk without a result: nobody knows more than that it failed. */
export interface LostTalk {
  readonly lost: true;
  /** Error code. */
  readonly reason: string;
}

export interface Talk {
  readonly plan: CallPlan;
  /** Who holds the call now, as far as the workflow was told. */
  owner(): { readonly node: MediaNode; readonly epoch: number };
  /** Cancelling it asks the media node for a polite end. */
  readonly scope: CancellationScope;
  /** Why the call should end early; asked after the talk was cancelled or timed out. */
  hangupReason(): string | null;
}

/**
 * The media nodes' account of the talk. A worker that dies is followed by another attempt on the
 * same session; a node that dies is followed by another node within the attempt.
 */
export async function holdConversation(talk: Talk): Promise<ConverseResult | LostTalk> {
  const { plan } = talk;
  const request: ConverseRequest = { plan, ...talk.owner(), hangup: null };
  const longestMs = plan.limits.maxDurationSeconds * 1_000 + SLACK_MS;
  const { converse } = proxyActivities<Activities>({
    startToCloseTimeout: longestMs,
    scheduleToCloseTimeout: longestMs,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    // The account of a talk that was asked to end comes from the node that ends it.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry,
    summary: `Conversation, begun on ${request.node.id}`,
  });
  try {
    return await talk.scope.run(() => converse(request));
  } catch (error) {
    const reason = failureCode(error);
    // The node may still be talking: nobody listened when the wish to end came, or time ran out.
    const unattended = isCancellation(error) || talk.hangupReason() !== null || reason === 'timeout';
    if (!unattended) return { lost: true, reason };
    return close({ ...request, ...talk.owner(), hangup: talk.hangupReason() ?? reason });
  }
}

async function close(request: ConverseRequest): Promise<ConverseResult | LostTalk> {
  const { converse } = proxyActivities<Activities>({
    scheduleToCloseTimeout: CLOSING_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    retry,
    summary: `Hang up on ${request.node.id}`,
  });
  try {
    return await CancellationScope.nonCancellable(() => converse(request));
  } catch (error) {
    return { lost: true, reason: failureCode(error) };
  }
}

export function failureCode(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return cause.type ?? 'internal';
  return cause instanceof TimeoutFailure ? 'timeout' : 'internal';
}
