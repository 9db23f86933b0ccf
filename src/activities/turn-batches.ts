/**
 * When turns are worth a signal. A signal costs four events of history, so a call's first turns
 * travel early (an operator wants to see that a talk has begun), then every ten, or at a pause;
 * and never more than one signal per ten turns and one on top. Pure: time is an argument.
 */
import type { TurnRecord } from '../contracts/turn.ts';

const FIRST_BATCH = 3;
const FULL_BATCH = 10;
const PAUSE_MS = 15_000;

export interface SentBatches {
  /** How many signals were sent. */
  readonly signals: number;
  /** Utterances that the newest of them reached; -1: none. */
  readonly signalledThrough: number;
}

export class TurnBatches {
  /** By sequence: a caller who goes on speaking changes the turn that was reported. */
  readonly #waiting = new Map<number, TurnRecord>();
  #sent: SentBatches;
  #newest: number;
  #lastTurnAtMs = 0;

  constructor(before: SentBatches) {
    this.#sent = { signals: before.signals, signalledThrough: before.signalledThrough };
    this.#newest = before.signalledThrough;
  }

  get sent(): SentBatches {
    return this.#sent;
  }

  add(turn: TurnRecord, nowMs: number): void {
    this.#newest = Math.max(this.#newest, turn.sequence);
    this.#lastTurnAtMs = nowMs;
    this.#waiting.set(turn.sequence, turn);
  }

  due(nowMs: number): boolean {
    const { signals, signalledThrough } = this.#sent;
    const fresh = this.#newest - signalledThrough;
    if (fresh >= (signals === 0 ? FIRST_BATCH : FULL_BATCH)) return true;
    const allowance = 1 + Math.floor((this.#newest + 1) / FULL_BATCH);
    return this.#waiting.size > 0 && signals < allowance && nowMs - this.#lastTurnAtMs >= PAUSE_MS;
  }

  /** What no signal has carried yet, oldest first. */
  get waiting(): TurnRecord[] {
    return [...this.#waiting.values()].sort((a, b) => a.sequence - b.sequence);
  }

  /** To be called when Temporal has taken a batch; one that failed simply stays waiting. */
  delivered(batch: readonly TurnRecord[]): void {
    let through = this.#sent.signalledThrough;
    for (const turn of batch) {
      through = Math.max(through, turn.sequence);
      // Not when it has changed since.
      if (this.#waiting.get(turn.sequence) === turn) this.#waiting.delete(turn.sequence);
    }
    this.#sent = { signals: this.#sent.signals + 1, signalledThrough: through };
  }
}
