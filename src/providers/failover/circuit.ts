/**
 * Whether a provider is worth asking first. After a few failures in a row it is left alone for a
 * while, then one request tries it again; each failed try doubles the while. Pure: time is an argument.
 */
const FAILURES_TO_OPEN = 3;
const FIRST_REST_MS = 5_000;
export const LONGEST_REST_MS = 60_000;
/** A trial request that has told nothing for so long is forgotten, so that another may try. */
const PROBE_MS = 15_000;

export class Circuit {
  #failures = 0;
  #restMs = FIRST_REST_MS;
  /** 0 while closed. */
  #restsUntilMs = 0;
  #probedAtMs = Number.NEGATIVE_INFINITY;

  /** True when a request may go here: nothing is wrong, or its rest is over and nobody else is trying. */
  allows(atMs: number): boolean {
    if (this.#restsUntilMs === 0) return true;
    return atMs >= this.#restsUntilMs && atMs - this.#probedAtMs >= PROBE_MS;
  }

  /** A request is on its way. */
  began(atMs: number): void {
    if (this.#restsUntilMs !== 0 && atMs >= this.#restsUntilMs) this.#probedAtMs = atMs;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#restsUntilMs = 0;
    this.#restMs = FIRST_REST_MS;
    this.#probedAtMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * @param retryAfterMs the provider itself has asked to be left alone so long.
   * @returns true when this failure made it rest.
   */
  failed(atMs: number, retryAfterMs = 0): boolean {
    this.#failures += 1;
    this.#probedAtMs = Number.NEGATIVE_INFINITY;
    const resting = this.#restsUntilMs !== 0;
    // Requests that were on their way when the rest began tell nothing new.
    if (resting && atMs < this.#restsUntilMs) {
      this.#restsUntilMs = Math.max(this.#restsUntilMs, atMs + Math.min(retryAfterMs, LONGEST_REST_MS));
      return false;
    }
    if (!resting && retryAfterMs === 0 && this.#failures < FAILURES_TO_OPEN) return false;
    if (resting) this.#restMs = Math.min(LONGEST_REST_MS, this.#restMs * 2);
    const wishedMs = retryAfterMs > 0 ? Math.max(retryAfterMs, resting ? this.#restMs : 0) : this.#restMs;
    this.#restsUntilMs = atMs + Math.min(LONGEST_REST_MS, wishedMs);
    return true;
  }
}
