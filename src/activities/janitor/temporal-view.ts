/** Which calls have a running workflow. The list of running ones lags, so what matters is asked for one by one. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { INBOUND_CALL_WORKFLOW, workflowIdFor } from '../../contracts/call-workflow.ts';
import { JANITOR_WORKFLOW } from '../../contracts/janitor.ts';
import type { SeenWorkflow } from '../../domain/world.ts';

/** A list of more is cut; calls beyond it are judged by the next look. */
const RUNNING_MAX = 2_000;
/** Workflows that one look asks for by id; what is not asked for is left alone. */
const DESCRIBE_MAX = 500;
const DESCRIBE_AT_ONCE = 10;
const DEADLINE_MS = 8_000;
/** Runs of the janitor that are kept to be read, at one a minute. */
const RUNS_KEPT_MS = 2 * 3_600_000;
const RUNS_FORGOTTEN_AT_ONCE = 20;

/** Injection is no matter: neither comes from outside, and both are checked. */
const runningCalls = (taskQueue: string): string =>
  `WorkflowType = '${INBOUND_CALL_WORKFLOW}' AND TaskQueue = '${quoted(taskQueue)}' AND ExecutionStatus = 'Running'`;
const quoted = (text: string): string => text.replaceAll("'", "''");

export class TemporalView {
  readonly #client: Client;
  readonly #taskQueue: string;

  constructor(client: Client, taskQueue: string) {
    this.#client = client;
    this.#taskQueue = taskQueue;
  }

  /**
   * @param known calls that somebody else tells of. @param served those whose running workflow nobody doubts.
   * @throws when Temporal cannot be reached.
   */
  async workflows(known: Iterable<string>, served: ReadonlySet<string>): Promise<Map<string, SeenWorkflow>> {
    return this.#client.withDeadline(Date.now() + DEADLINE_MS, async () => {
      const running = await this.#running();
      const workflows = new Map<string, SeenWorkflow>();
      const doubtful: string[] = [];
      for (const callId of new Set([...known, ...running])) {
        if (running.has(callId) && served.has(callId)) workflows.set(callId, { status: 'running' });
        else doubtful.push(callId);
      }
      await this.#describeInto(workflows, doubtful.slice(0, DESCRIBE_MAX));
      return workflows;
    });
  }

  async cancel(callId: string): Promise<void> {
    await this.#client.workflow.getHandle(workflowIdFor(callId)).cancel().catch(unlessGone);
  }

  async terminate(callId: string): Promise<void> {
    await this.#client.workflow.getHandle(workflowIdFor(callId)).terminate('The call is over and nothing else ended it').catch(unlessGone);
  }

  /** A run a minute would fill the list of workflows: those of some hours ago go before the namespace's retention. */
  async forgetOldRuns(): Promise<void> {
    const before = new Date(Date.now() - RUNS_KEPT_MS).toISOString();
    const query = `WorkflowType = '${JANITOR_WORKFLOW}' AND TaskQueue = '${quoted(this.#taskQueue)}' AND CloseTime < '${before}'`;
    let left = RUNS_FORGOTTEN_AT_ONCE;
    await this.#client.withDeadline(Date.now() + DEADLINE_MS, async () => {
      for await (const { workflowId, runId } of this.#client.workflow.list({ query })) {
        if (left-- === 0) return;
        const { namespace } = this.#client.options;
        await this.#client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId, runId } });
      }
    });
  }

  async #running(): Promise<Set<string>> {
    const prefix = workflowIdFor('');
    const running = new Set<string>();
    for await (const { workflowId } of this.#client.workflow.list({ query: runningCalls(this.#taskQueue) })) {
      if (workflowId.startsWith(prefix)) running.add(workflowId.slice(prefix.length));
      if (running.size >= RUNNING_MAX) break;
    }
    return running;
  }

  async #describeInto(workflows: Map<string, SeenWorkflow>, callIds: readonly string[]): Promise<void> {
    for (let from = 0; from < callIds.length; from += DESCRIBE_AT_ONCE) {
      const batch = callIds.slice(from, from + DESCRIBE_AT_ONCE);
      const statuses = await Promise.all(batch.map((callId) => this.#statusOf(callId)));
      batch.forEach((callId, at) => workflows.set(callId, { status: statuses[at] ?? 'missing' }));
    }
  }

  async #statusOf(callId: string): Promise<SeenWorkflow['status']> {
    try {
      const { status } = await this.#client.workflow.getHandle(workflowIdFor(callId)).describe();
      return status.name === 'RUNNING' || status.name === 'PAUSED' ? 'running' : 'closed';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return 'missing';
      throw error;
    }
  }
}

/** Somebody was faster. */
function unlessGone(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}
