/**
 * What one caller receives of one reply, frame by frame: when it began, and where a telephone without
 * any jitter buffer would have run dry. Pure; times are milliseconds on one clock.
 */
/** Playback that stands still for longer than this is late audio. */
const UNDERRUN_MS = 5;

export class ReplyMeter {
  /** null until the first frame. */
  firstMs: number | null = null;
  lastMs: number | null = null;
  clearedMs: number | null = null;
  /** When all that was received has been played. */
  playedMs = 0;
  audioMs = 0;
  underruns = 0;
  underrunMs = 0;

  /** The next reply begins. */
  reset(): void {
    this.firstMs = null;
    this.lastMs = null;
    this.clearedMs = null;
    this.playedMs = 0;
    this.audioMs = 0;
    this.underruns = 0;
    this.underrunMs = 0;
  }

  frame(atMs: number, durationMs: number): void {
    if (this.firstMs === null) {
      this.firstMs = atMs;
    } else if (atMs - this.playedMs > UNDERRUN_MS) {
      this.underruns++;
      this.underrunMs += atMs - this.playedMs;
    }
    this.playedMs = Math.max(this.playedMs, atMs) + durationMs;
    this.lastMs = atMs;
    this.audioMs += durationMs;
  }

  /** Whatever has not been played is dropped. */
  clear(atMs: number): void {
    this.clearedMs ??= atMs;
    this.playedMs = Math.min(this.playedMs, atMs);
  }

  /** Nothing has come, and nothing has been left to play, for so long. */
  quietFor(nowMs: number): number {
    return this.lastMs === null ? 0 : nowMs - Math.max(this.lastMs, this.playedMs);
  }
}
