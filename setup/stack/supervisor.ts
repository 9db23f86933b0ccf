/** Keeps one process running: started again when it dies, given up when it dies again and again. Tests may hold it down or freeze it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ChildStartError, startChild, startingUntil, type Child, type ChildOptions } from './child.ts';
import { processTree, signalAll } from './process-tree.ts';

export interface SupervisedEvents {
  /** It died by itself; a new one is about to be started after delayMs. */
  readonly onDied: (facts: { name: string; outcome: number | string; delayMs: number }) => void;
  readonly onRestarted: (facts: { name: string; pid: number }) => void;
  /** It will not be started again. */
  readonly onGaveUp: (error: Error) => void;
}

/** What can be done to a running part, as accidents do it. */
export interface Controls {
  readonly name: string;
  /** Of the process that runs now; changes when it is started again. */
  readonly pid: number;
  readonly running: boolean;
  /** Default SIGKILL, which takes everything along that it has started. What ends is started again. */
  kill(signal?: NodeJS.Signals): void;
  /** SIGKILL, with everything it has started; it stays down until `up`. Resolves when it has ended. */
  down(): Promise<void>;
  /** Resolves when it is ready again. */
  up(): Promise<void>;
  /** SIGSTOP with everything it has started: sockets stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Resolves when the process runs that was started after the last death, at once when none has died. */
  again(): Promise<void>;
}

/** `exited` resolves when it is not going to be started again any more. */
export interface Supervised extends Controls, Child {}

/** The first restart is immediate, because a call may be waiting; then the delays double. */
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5_000;
/** Deaths within this window make a crash loop. */
const WINDOW_MS = 60_000;
const MAX_DEATHS = 6;
/** A process says with it that something it needs is away: it tries again until that is back, and that is no crash loop. */
const EXIT_UNAVAILABLE = 69;
const UNAVAILABLE_DELAY_MS = 1_000;

/** Delay before the next start when the process has died at these times (the last one just now), or null to give up. */
export function restartDelayMs(deathsAtMs: readonly number[]): number | null {
  const last = deathsAtMs.at(-1) ?? 0;
  const recent = deathsAtMs.filter((at) => last - at < WINDOW_MS).length;
  if (recent >= MAX_DEATHS) return null;
  return recent <= 1 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (recent - 2), MAX_DELAY_MS);
}

/** @throws Error when the very first start fails; later failures go to onGaveUp. */
export async function supervise(options: ChildOptions, events: SupervisedEvents): Promise<Supervised> {
  const keeper = new Keeper(options, events, await startChild(options));
  keeper.watching = keeper.watch();
  return keeper;
}

class Keeper implements Supervised {
  readonly name: string;
  readonly logFile: string;
  readonly exited: Promise<number | string>;
  watching: Promise<void> = Promise.resolve();
  readonly #options: ChildOptions;
  readonly #events: SupervisedEvents;
  readonly #stopping = new AbortController();
  readonly #ended = Promise.withResolvers<number | string>();
  readonly #deathsAtMs: number[] = [];
  #child: Child;
  /** Present while it is held down. */
  #held: PromiseWithResolvers<void> | null = null;
  #attempt = new AbortController();
  #again: PromiseWithResolvers<void> | null = null;

  constructor(options: ChildOptions, events: SupervisedEvents, child: Child) {
    this.name = options.name;
    this.logFile = options.logFile;
    this.exited = this.#ended.promise;
    this.#options = options;
    this.#events = events;
    this.#child = child;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.running;
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#expectAnother();
    signalAll(signal === 'SIGKILL' ? processTree(this.pid) : [this.pid], signal);
  }

  async down(): Promise<void> {
    this.#held ??= Promise.withResolvers<void>();
    this.#expectAnother();
    this.#attempt.abort(new Error(`${this.name} is held down`));
    signalAll(processTree(this.pid), 'SIGKILL');
    await this.#child.exited;
  }

  async up(): Promise<void> {
    this.#held?.resolve();
    this.#held = null;
    await this.again();
  }

  freeze(): void {
    signalAll(processTree(this.pid), 'SIGSTOP');
  }

  thaw(): void {
    signalAll(processTree(this.pid), 'SIGCONT');
  }

  async again(): Promise<void> {
    await this.#again?.promise;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#held?.resolve();
    // A frozen process hears no other signal.
    this.thaw();
    await this.#child.stop();
    await this.watching;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async watch(): Promise<void> {
    for (;;) {
      let outcome: number | string | null = await this.#child.exited;
      this.#expectAnother();
      while (outcome !== null) {
        if (!(await this.#mayStart(outcome))) return this.#finish(outcome);
        outcome = await this.#startAgain();
      }
      if (this.#stopping.signal.aborted) {
        await this.#child.stop();
        return this.#finish('stopped');
      }
      this.#again?.resolve();
      this.#again = null;
      this.#events.onRestarted({ name: this.name, pid: this.pid });
    }
  }

  #expectAnother(): void {
    if (this.#again !== null) return;
    this.#again = Promise.withResolvers<void>();
    this.#again.promise.catch(() => undefined);
  }

  #finish(outcome: number | string): void {
    this.#again?.reject(new Error(`${this.name} is not started again`));
    this.#ended.resolve(outcome);
  }

  /** Waits as long as is due after this death. @returns whether it may be started again. */
  async #mayStart(outcome: number | string): Promise<boolean> {
    if (this.#stopping.signal.aborted) return false;
    if (this.#held === null) {
      if (outcome !== EXIT_UNAVAILABLE) this.#deathsAtMs.push(Date.now());
      const delayMs = outcome === EXIT_UNAVAILABLE ? UNAVAILABLE_DELAY_MS : restartDelayMs(this.#deathsAtMs);
      if (delayMs === null) {
        const often = `${this.name} died ${MAX_DEATHS} times within ${WINDOW_MS / 1_000} s (last: ${outcome})`;
        this.#events.onGaveUp(new Error(`${often}. Log: ${this.logFile}`));
        return false;
      }
      this.#events.onDied({ name: this.name, outcome, delayMs });
      await sleep(delayMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    // Somebody may take it down again the moment it is let go.
    while (this.#held !== null && !this.#stopping.signal.aborted) await this.#held.promise;
    return !this.#stopping.signal.aborted;
  }

  /** @returns null when it runs, otherwise how the attempt ended. */
  async #startAgain(): Promise<number | string | null> {
    this.#attempt = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, this.#attempt.signal]);
    try {
      this.#child = await startingUntil(signal, () => startChild(this.#options));
      return null;
    } catch (error) {
      if (error instanceof ChildStartError && error.outcome !== null) return error.outcome;
      return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    }
  }
}
