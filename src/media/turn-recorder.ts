/** Numbers a call's turns, puts them on the wall clock, and hands each to whoever keeps them. */
import type { TurnLatencies, TurnRecord } from '../contracts/turn.ts';
import type { AgentUtterance } from './voice.ts';

export interface CallerUtterance {
  readonly text: string;
  /** Replaces the previous caller turn, which got no answer. */
  readonly merged: boolean;
  /** ms since the call was answered. */
  readonly startedMs: number;
  readonly endedMs: number;
  readonly latencies: TurnLatencies;
}

export class TurnRecorder {
  readonly #answeredAtMs: number;
  readonly #keep: (turn: TurnRecord) => void;
  #next: number;
  #caller = 0;

  /** @param options.first sequence of the first turn; `caller`: of the latest caller turn before it. */
  constructor(options: { answeredAtMs: number; first: number; caller?: number; keep: (turn: TurnRecord) => void }) {
    this.#answeredAtMs = options.answeredAtMs;
    this.#next = options.first;
    this.#caller = options.caller ?? 0;
    this.#keep = options.keep;
  }

  /** Sequence of the turn that comes next. */
  get next(): number {
    return this.#next;
  }

  caller({ text, merged, startedMs, endedMs, latencies }: CallerUtterance): void {
    if (!merged) this.#caller = this.#next++;
    this.#keep({
      sequence: this.#caller,
      speaker: 'caller',
      text,
      heardText: text,
      interrupted: false,
      startedAt: this.iso(startedMs),
      endedAt: this.iso(endedMs),
      latencies,
    });
  }

  agent({ startedMs, ...utterance }: AgentUtterance, endedMs: number): void {
    this.#keep({ ...utterance, sequence: this.#next++, speaker: 'agent', startedAt: this.iso(startedMs), endedAt: this.iso(endedMs) });
  }

  readonly iso = (atMs: number): string => new Date(this.#answeredAtMs + atMs).toISOString();

  /** ISO 8601 → ms since the call was answered. */
  atMs(iso: string): number {
    return Date.parse(iso) - this.#answeredAtMs;
  }
}
