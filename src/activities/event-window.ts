/**
 * Which events of a media node are done with. Events come in rising order, are handled in any
 * order, and may have gaps (a node under pressure drops states). An acknowledgement says "this and
 * everything before", so it moves only past a prefix that is handled.
 *
 *   received   4  5  7  8
 *   handled    ✓  ✓  ·  ✓      → acknowledge 5
 */
export class EventWindow {
  readonly #open = new Map<number, boolean>();
  #newest: number;
  #acknowledged: number;

  /** @param resumeAfter the newest sequence that an earlier attempt has acknowledged. */
  constructor(resumeAfter: number) {
    this.#newest = resumeAfter;
    this.#acknowledged = resumeAfter;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** @returns false when the event came before: after a re-attach a node repeats what is not acknowledged. */
  receive(seq: number): boolean {
    if (seq <= this.#newest) return false;
    this.#newest = seq;
    this.#open.set(seq, false);
    return true;
  }

  /** @returns the sequence to acknowledge now, or null when an earlier event is still open. */
  handled(seq: number): number | null {
    if (!this.#open.has(seq)) return null;
    this.#open.set(seq, true);
    let moved: number | null = null;
    for (const [open, done] of this.#open) {
      if (!done) break;
      this.#open.delete(open);
      moved = open;
    }
    if (moved !== null) this.#acknowledged = moved;
    return moved;
  }
}
