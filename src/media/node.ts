/**
 * One media node: brings together the two halves of a call, the channel that the PBX hands over and
 * the plan that the worker brings, in whichever order they come.
 */
import type { WorkerMessage } from '../contracts/media-control.ts';
import type { NodeSession } from '../contracts/pbx-inventory.ts';
import { HoldfastError } from '../domain/errors.ts';
import { errorFacts } from '../telemetry.ts';
import type { LeftBecause } from './call-control.ts';
import { Session, type SessionDeps } from './session.ts';

export interface NodeOptions extends SessionDeps {
  readonly capacity: number;
}

interface WaitingChannel {
  readonly channelId: string;
  readonly timer: NodeJS.Timeout;
}

/** How long a finished call's events wait for a worker to fetch them. */
const FINISHED_KEPT_MS = 120_000;

/** A call that is handed over waits this long for a moment in which nobody speaks. */
const HANDOVER_PATIENCE_MS = 4_000;

type StartMessage = Omit<Extract<WorkerMessage, { type: 'start' }>, 'type' | 'resumeAfter'>;

export class MediaNode {
  draining = false;
  readonly #options: NodeOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #live = new Set<string>();
  readonly #waiting = new Map<string, WaitingChannel>();

  constructor(options: NodeOptions) {
    this.#options = options;
  }

  get nodeId(): string {
    return this.#options.nodeId;
  }

  get live(): number {
    return this.#live.size;
  }

