/** Keeps one process running: started again when it dies, given up when it dies again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild, startingUntil, type Child, type ChildOptions } from './child.ts';

export interface SupervisedEvents {
  /** It died by itself; a new one is about to be started after delayMs. */
  readonly onDied: (facts: { name: string; outcome: number | string; delayMs: number }) => void;
  readonly onRestarted: (facts: { name: string; pid: number }) => void;
  /** It will not be started again. */
  readonly onGaveUp: (error: Error) => void;
}

export interface Supervised extends AsyncDisposable {
  readonly name: string;
  /** Of the process that runs now; changes when it is started again. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** The first restart is immediate, because a call may be waiting; then the delays double. */
const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5_000;
/** Deaths within this window make a crash loop. */
const WINDOW_MS = 60_000;
const MAX_DEATHS = 6;

/** Delay before the next start when the process has died at these times (the last one just now), or null to give up. */
export function restartDelayMs(deathsAtMs: readonly number[]): number | null {
  const last = deathsAtMs.at(-1) ?? 0;
  const recent = deathsAtMs.filter((at) => last - at < WINDOW_MS).length;
  if (recent >= MAX_DEATHS) return null;
  return recent <= 1 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (recent - 2), MAX_DELAY_MS);
}

/** @throws Error when the very first start fails; later failures go to onGaveUp. */
export async function supervise(options: ChildOptions, events: SupervisedEvents): Promise<Supervised> {
  const stopping = new AbortController();
  let child: Child = await startChild(options);
  const deaths: number[] = [];

  const watch = async (): Promise<void> => {
    for (;;) {
      let outcome: number | string = await child.exited;
      for (;;) {
        if (stopping.signal.aborted) return;
        deaths.push(Date.now());
        const delayMs = restartDelayMs(deaths);
        if (delayMs === null) {
          events.onGaveUp(
            new Error(`${options.name} died ${MAX_DEATHS} times within ${WINDOW_MS / 1_000} s (last: ${outcome}). Log: ${options.logFile}`),
          );
          return;
        }
        events.onDied({ name: options.name, outcome, delayMs });
        await sleep(delayMs, undefined, { signal: stopping.signal }).catch(() => undefined);
        if (stopping.signal.aborted) return;
        try {
          child = await startingUntil(stopping.signal, () => startChild(options));
          break;
        } catch (error) {
          outcome = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
        }
      }
      if (stopping.signal.aborted) return child.stop();
      events.onRestarted({ name: options.name, pid: child.pid });
    }
  };
  const watching = watch();
  const stop = async (): Promise<void> => {
    stopping.abort();
    await child.stop();
    await watching;
  };
  return {
    name: options.name,
    get pid() {
      return child.pid;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
