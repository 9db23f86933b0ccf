/**
 * Stands in for the workflow of calls that were admitted without Temporal: holds the control socket of
 * each call's media node, stores what is said, runs the agent's tools, moves the call when its node
 * dies. It acknowledges nothing, so that the node keeps every event for the workflow, whose `converse`
 * later reads the talk from its beginning; and everything it does may be done again without harm.
 */
import type { Admission } from '../contracts/call-workflow.ts';
import { StandIn, type StandInDeps } from './stand-in.ts';

export class StandIns implements AsyncDisposable {
  readonly #deps: StandInDeps;
  readonly #held = new Map<string, StandIn>();

  constructor(deps: StandInDeps) {
    this.#deps = deps;
  }

  has(callId: string): boolean {
    return this.#held.has(callId);
  }

  /** A call that has just been admitted. Idempotent. */
  attend(admission: Admission): void {
    this.#hold(admission, false);
  }

  /** A call whose stand-in in another process has died. Idempotent. */
  adopt(admission: Admission): void {
    this.#hold(admission, true);
  }

  /** The workflow has it now. */
  release(callId: string): void {
    this.#held.get(callId)?.release();
  }

  /** Leaves every talk to whoever comes next. */
  async [Symbol.asyncDispose](): Promise<void> {
    const held = [...this.#held.values()];
    for (const standIn of held) standIn.release();
    await Promise.all(held.map((standIn) => standIn.done));
  }

  #hold({ plan, node }: Admission, begun: boolean): void {
    if (plan === null || node === null || this.#held.has(plan.callId)) return;
    const standIn = new StandIn(this.#deps, { plan, node, begun });
    this.#held.set(plan.callId, standIn);
    void standIn.done.then(() => this.#held.delete(plan.callId));
  }
}
