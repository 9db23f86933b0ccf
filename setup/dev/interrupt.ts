/** Ctrl-C: the first asks for an orderly end, one more after a moment ends everything at once. */

/** npm passes a signal on that the terminal has delivered as well. */
const SAME_KEYPRESS_MS = 1_000;

/** @param insist what a second Ctrl-C does */
export function interruptSignal(insist: () => void): AbortSignal {
  const controller = new AbortController();
  let firstAtMs = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) {
        firstAtMs = performance.now();
        controller.abort(new Interrupted(signal));
      } else if (performance.now() - firstAtMs > SAME_KEYPRESS_MS) insist();
    });
  }
  return controller.signal;
}

export class Interrupted extends Error {
  constructor(signal: string) {
    super(`Ended by ${signal}`);
    this.name = 'Interrupted';
  }
}
