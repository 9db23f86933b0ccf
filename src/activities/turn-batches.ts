/**
 * When turns are worth a signal. A signal costs four events of history, so a call's first turns
 * travel early (an operator wants to see that a talk has begun), then every ten, or at a pause;
 * and never more than one signal per ten turns and one on top. Pure: time is an argument.
 */
import type { TurnRecord } from '../contracts/turn.ts';

const FIRST_BATCH = 3;
const FULL_BATCH = 10;
const PAUSE_MS = 15_000;

export class TurnBatches {
  #waiting: TurnRecord[] = [];
  #signals: number;
  #signalledThrough: number;
  #newest: number;
  #lastTurnAtMs = 0;

  constructor(before: { signals: number; signalledThrough: number }) {
    this.#signals = before.signals;
    this.#signalledThrough = before.signalledThrough;
    this.#newest = before.signalledThrough;
  }

  /** How many signals were sent, and the newest sequence in them (-1: none). */
  get sent(): { signals: number; signalledThrough: number } {
    return { signals: this.#signals, signalledThrough: this.#signalledThrough };
  }

  add(turn: TurnRecord, nowMs: number): void {
    if (turn.sequence <= this.#newest) return;
    this.#newest = turn.sequence;
    this.#lastTurnAtMs = nowMs;
    this.#waiting.push(turn);
  }

  due(nowMs: number): boolean {
    const waiting = this.#waiting.length;
    if (waiting === 0) return false;
    if (waiting >= (this.#signals === 0 ? FIRST_BATCH : FULL_BATCH)) return true;
    const allowance = 1 + Math.floor((this.#newest + 1) / FULL_BATCH);
    return this.#signals < allowance && nowMs - this.#lastTurnAtMs >= PAUSE_MS;
  }

  /** What no signal has carried yet, oldest first. */
  get waiting(): readonly TurnRecord[] {
    return this.#waiting;
  }

  /** To be called when Temporal has taken a batch; one that failed simply stays waiting. */
  delivered(batch: readonly TurnRecord[]): void {
    const through = batch.at(-1)?.sequence ?? this.#signalledThrough;
    this.#signals += 1;
    this.#signalledThrough = Math.max(this.#signalledThrough, through);
    this.#waiting = this.#waiting.filter((turn) => turn.sequence > through);
  }
}
