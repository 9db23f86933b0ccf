/**
 * Why an attempt should stop before the talk ends by itself. Temporal tells one of several stories
 * with the same cancellation; each needs another answer towards the caller.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, CancelledFailure, type Context } from '@temporalio/activity';
import { ServiceError } from '@temporalio/client';
import type { StopWish } from './talk.ts';

const ASK_TIMEOUT_MS = 3_000;
const ASK_PAUSE_MS = 1_000;

export function watchStop(context: Context, hangupFromStart: string | null): StopWish {
  const hangup = Promise.withResolvers<string>();
  const leave = Promise.withResolvers<never>();
  leave.promise.catch(() => undefined);
  if (hangupFromStart !== null) hangup.resolve(hangupFromStart);
  const decide = async (): Promise<void> => {
    const details = context.cancellationDetails;
    if (details?.workerShutdown === true) {
      leave.reject(ApplicationFailure.retryable('This worker is shutting down; another one goes on', 'worker_shutdown'));
    } else if (details?.cancelRequested === true) {
      hangup.resolve('operator');
    } else if (await workflowIsOver(context)) {
      // Terminated in the UI: no handler runs there, so the caller would talk on with nobody in charge.
      hangup.resolve('workflow_terminated');
    } else if (details?.timedOut === true) {
      // Of the worker's own clock, while Temporal was away; it will start another attempt, and sooner when it is told.
      leave.reject(ApplicationFailure.retryable('Temporal was away for longer than the heartbeat timeout', 'temporal_away'));
    } else {
      leave.reject(new CancelledFailure('Another attempt has taken over'));
    }
  };
  if (context.cancellationSignal.aborted) void decide();
  else context.cancellationSignal.addEventListener('abort', () => void decide(), { once: true });
  return { hangup: hangup.promise, leave: leave.promise };
}

/**
 * Waits for Temporal to say: while it is away there is no other attempt, and a talk that this one
 * let go would have nobody for its tools and turns.
 */
async function workflowIsOver({ info, client }: Context): Promise<boolean> {
  const execution = info.workflowExecution;
  if (execution === undefined) return false;
  const handle = client.workflow.getHandle(execution.workflowId, execution.runId);
  for (;;) {
    try {
      const description = await client.withDeadline(Date.now() + ASK_TIMEOUT_MS, () => handle.describe());
      return description.status.name !== 'RUNNING';
    } catch (error) {
      // Anything but a server out of reach, such as a workflow that is not known: letting go is always safe, hanging up is not.
      if (!(error instanceof ServiceError)) return false;
      await sleep(ASK_PAUSE_MS, undefined, { ref: false });
    }
  }
}
