/**
 * Inbound audio carries no timestamps, and a carrier with silence suppression sends nothing while its
 * caller listens. Without filling, two words a second apart would touch, and the end of a turn would
 * never come. Silence is inserted by the wall clock, in frames of 20 ms.
 */
export interface GapFillerOptions {
  readonly frameSamples: number;
  readonly onSilence: (pcm: Int16Array) => void;
}

const FRAME_MS = 20;
const CHECK_MS = 40;
/** Longer than network jitter and than two of the PBX's ticks. */
const GAP_MS = 100;
/** After a longer stall than this (a suspended machine) the missing time is not made up. */
const MAX_FILL_FRAMES = 100;

export function fillGaps(options: GapFillerOptions): { heard(): void; stop(): void } {
  const silence = new Int16Array(options.frameSamples);
  let coveredUntil = performance.now();
  const stopping = new AbortController();

  const check = (): void => {
    const missingMs = performance.now() - coveredUntil;
    if (stopping.signal.aborted || missingMs < GAP_MS) return;
    const frames = Math.floor(missingMs / FRAME_MS);
    coveredUntil += frames * FRAME_MS;
    for (let frame = 0; frame < Math.min(frames, MAX_FILL_FRAMES); frame += 1) {
      // A listener may close the leg because of what it hears.
      if (stopping.signal.aborted) return;
      options.onSilence(silence);
    }
  };
  // Timers run before sockets are read: after a stall of the event loop the audio is there already,
  // one phase later, and must not be preceded by silence.
  const timer = setInterval(() => setImmediate(check), CHECK_MS);
  timer.unref();

  return {
    heard() {
      coveredUntil = performance.now();
    },
    stop() {
      stopping.abort();
      clearInterval(timer);
    },
  };
}
