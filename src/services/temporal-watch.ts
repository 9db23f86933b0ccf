/**
 * Whether Temporal can be asked at all: a circuit breaker whose probes are pings of its own, never a
 * caller's webhook. The first call that fails opens it, the first ping that succeeds closes it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorFacts, type Logger } from '../telemetry.ts';

export interface TemporalWatchOptions {
  /** @throws when Temporal does not answer within the time. */
  readonly ping: (timeoutMs: number) => Promise<void>;
  /** Called each time that Temporal is back. */
  onBack?: () => void;
  readonly logger: Logger;
}

const PROBE_EVERY_MS = 500;
const PROBE_TIMEOUT_MS = 1_000;

export class TemporalWatch implements AsyncDisposable {
  readonly #options: TemporalWatchOptions;
  readonly #stop = new AbortController();
  #probing: Promise<void> | null = null;

  constructor(options: TemporalWatchOptions) {
    this.#options = options;
  }

  /** True from a failure until a ping has succeeded. */
  get away(): boolean {
    return this.#probing !== null;
  }

  /** Somebody asked Temporal in vain. */
  suspect(failure: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#probing ??= this.#probe(failure).finally(() => {
      this.#probing = null;
      if (!this.#stop.signal.aborted) this.#options.onBack?.();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#probing;
  }

  async #probe(failure: unknown): Promise<void> {
    const { logger, ping } = this.#options;
    let told = false;
    while (!this.#stop.signal.aborted) {
      try {
        await ping(PROBE_TIMEOUT_MS);
        if (told) logger.info({ event: 'temporal_back' }, 'Temporal is back');
        return;
      } catch {
        // Not for a server that was only slow once: this wakes somebody up.
        if (!told)
          logger.error({ event: 'temporal_away', error: errorFacts(failure) }, 'Temporal cannot be reached: calls are admitted without it');
        told = true;
      }
      await sleep(PROBE_EVERY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }
}
