/**
 * How many requests may be sent twice. A share of all requests, saved up to a limit: enough for the
 * slow twentieth of a good day, and on a day when everything is slow the bill grows by that share only.
 */
export const HEDGED_SHARE = 0.1;
const SAVED_AT_MOST = 10;

export class HedgeBudget {
  #saved = SAVED_AT_MOST;

  /** A request was made for its own sake. */
  requested(): void {
    this.#saved = Math.min(SAVED_AT_MOST, this.#saved + HEDGED_SHARE);
  }

  /** @returns false when there is nothing left: the first provider has to be waited for. */
  spend(): boolean {
    // A tenth added ten times is a little less than one.
    if (this.#saved < 1 - 1e-9) return false;
    this.#saved -= 1;
    return true;
  }
}
