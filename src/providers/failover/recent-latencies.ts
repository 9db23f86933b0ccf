/** What a provider took lately, and the deadline that follows from it. Pure: time is an argument. */

/** A day's drift must not hide in old figures, nor a burst of calls push out everything else. */
const KEPT = 64;
const MAX_AGE_MS = 600_000;
/** Fewer say nothing about the slowest twentieth. */
const MIN_SAMPLES = 8;

export class RecentLatencies {
  readonly #samples: { readonly tookMs: number; readonly atMs: number }[] = [];

  note(tookMs: number, atMs: number): void {
    this.#samples.push({ tookMs, atMs });
    if (this.#samples.length > KEPT) this.#samples.shift();
  }

  /** Nearest rank; null while too little is known. */
  p95(atMs: number): number | null {
    const known = this.#samples.filter((sample) => atMs - sample.atMs <= MAX_AGE_MS).map((sample) => sample.tookMs);
    if (known.length < MIN_SAMPLES) return null;
    known.sort((a, b) => a - b);
    return known[Math.ceil(known.length * 0.95) - 1] ?? null;
  }
}

export interface DeadlineLimits {
  /** Below it a hiccup of our own machine would look like a slow provider. */
  readonly floorMs: number;
  /** Above it nobody waits, however slow the provider usually is. */
  readonly ceilingMs: number;
  /** While too little is known. */
  readonly initialMs: number;
  /** Times P95. */
  readonly factor: number;
}

/** How long to wait for the provider before another one is asked as well, ms. */
export function deadlineMs(recent: RecentLatencies, limits: DeadlineLimits, atMs: number): number {
  const p95 = recent.p95(atMs);
  const wishedMs = p95 === null ? limits.initialMs : p95 * limits.factor;
  return Math.round(Math.min(limits.ceilingMs, Math.max(limits.floorMs, wishedMs)));
}
