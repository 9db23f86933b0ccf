/** Windowed-sinc resampling of a whole utterance between any two rates whose ratio is rational. */

/** Zero crossings on each side: flat to about 0.9 of the lower Nyquist, aliases below -60 dB. */
const ZERO_CROSSINGS = 16;
const ROLL_OFF = 0.95;

interface Kernel {
  readonly up: number;
  readonly down: number;
  readonly taps: number;
  /** One filter per output phase, `taps` coefficients each. */
  readonly phases: Float64Array;
}

const kernels = new Map<string, Kernel>();

export function resample(pcm: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return pcm;
  const { up, down, taps, phases } = kernelFor(fromHz, toHz);
  const out = new Int16Array(Math.floor((pcm.length * up) / down));
  const half = taps / 2;
  for (let n = 0; n < out.length; n++) {
    const position = n * down;
    const centre = Math.floor(position / up);
    const offset = (position % up) * taps;
    const first = centre - half + 1;
    let sum = 0;
    for (let k = Math.max(0, -first); k < taps && first + k < pcm.length; k++) sum += (pcm[first + k] ?? 0) * (phases[offset + k] ?? 0);
    out[n] = Math.max(-32_768, Math.min(32_767, Math.round(sum)));
  }
  return out;
}

function kernelFor(fromHz: number, toHz: number): Kernel {
  const key = `${fromHz}:${toHz}`;
  const known = kernels.get(key);
  if (known !== undefined) return known;
  const divisor = gcd(fromHz, toHz);
  const [up, down] = [toHz / divisor, fromHz / divisor];
  const cutoff = Math.min(1, toHz / fromHz) * ROLL_OFF;
  const half = Math.ceil(ZERO_CROSSINGS / cutoff);
  const taps = half * 2;
  const phases = new Float64Array(up * taps);
  for (let phase = 0; phase < up; phase++)
    fillPhase(phases.subarray(phase * taps, (phase + 1) * taps), { phase: phase / up, cutoff, half });
  const kernel = { up, down, taps, phases };
  kernels.set(key, kernel);
  return kernel;
}

function fillPhase(filter: Float64Array, { phase, cutoff, half }: { phase: number; cutoff: number; half: number }): void {
  let gain = 0;
  for (let k = 0; k < filter.length; k++) {
    const distance = k - half + 1 - phase;
    const x = Math.PI * cutoff * distance;
    const sinc = x === 0 ? 1 : Math.sin(x) / x;
    const ratio = Math.min(1, Math.abs(distance) / half);
    // Blackman window, centred on the output sample.
    const window = 0.42 + 0.5 * Math.cos(Math.PI * ratio) + 0.08 * Math.cos(2 * Math.PI * ratio);
    filter[k] = sinc * window;
    gain += sinc * window;
  }
  for (let k = 0; k < filter.length; k++) filter[k] = (filter[k] ?? 0) / gain;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
