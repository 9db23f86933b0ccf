import type { Context } from '@temporalio/activity';
import { TURNS_SIGNAL, type TurnsSignal } from '../contracts/call-workflow.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import type { Relay } from './relay.ts';

const DEADLINE_MS = 5_000;
const AFTER_MOVE_MS = 2_000;

/** Tells the workflow what was said, in batches, while Temporal can be reached; otherwise the next beat tries again. */
export class TurnSignaller {
  readonly #context: Context;
  readonly #relay: Relay;
  readonly #logger: Logger;
  #sending = false;
  #wantedAtMs = Infinity;

  constructor(context: Context, relay: Relay, logger: Logger) {
    this.#context = context;
    this.#relay = relay;
    this.#logger = logger;
  }

  /**
   * Soon, whatever was said: the call has moved to another node. Not at once: with a node all of its
   * calls move, and their callers need the processors first.
   */
  signalSoon(nowMs: number): void {
    this.#wantedAtMs = nowMs + AFTER_MOVE_MS;
  }

  async signalWhenDue(nowMs: number): Promise<void> {
    const { batches } = this.#relay;
    const wanted = nowMs >= this.#wantedAtMs;
    const execution = this.#context.info.workflowExecution;
    if (this.#sending || execution === undefined || !(wanted || batches.due(nowMs))) return;
    this.#sending = true;
    this.#relay.recordNode();
    const batch = batches.waiting;
    const { state, node, epoch } = this.#relay.progress;
    const signal: TurnsSignal = { turns: batch, state, node, epoch };
    try {
      const { client } = this.#context;
      const handle = client.workflow.getHandle(execution.workflowId, execution.runId);
      await client.withDeadline(Date.now() + DEADLINE_MS, () => handle.signal(TURNS_SIGNAL, signal));
      batches.delivered(batch);
      if (this.#relay.progress.epoch === epoch) this.#wantedAtMs = Infinity;
    } catch (error) {
      this.#logger.warn({ workflowId: execution.workflowId, ...errorFacts(error) }, 'turns wait for Temporal');
    } finally {
      this.#sending = false;
    }
  }
}
