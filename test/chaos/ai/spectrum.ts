/** Speech as a picture: the loudness of ten bands every 16 ms. Cheap, and the same words in the same voice look the same. Pure. */

export const BANDS = 10;
export const HOP_MS = 16;
/** 16 kHz */
const HOP_SAMPLES = 256;
const WINDOW = 512;
/** 200 Hz to 4 kHz, each a little wider than the one below, in bins of 31.25 Hz. */
const EDGES = [6, 10, 15, 20, 26, 34, 44, 57, 74, 98, 128];
/** Below this a band counts as silent, so that noise does not look like anything. */
const FLOOR_DB = 25;

/** Frames × BANDS, decibels above the floor. */
export type Picture = Float32Array;

const hann = Float32Array.from({ length: WINDOW }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW));

/** @param pcm 16 kHz mono */
export function pictureOf(pcm: Int16Array): Picture {
  const frames = Math.max(0, Math.floor((pcm.length - WINDOW) / HOP_SAMPLES) + 1);
  const picture = new Float32Array(frames * BANDS);
  const [re, im] = [new Float32Array(WINDOW), new Float32Array(WINDOW)];
  for (let frame = 0; frame < frames; frame++) {
    for (let i = 0; i < WINDOW; i++) re[i] = (pcm[frame * HOP_SAMPLES + i] ?? 0) * (hann[i] ?? 0);
    im.fill(0);
    transform(re, im);
    for (let band = 0; band < BANDS; band++) picture[frame * BANDS + band] = bandLevel(re, im, band);
  }
  return picture;
}

export const framesOf = (picture: Picture): number => picture.length / BANDS;

function bandLevel(re: Float32Array, im: Float32Array, band: number): number {
  let power = 0;
  for (let bin = EDGES[band] ?? 0; bin < (EDGES[band + 1] ?? 0); bin++) power += (re[bin] ?? 0) ** 2 + (im[bin] ?? 0) ** 2;
  return Math.max(0, 10 * Math.log10(power / WINDOW + 1) - FLOOR_DB);
}

/** Radix-2, in place. */
function transform(re: Float32Array, im: Float32Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [re[i], re[j]] = [re[j] ?? 0, re[i] ?? 0];
    [im[i], im[j]] = [im[j] ?? 0, im[i] ?? 0];
  }
  for (let size = 2; size <= n; size <<= 1) butterflies(re, im, size);
}

function butterflies(re: Float32Array, im: Float32Array, size: number): void {
  const half = size >> 1;
  for (let k = 0; k < half; k++) {
    const [cos, sin] = [Math.cos((-2 * Math.PI * k) / size), Math.sin((-2 * Math.PI * k) / size)];
    for (let at = k; at < re.length; at += size) {
      const [a, b] = [re[at + half] ?? 0, im[at + half] ?? 0];
      const [x, y] = [a * cos - b * sin, a * sin + b * cos];
      re[at + half] = (re[at] ?? 0) - x;
      im[at + half] = (im[at] ?? 0) - y;
      re[at] = (re[at] ?? 0) + x;
      im[at] = (im[at] ?? 0) + y;
    }
  }
}
