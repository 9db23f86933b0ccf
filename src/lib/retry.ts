import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../domain/errors.ts';

export interface RetryOptions {
  /** Tries after the first one. */
  readonly retries: number;
  /** Over all tries together. */
  readonly timeoutMs: number;
  /** Error when the time is up. */
  readonly onTimeout: () => HoldfastError;
  readonly signal: AbortSignal;
}

const FIRST_BACKOFF_MS = 150;

/** A service that says when it can be asked again is not asked before. */
function backoffMs(error: HoldfastError, tried: number): number {
  const asked = error.details['retryAfterMs'];
  return Math.max(FIRST_BACKOFF_MS * 2 ** tried, typeof asked === 'number' ? asked : 0);
}

/**
 * Runs `attempt` again while it fails with a retryable HoldfastError and time is left. The attempt
 * gets a signal that fires at abort and at the deadline.
 * @throws the last error, the signal's reason, or onTimeout().
 */
export async function withRetries<T>(options: RetryOptions, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, deadline]);
  const deadlineAtMs = performance.now() + options.timeoutMs;
  for (let tried = 0; ; tried++) {
    try {
      return await attempt(signal);
    } catch (error) {
      options.signal.throwIfAborted();
      if (deadline.aborted) throw options.onTimeout();
      const again = error instanceof HoldfastError && error.retryable && tried < options.retries;
      if (!again) throw error;
      const waitMs = backoffMs(error, tried);
      if (performance.now() + waitMs >= deadlineAtMs) throw error;
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      options.signal.throwIfAborted();
      if (deadline.aborted) throw error;
    }
  }
}