  /**
   * A worker brings a plan, comes back to a call that it lost sight of, or hands over another node's call.
   * @throws HoldfastError media_node_full, media_node_draining (retryable elsewhere), stale_epoch, or
   *   media_node_lost when another process of this name was meant, which has died.
   */
  start({ plan, epoch, instance, resume }: StartMessage): Session {
    const known = this.#sessions.get(plan.callId);
    if (known !== undefined) {
      if (epoch < known.epoch) throw new HoldfastError('stale_epoch', 'A newer owner has this call');
      if (epoch > known.epoch) known.renew(epoch);
      return known;
    }
    if (instance !== this.#options.instance)
      throw new HoldfastError('media_node_lost', 'This node has been restarted and does not know the call', { retryable: true });
    this.#checkRoom(epoch);
    const session = new Session(this.#options, { plan, epoch, resume });
    this.#sessions.set(plan.callId, session);
    this.#live.add(plan.callId);
    void session.closed.then(() => this.#closed(session));
    if (epoch > 1) {
      this.#takeWaiting(plan.callId);
      void session.connect();
      return session;
    }
    const channel = this.#takeWaiting(plan.callId);
    if (channel === undefined) {
      const timer = setTimeout(() => session.abandon('channel_never_came'), this.#options.limits.channelWaitMs);
      void session.closed.then(() => clearTimeout(timer));
    } else {
      void session.connect();
    }
    return session;
  }

  /** A caller in the middle of a call is taken in whatever the load: the alternative is silence. */
  #checkRoom(epoch: number): void {
    if (this.draining) throw new HoldfastError('media_node_draining', 'This node takes no more calls', { retryable: true });
    if (epoch > 1 || this.#live.size < this.#options.capacity) return;
    const details = { capacity: this.#options.capacity };
    throw new HoldfastError('media_node_full', 'This node is at its capacity', { retryable: true, details });
  }

  /** @throws HoldfastError media_node_lost (retryable) when another node holds the call, channel_missing (retryable) before it is answered, conflict when it is ending. */
  steer({ callId, epoch, id, command }: Extract<WorkerMessage, { type: 'command' }>): void {
    const session = this.#live.has(callId) ? this.#sessions.get(callId) : undefined;
    if (session === undefined || session.epoch < epoch)
      throw new HoldfastError('media_node_lost', 'This node does not hold the call', { retryable: true });
    session.steer(id, command);
  }

  /** The dialplan: Stasis(<app>,<call record id>); or a take-over has moved the channel here. */
  channelEntered(channelId: string, callId: string | undefined): void {
    const session = callId === undefined ? undefined : this.#sessions.get(callId);
    if (callId === undefined || (session !== undefined && session.plan.channelId !== channelId)) return this.#giveBack(channelId);
    if (session !== undefined) {
      if (!this.#live.has(callId)) this.#giveBack(channelId);
      else if (!session.returned() && session.epoch === 1) void session.connect();
      return;
    }
    const timer = setTimeout(() => {
      this.#waiting.delete(callId);
      this.#options.logger.error({ event: 'plan_missing', callId }, 'A caller came, but no worker brought the plan in time');
      this.#giveBack(channelId);
    }, this.#options.limits.planWaitMs);
    this.#waiting.set(callId, { channelId, timer });
  }

  channelLeft(channelId: string, because: LeftBecause): void {
    for (const [callId, waiting] of this.#waiting) {
      if (waiting.channelId === channelId) this.#takeWaiting(callId);
    }
    for (const callId of this.#live) {
      const session = this.#sessions.get(callId);
      if (session?.plan.channelId !== channelId) continue;
      if (because === 'hung_up') session.callerHungUp();
      else if (because === 'pbx_lost') session.pbxLost();
      else void session.channelLeft();
    }
  }

  /** The caller's channel is waiting for its plan, or has a live session. */
  holds(channelId: string): boolean {
    const waiting = [...this.#waiting.values()].some((entry) => entry.channelId === channelId);
    return waiting || [...this.#live].some((callId) => this.#sessions.get(callId)?.plan.channelId === channelId);
  }

  isLive(callId: string): boolean {
    return this.#live.has(callId);
  }

  /** Talks that are not over, and callers who wait for their plan (epoch 0). */
  get sessions(): NodeSession[] {
    const waiting = [...this.#waiting].map(([callId, { channelId }]) => ({ callId, channelId, epoch: 0 }));
    const live = [...this.#live].flatMap((callId) => this.#sessions.get(callId) ?? []);
    return [...waiting, ...live.map(({ plan, epoch }) => ({ callId: plan.callId, channelId: plan.channelId, epoch }))];
  }

  /** With a goodbye. @returns false when this node has no such talk. */
  endCall(callId: string): boolean {
    if (!this.#live.has(callId)) return false;
    this.#sessions.get(callId)?.operatorHangup();
    return true;
  }

  /** Hands the live calls over and resolves when none is left, or after `withinMs`. */
  async drained(withinMs: number): Promise<void> {
    this.draining = true;
    for (const callId of this.#live) this.#sessions.get(callId)?.handOver(false);
    const patience = setTimeout(() => {
      for (const callId of this.#live) this.#sessions.get(callId)?.handOver(true);
    }, HANDOVER_PATIENCE_MS);
    const all = Promise.all([...this.#live].map(async (callId) => this.#sessions.get(callId)?.closed));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([all, new Promise((resolve) => (timer = setTimeout(resolve, withinMs)))]);
    clearTimeout(timer);
    clearTimeout(patience);
  }

  #takeWaiting(callId: string): WaitingChannel | undefined {
    const waiting = this.#waiting.get(callId);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(callId);
    return waiting;
  }

  #closed(session: Session): void {
    const { callId } = session.plan;
    this.#live.delete(callId);
    const timer = setTimeout(() => this.#sessions.delete(callId), FINISHED_KEPT_MS);
    timer.unref();
    // A re-attach right after the last acknowledgement must still find the finished session, so a short stay follows.
    void session.outbox.emptied().then(() => {
      clearTimeout(timer);
      setTimeout(() => this.#sessions.delete(callId), 5_000).unref();
    });
  }

  #giveBack(channelId: string): void {
    this.#options.callControl.giveBack({ callId: '', epoch: 1, channelId }).catch((error: unknown) => {
      this.#options.logger.warn({ event: 'give_back_failed', error: errorFacts(error) }, 'A caller could not be sent to the fallback');
    });
  }
}
