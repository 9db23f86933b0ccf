/** What was heard, as a test compares it: loudness in steps of 20 ms. */
import { readFileSync } from 'node:fs';

const STEP_SAMPLES = 320;
const WAV_HEADER_BYTES = 44;

/** RMS per 20 ms of 16 kHz PCM. */
export function loudness(pcm: Int16Array): number[] {
  const steps: number[] = [];
  for (let at = 0; at + STEP_SAMPLES <= pcm.length; at += STEP_SAMPLES) {
    let sum = 0;
    for (let sample = at; sample < at + STEP_SAMPLES; sample += 1) sum += (pcm[sample] ?? 0) ** 2;
    steps.push(Math.sqrt(sum / STEP_SAMPLES));
  }
  return steps;
}

export function readWav(path: string): Int16Array {
  const bytes = readFileSync(path);
  const samples = new Int16Array((bytes.length - WAV_HEADER_BYTES) >> 1);
  for (let index = 0; index < samples.length; index += 1) samples[index] = bytes.readInt16LE(WAV_HEADER_BYTES + index * 2);
  return samples;
}

/** Correlation (0…1) of the loudness of `expected` with the best matching stretch of `heard`. */
export function resemblance(heard: Int16Array, expected: Int16Array): number {
  const long = loudness(heard);
  const pattern = loudness(expected);
  let best = 0;
  for (let lag = 0; lag + pattern.length <= long.length; lag += 1) best = Math.max(best, correlation(long, pattern, lag));
  return best;
}

function correlation(long: readonly number[], pattern: readonly number[], lag: number): number {
  const count = pattern.length;
  let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
  for (let index = 0; index < count; index += 1) {
    const a = long[lag + index] ?? 0;
    const b = pattern[index] ?? 0;
    sumA += a;
    sumB += b;
    sumAA += a * a;
    sumBB += b * b;
    sumAB += a * b;
  }
  const variance = Math.sqrt((count * sumAA - sumA ** 2) * (count * sumBB - sumB ** 2));
  return variance === 0 ? 0 : (count * sumAB - sumA * sumB) / variance;
}

/** Collects what a caller hears. */
export function ear(): { readonly onHeard: (pcm: Int16Array) => void; readonly heard: () => Int16Array } {
  const pieces: Int16Array[] = [];
  return {
    onHeard: (pcm) => void pieces.push(pcm.slice()),
    heard() {
      const whole = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
      let at = 0;
      for (const piece of pieces) {
        whole.set(piece, at);
        at += piece.length;
      }
      return whole;
    },
  };
}
