/** flite leaves about 0.2 s of silence on both sides of a sentence; a caller waits through the first. */

const FRAME_MS = 5;
const THRESHOLD = 10 ** (-46 / 20) * 32_768;

export interface KeptSilence {
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** The speech of an utterance with this much silence kept around it; all of it when there is no speech. */
export function trimSilence(pcm: Int16Array, sampleRate: number, kept: KeptSilence): Int16Array {
  const frame = Math.round((sampleRate * FRAME_MS) / 1_000);
  const isLoud = (start: number): boolean => {
    let sum = 0;
    for (let i = start; i < start + frame; i++) sum += (pcm[i] ?? 0) ** 2;
    return Math.sqrt(sum / frame) > THRESHOLD;
  };
  let first = 0;
  while (first < pcm.length && !isLoud(first)) first += frame;
  if (first >= pcm.length) return pcm;
  let end = pcm.length;
  while (end > first && !isLoud(Math.max(0, end - frame))) end -= frame;
  const samples = (ms: number): number => Math.round((sampleRate * ms) / 1_000);
  return pcm.subarray(Math.max(0, first - samples(kept.beforeMs)), Math.min(pcm.length, end + samples(kept.afterMs)));
}
