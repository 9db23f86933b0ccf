/**
 * Streaming polyphase resampler for 16-bit mono speech: windowed-sinc low-pass at the lower of the
 * two Nyquist rates, one dot product per output sample, state kept between chunks. Covers the
 * rates of this house (8, 16, 24, 48 kHz), where from/to reduces to a small fraction L/M.
 */
const TAPS_PER_PHASE = 24;
/** The same width of the filter in time, 3 ms, where a third of the band is left: with fewer, sibilants fold down into a caller's ear. */
const TAPS_THIRD_BAND = 72;

export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  readonly #phases: readonly Float32Array[];
  /** Last taps of the previous chunk, then the present one. */
  #input = new Float32Array(0);
  /** Position of the next output in units of 1/up input samples, relative to #input[0]. */
  #position = 0;

  constructor(fromHz: number, toHz: number) {
    const divisor = gcd(fromHz, toHz);
    this.#up = toHz / divisor;
    this.#down = fromHz / divisor;
    this.#taps = this.#down >= 3 * this.#up ? TAPS_THIRD_BAND : TAPS_PER_PHASE;
    this.#phases = designPhases(this.#up, Math.max(this.#up, this.#down), this.#taps);
    this.#input = new Float32Array(this.#taps - 1);
  }

  /** Returns the output that this chunk completes; the rest follows with the next chunk. */
  process(chunk: Int16Array): Int16Array {
    if (this.#up === this.#down) return chunk;
    const kept = this.#input.length;
    const input = new Float32Array(kept + chunk.length);
    input.set(this.#input);
    for (let i = 0; i < chunk.length; i++) input[kept + i] = chunk[i] as number;

    const length = this.#taps;
    const lastStart = input.length - length;
    const output = new Int16Array(Math.max(0, Math.ceil(((lastStart + 1) * this.#up - this.#position) / this.#down)));
    let position = this.#position;
    for (let n = 0; n < output.length; n++) {
      const start = Math.floor(position / this.#up);
      const taps = this.#phases[position % this.#up] as Float32Array;
      let sum = 0;
      for (let k = 0; k < length; k++) sum += (input[start + k] as number) * (taps[length - 1 - k] as number);
      output[n] = sum > 32_767 ? 32_767 : sum < -32_768 ? -32_768 : Math.round(sum);
      position += this.#down;
    }
    const consumed = Math.min(Math.floor(position / this.#up), input.length);
    this.#input = input.slice(consumed);
    this.#position = position - consumed * this.#up;
    return output;
  }
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Phase p holds the taps h[p], h[p + up], …; each phase sums to one, so that DC passes unchanged. */
function designPhases(up: number, slowest: number, taps: number): Float32Array[] {
  const length = taps * up;
  const centre = (length - 1) / 2;
  const cutoff = 0.92 / slowest;
  const phases = Array.from({ length: up }, () => new Float32Array(taps));
  for (let i = 0; i < length; i++) {
    const x = i - centre;
    const sinc = x === 0 ? cutoff : Math.sin(Math.PI * cutoff * x) / (Math.PI * x);
    const window = 0.42 - 0.5 * Math.cos((2 * Math.PI * i) / (length - 1)) + 0.08 * Math.cos((4 * Math.PI * i) / (length - 1));
    (phases[i % up] as Float32Array)[Math.floor(i / up)] = sinc * window;
  }
  for (const phase of phases) {
    const sum = phase.reduce((total, tap) => total + tap, 0);
    for (let k = 0; k < phase.length; k++) phase[k] = (phase[k] as number) / sum;
  }
  return phases;
}
