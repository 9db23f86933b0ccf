/**
 * Moments on the clock of performance.now(). A timer of Node counts from the loop's own clock, in whole
 * milliseconds, and may ring early; each moment is computed from its origin, so that nothing adds up.
 */
const EARLY_ENOUGH_MS = 0.5;

/** Calls back at the moment, at most half a millisecond early. @returns a function that forgets it. */
export function at(momentMs: number, then: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const leftMs = momentMs - performance.now();
    timer = setTimeout(() => (momentMs - performance.now() > EARLY_ENOUGH_MS ? wait() : then()), Math.max(0, Math.ceil(leftMs)));
  };
  wait();
  return () => clearTimeout(timer);
}

/** @returns true at the moment, false as soon as the signal fires. */
export function until(momentMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const given = (): void => {
      forget();
      resolve(false);
    };
    const forget = at(momentMs, () => {
      signal.removeEventListener('abort', given);
      resolve(true);
    });
    signal.addEventListener('abort', given, { once: true });
  });
}
