/**
 * G.711 by table: one look-up per sample, nothing allocated. ITU-T G.711 (11/88), tables 1 and 2.
 *
 *   μ-law, all bits inverted on the wire        A-law, even bits inverted on the wire (⊕ 0x55)
 *    7   6 5 4   3 2 1 0                         7   6 5 4   3 2 1 0
 *   ┌───┬───────┬─────────┐                     ┌───┬───────┬─────────┐
 *   │ s │ chord │  step   │  s 1: positive      │ s │ chord │  step   │  s 1: positive
 *   └───┴───────┴─────────┘                     └───┴───────┴─────────┘
 *   |x| = ((33 + 2·step) << chord) − 33, × 4    |x| = 2·step + 1 (chord 0), (2·step + 33) << (chord − 1), × 8
 *
 *   0xFF 0, 0x7F −0, 0x80 +32124, 0x00 −32124   0xD5 +8, 0x55 −8, 0xAA +32256, 0x2A −32256
 */
export interface G711Law {
  /** By code, 16-bit linear. */
  readonly linear: Int16Array;
  /** By sample & 0xffff. */
  readonly codes: Uint8Array;
}

const CODES = 256;
const SAMPLES = 65_536;
const MU_BIAS = 132;
const MU_CLIP = 32_635;

export const muLaw: G711Law = lawOf(muLawValue, muLawCode);
export const aLaw: G711Law = lawOf(aLawValue, aLawCode);

/** Fills `pcm` from as many codes. @returns how many samples were written: the shorter length. */
export function decodeG711(law: G711Law, codes: Uint8Array, pcm: Int16Array): number {
  const { linear } = law;
  const samples = Math.min(codes.length, pcm.length);
  for (let i = 0; i < samples; i++) pcm[i] = linear[codes[i] as number] as number;
  return samples;
}

/** Fills `codes` from as many samples. @returns how many codes were written: the shorter length. */
export function encodeG711(law: G711Law, pcm: Int16Array, codes: Uint8Array): number {
  const table = law.codes;
  const samples = Math.min(codes.length, pcm.length);
  for (let i = 0; i < samples; i++) codes[i] = table[(pcm[i] as number) & 0xff_ff] as number;
  return samples;
}

function lawOf(valueOf: (code: number) => number, codeOf: (sample: number) => number): G711Law {
  const linear = new Int16Array(CODES);
  for (let code = 0; code < CODES; code++) linear[code] = valueOf(code);
  const codes = new Uint8Array(SAMPLES);
  for (let sample = -32_768; sample < 32_768; sample++) codes[sample & 0xff_ff] = codeOf(sample);
  return { linear, codes };
}

function muLawValue(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = (((bits & 0x0f) << 3) + MU_BIAS) << ((bits >> 4) & 0x07);
  return (bits & 0x80) === 0 ? magnitude - MU_BIAS : MU_BIAS - magnitude;
}

function muLawCode(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), MU_CLIP) + MU_BIAS;
  const chord = 24 - Math.clz32(magnitude);
  return ~(sign | (chord << 4) | ((magnitude >> (chord + 3)) & 0x0f)) & 0xff;
}

function aLawValue(code: number): number {
  const bits = code ^ 0x55;
  const [chord, step] = [(bits >> 4) & 0x07, bits & 0x0f];
  const magnitude = chord === 0 ? (step << 4) + 8 : ((step << 4) + 0x1_08) << (chord - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}

function aLawCode(sample: number): number {
  // One's complement of what is negative: −1 … −16 are as near to −8 as 0 … 15 are to 8.
  const magnitude = (sample < 0 ? ~sample : sample) >> 4;
  const chord = magnitude < 32 ? magnitude >> 4 : 28 - Math.clz32(magnitude);
  const step = chord < 2 ? magnitude & 0x0f : (magnitude >> (chord - 1)) & 0x0f;
  return ((sample < 0 ? 0 : 0x80) | (chord << 4) | step) ^ 0x55;
}
