/**
 * The hedged request: the first provider is asked; when it fails, the next one at once; when its
 * deadline passes, the next one as well. The first to produce anything wins, the others are aborted.
 */
import type { Work } from '../ports.ts';
import type { Candidate, Member, Stage } from './stage.ts';

export interface RaceRequest<P, R> {
  readonly work: Work | undefined;
  readonly signal: AbortSignal;
  /** Resolves with what it produced first; the signal fires when nobody waits for it any more. */
  readonly open: (member: Member<P>, signal: AbortSignal) => Promise<R>;
  /** Lets go of what a loser produced in the same moment. */
  readonly discard?: (result: R) => void;
}

export interface Win<P, R> {
  readonly member: Member<P>;
  readonly result: R;
  /** Ends what the winner is still doing. */
  readonly abort: AbortController;
}

/** @throws the stage's error (retryable where any provider's was), or the signal's reason. */
export function firstToProduce<P, R>(stage: Stage<P>, request: RaceRequest<P, R>): Promise<Win<P, R>> {
  return new Race(stage, request).run();
}

interface Attempt<P> {
  readonly member: Member<P>;
  readonly abort: AbortController;
  readonly startedMs: number;
  readonly timers: NodeJS.Timeout[];
  readonly hedge: boolean;
  late: boolean;
}

class Race<P, R> {
  readonly #stage: Stage<P>;
  readonly #request: RaceRequest<P, R>;
  readonly #queue: Candidate<P>[];
  readonly #running = new Set<Attempt<P>>();
  readonly #done = Promise.withResolvers<Win<P, R>>();
  readonly #onAbort = () => this.#settle(() => this.#done.reject(this.#request.signal.reason as Error));
  #settled = false;
  #failure: unknown;

  constructor(stage: Stage<P>, request: RaceRequest<P, R>) {
    request.signal.throwIfAborted();
    this.#stage = stage;
    this.#request = request;
    this.#queue = stage.candidates(request.work);
  }

  run(): Promise<Win<P, R>> {
    this.#request.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#startNext(false);
    return this.#done.promise;
  }

  #startNext(hedge: boolean): void {
    const next = this.#queue.shift();
    if (next === undefined) return;
    const { member } = next;
    const attempt: Attempt<P> = { member, abort: new AbortController(), startedMs: performance.now(), timers: [], hedge, late: false };
    this.#running.add(attempt);
    this.#stage.began(member);
    const { patienceMs } = this.#stage.limits;
    attempt.timers.push(
      afterPending(this.#stage.firstDeadlineMs(member), () => this.#late(attempt)),
      afterPending(patienceMs, () => this.#failed(attempt, this.#stage.timeout('gave no sign of life'))),
    );
    const signal = AbortSignal.any([this.#request.signal, attempt.abort.signal]);
    this.#request.open(member, signal).then(
      (result) => this.#produced(attempt, result),
      (error: unknown) => this.#failed(attempt, error),
    );
  }

  #late(attempt: Attempt<P>): void {
    if (!this.#running.has(attempt)) return;
    attempt.late = true;
    const next = this.#queue[0];
    if (next?.healthy !== true) return;
    if (this.#stage.mayHedge(attempt.member, next.member, Math.round(performance.now() - attempt.startedMs))) this.#startNext(true);
  }

  #failed(attempt: Attempt<P>, error: unknown): void {
    if (!this.#running.delete(attempt) || this.#request.signal.aborted) return;
    this.#stop(attempt);
    this.#stage.failed(attempt.member, error);
    if (this.#failure === undefined || isRetryable(error)) this.#failure = error;
    // Taking a failed one's place is no hedge.
    if (this.#queue.length > 0) this.#startNext(attempt.hedge);
    else if (this.#running.size === 0) this.#settle(() => this.#done.reject(this.#failure));
  }

  #produced(attempt: Attempt<P>, result: R): void {
    if (this.#settled || !this.#running.delete(attempt)) return this.#request.discard?.(result);
    clearTimers(attempt);
    for (const loser of this.#running) if (loser.late) this.#stage.overtaken(loser.member);
    this.#stage.produced(attempt.member, performance.now() - attempt.startedMs, attempt.hedge);
    this.#settle(() => this.#done.resolve({ member: attempt.member, result, abort: attempt.abort }));
  }

  #settle(tell: () => void): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    for (const attempt of this.#running) this.#stop(attempt);
    this.#running.clear();
    tell();
  }

  #stop(attempt: Attempt<P>): void {
    clearTimers(attempt);
    attempt.abort.abort(new Error('no longer needed'));
  }
}

const isRetryable = (error: unknown): boolean => (error as { retryable?: unknown } | undefined)?.retryable === true;

function clearTimers(attempt: Attempt<unknown>): void {
  for (const timer of attempt.timers) clearTimeout(timer);
}

/** After a stall of our own process timers come before the data that waits in the sockets: let that be read first. */
export function afterPending(delayMs: number, act: () => void): NodeJS.Timeout {
  return setTimeout(() => setImmediate(act), delayMs);
}
