/** Brings every voice to one loudness, without clipping. */

/** About -20 dBFS over the whole utterance: what telephone prompts are recorded at. */
const TARGET_RMS = 3_200;
/** -1.5 dBFS: room for the resampler after this. */
const HIGHEST_PEAK = 27_500;

/** Gain is per utterance, so words keep their stress. */
export function normaliseLevel(pcm: Int16Array): Int16Array {
  let [sum, peak] = [0, 0];
  for (let i = 0; i < pcm.length; i++) {
    const sample = pcm[i] ?? 0;
    sum += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  if (peak === 0) return pcm;
  const gain = Math.min(TARGET_RMS / Math.sqrt(sum / pcm.length), HIGHEST_PEAK / peak);
  return pcm.map((sample) => Math.round(sample * gain));
}
