/**
 * The one clock of all callers: a tick every 20 ms for each of them, spread over ten phases of 2 ms, for
 * real callers do not speak in step. Every tick is computed from the origin, so nothing drifts; ticks
 * that were missed are made up at once.
 */
import { at } from '../exact-time.ts';
import { FRAME_MS } from './media-stream.ts';

const PHASES = 10;
const PHASE_MS = FRAME_MS / PHASES;
/** A tick that is as good as due is not waited for again. */
const EARLY_MS = 0.5;

export type Tick = () => void;

export class FrameClock {
  /** How late ticks were; the health of the ruler. */
  readonly lateMs: number[] = [];
  readonly #originMs = performance.now();
  readonly #phases: Set<Tick>[] = Array.from({ length: PHASES }, () => new Set());
  #step = 0;
  #forget: (() => void) | null = null;

  /** @returns a function that ends it. */
  every(caller: number, tick: Tick): () => void {
    const phase = this.#phases[caller % PHASES] as Set<Tick>;
    if (this.#idle) this.#step = Math.ceil((performance.now() - this.#originMs) / PHASE_MS);
    phase.add(tick);
    this.#arm();
    return () => void phase.delete(tick);
  }

  #arm(): void {
    this.#forget?.();
    this.#forget = null;
    if (this.#idle) return;
    while ((this.#phases[this.#step % PHASES] as Set<Tick>).size === 0) this.#step++;
    this.#forget = at(this.#due(), () => this.#run());
  }

  #run(): void {
    const nowMs = performance.now();
    for (; this.#due() <= nowMs + EARLY_MS; this.#step++) {
      const phase = this.#phases[this.#step % PHASES] as Set<Tick>;
      if (phase.size > 0) this.lateMs.push(Math.max(0, nowMs - this.#due()));
      for (const tick of phase) tick();
    }
    this.#arm();
  }

  #due(): number {
    return this.#originMs + this.#step * PHASE_MS;
  }

  get #idle(): boolean {
    return this.#phases.every((phase) => phase.size === 0);
  }
}
