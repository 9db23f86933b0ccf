/**
 * Why an attempt should stop before the talk ends by itself. Temporal tells one of several stories
 * with the same cancellation; each needs another answer towards the caller.
 */
import { ApplicationFailure, CancelledFailure, type Context } from '@temporalio/activity';
import type { StopWish } from './talk.ts';

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
    } else {
      leave.reject(new CancelledFailure('Another attempt has taken over'));
    }
  };
  if (context.cancellationSignal.aborted) void decide();
  else context.cancellationSignal.addEventListener('abort', () => void decide(), { once: true });
  return { hangup: hangup.promise, leave: leave.promise };
}

/** False when Temporal cannot say: letting go is always safe, hanging up is not. */
async function workflowIsOver(context: Context): Promise<boolean> {
  const execution = context.info.workflowExecution;
  if (execution === undefined) return false;
  try {
    const description = await context.client.workflow.getHandle(execution.workflowId, execution.runId).describe();
    return description.status.name !== 'RUNNING';
  } catch {
    return false;
  }
}
