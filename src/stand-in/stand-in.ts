/** One talk without a workflow, until it ends or the workflow takes over. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TalkDeps } from '../activities/deps.ts';
import { finalizeCall, type FinalizeInput } from '../activities/finalize-call.ts';
import { progressFrom } from '../activities/progress.ts';
import { Relay, type EndedEvent } from '../activities/relay.ts';
import { holdTalk } from '../activities/talk.ts';
import type { CallPlan } from '../contracts/call-plan.ts';
import type { MediaNode } from '../contracts/media-node.ts';
import { HoldfastError } from '../domain/errors.ts';
import { errorFacts } from '../telemetry.ts';

export interface StandInDeps extends TalkDeps {
  /** To look after the talk. @returns false when somebody else does, or nobody needs to. @throws while PostgreSQL is away. */
  promise(call: { callId: string; tenantId: string }): Promise<boolean>;
}

export interface Talk {
  readonly plan: CallPlan;
  readonly node: MediaNode;
  /** Another process has held it before. */
  readonly begun: boolean;
}

const KEEP_PROMISE_EVERY_MS = 3_000;
/** After the talk its last turns get this long; what PostgreSQL has not taken goes with the end. */
const SETTLE_MS = 5_000;
const RETRY_MS = 1_000;

export class StandIn {
  /** Never rejects. */
  readonly done: Promise<void>;
  readonly #deps: StandInDeps;
  readonly #talk: Talk;
  readonly #relay: Relay;
  readonly #stop = new AbortController();

  constructor(deps: StandInDeps, talk: Talk) {
    this.#deps = deps;
    this.#talk = talk;
    const { plan, node } = talk;
    this.#relay = new Relay({ deps, plan, before: progressFrom(undefined, { node, epoch: 1 }), nowMs: Date.now, acknowledges: false });
    this.done = this.#run();
  }

  release(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const keeping = setInterval(() => void this.#keepPromise(), KEEP_PROMISE_EVERY_MS);
    try {
      await this.#keepPromise();
      const end = this.#stop.signal.aborted ? null : await this.#hold();
      if (end !== null) await this.#record(end);
    } finally {
      clearInterval(keeping);
      this.#relay.writer.stop();
    }
  }

  /** Null when somebody else goes on with the talk. */
  async #hold(): Promise<FinalizeInput | null> {
    const { plan, begun } = this.#talk;
    const relay = this.#relay;
    try {
      const stop = { hangup: new Promise<never>(() => undefined), leave: this.#left() };
      const onEnded = async (ended: EndedEvent) => relay.result(ended, await relay.writer.settle(SETTLE_MS));
      const result = await holdTalk({ deps: this.#deps, plan, relay, stop, begun, onMoved: () => relay.recordNode(), onEnded });
      return { ...result, callId: plan.callId, tenantId: plan.tenantId };
    } catch (error) {
      if (this.#stop.signal.aborted) return null;
      this.#deps.logger.warn(
        { event: 'stand_in_lost', callId: plan.callId, error: errorFacts(error) },
        'A talk without a workflow was lost',
      );
      const code = error instanceof HoldfastError ? error.code : 'internal';
      return code === 'stale_epoch' ? null : this.#lostTalk(code);
    }
  }

  #left(): Promise<never> {
    const left = new Promise<never>((_, reject) => {
      this.#stop.signal.addEventListener('abort', () => reject(new Error('released')), { once: true });
    });
    left.catch(() => undefined);
    return left;
  }

  #lostTalk(reason: string): FinalizeInput {
    const { callId, tenantId } = this.#talk.plan;
    const usage = { sttSeconds: 0, llmPromptTokens: 0, llmCompletionTokens: 0, ttsCharacters: 0 };
    return { callId, tenantId, disposition: 'error', reason, answeredAt: null, endedAt: null, usage, unstoredTurns: [] };
  }

  /** As the workflow does: until it succeeds. */
  async #record(end: FinalizeInput): Promise<void> {
    const { logger } = this.#deps;
    while (!this.#stop.signal.aborted) {
      try {
        await finalizeCall(this.#deps, end);
        return;
      } catch (error) {
        logger.warn({ callId: end.callId, ...errorFacts(error) }, 'The end of a call waits for PostgreSQL');
        if (error instanceof HoldfastError && !error.retryable) return;
      }
      await sleep(RETRY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #keepPromise(): Promise<void> {
    const { callId, tenantId } = this.#talk.plan;
    const kept = await this.#deps.promise({ callId, tenantId }).catch(() => true);
    // Over by our own hand is not a reason to leave before it is recorded.
    if (!kept && this.#relay.ended === null) this.release();
  }
}
