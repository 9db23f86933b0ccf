/** The janitor's schedule: made by every worker at its start, and run at once when somebody asks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleHandle, type ScheduleOptions } from '@temporalio/client';
import { JANITOR_WORKFLOW, janitorScheduleId, type JanitorReport } from '../src/contracts/janitor.ts';
import { errorFacts, type Logger } from '../src/telemetry.ts';

/** The shortest that Temporal allows: a run that was missed while it was away is worth nothing later. */
const CATCH_UP_MS = 10_000;
/** A run without a worker gives up before the next one is due. */
const RUN_TIMEOUT_MS = 55_000;
const ENSURE_PAUSE_MS = 5_000;

const STATIC_DETAILS = [
  'Compares what Asterisk, the media nodes, Temporal, PostgreSQL and Redis say about calls, and repairs what is broken for certain.',
  '**Current Details** and the result tell what was found. See the runbook, "The janitor found something".',
].join('\n\n');

export interface JanitorSchedule {
  readonly client: Client;
  readonly taskQueue: string;
}

/** Idempotent; a schedule that an operator has paused stays paused. @throws when Temporal cannot be reached. */
export async function ensureJanitor({ client, taskQueue }: JanitorSchedule, everyMs: number): Promise<void> {
  const scheduleId = janitorScheduleId(taskQueue);
  const options = {
    scheduleId,
    spec: { intervals: [{ every: everyMs }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCH_UP_MS },
    action: {
      type: 'startWorkflow',
      workflowType: JANITOR_WORKFLOW,
      workflowId: scheduleId,
      taskQueue,
      args: [],
      workflowExecutionTimeout: RUN_TIMEOUT_MS,
      staticSummary: 'Janitor',
      staticDetails: STATIC_DETAILS,
    },
  } satisfies ScheduleOptions;
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, policies, action } = options;
    await client.schedule.getHandle(scheduleId).update(({ state }) => ({ spec, policies, action, state }));
  }
}

/** Tries until it is made or the signal fires: a worker does not wait for it. */
export async function keepTryingForJanitor(
  schedule: JanitorSchedule,
  { everyMs, logger, signal }: { everyMs: number; logger: Logger; signal: AbortSignal },
): Promise<void> {
  for (let told = false; !signal.aborted; told = true) {
    try {
      await ensureJanitor(schedule, everyMs);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!told) logger.warn({ event: 'janitor_unscheduled', error: errorFacts(error) }, 'The schedule of the janitor waits for Temporal');
      await sleep(ENSURE_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

const RUN_WITHIN_MS = 90_000;
const POLL_MS = 250;

/**
 * Runs the janitor now, after a run that is under way, and waits for what it finds.
 * @throws ScheduleNotFoundError when no worker has made the schedule yet; Error when no worker takes the run.
 */
export async function runJanitor({ client, taskQueue }: JanitorSchedule): Promise<JanitorReport> {
  const schedule = client.schedule.getHandle(janitorScheduleId(taskQueue));
  const before = await startedBy(schedule);
  await schedule.trigger(ScheduleOverlapPolicy.BUFFER_ONE);
  const deadline = Date.now() + RUN_WITHIN_MS;
  for (;;) {
    const fresh = [...(await startedBy(schedule))].find((run) => !before.has(run));
    if (fresh !== undefined) return client.workflow.getHandle(fresh).result() as Promise<JanitorReport>;
    if (Date.now() > deadline) throw new Error(`The janitor did not start within ${RUN_WITHIN_MS} ms: is a worker running?`);
    await sleep(POLL_MS);
  }
}

async function startedBy(schedule: ScheduleHandle): Promise<Set<string>> {
  const { info } = await schedule.describe();
  return new Set(info.recentActions.map(({ action }) => action.workflow.workflowId));
}
