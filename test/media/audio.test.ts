import { Resampler } from '../../src/media/audio/resampler.ts';
import { MAX_UTTERANCE_MS, UtteranceBuffer } from '../../src/media/audio/utterance-buffer.ts';

const tone = (hz: number, rate: number, ms: number) =>
  Int16Array.from({ length: (rate * ms) / 1_000 }, (_, i) => Math.round(10_000 * Math.sin((2 * Math.PI * hz * i) / rate)));
const rms = (pcm: Int16Array) => Math.sqrt(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length);

function resampleInChunks(pcm: Int16Array, from: number, to: number, chunk: number): Int16Array {
  const resampler = new Resampler(from, to);
  const out: number[] = [];
  for (let at = 0; at < pcm.length; at += chunk) out.push(...resampler.process(pcm.subarray(at, at + chunk)));
  return Int16Array.from(out);
}

describe('Resampler', () => {
  test.each([
    [24_000, 16_000],
    [16_000, 8_000],
    [16_000, 24_000],
    [8_000, 16_000],
  ])('%i → %i Hz keeps a 1 kHz tone at its level and the length right', (from, to) => {
    const out = resampleInChunks(tone(1_000, from, 1_000), from, to, 480);
    expect(Math.abs(out.length - to)).toBeLessThan(to / 100);
    expect(rms(out.subarray(200, -200)) / (10_000 / Math.SQRT2)).toBeCloseTo(1, 1);
  });

  test('removes what the lower rate cannot carry instead of folding it down', () => {
    const out = resampleInChunks(tone(6_000, 16_000, 500), 16_000, 8_000, 320);
    expect(rms(out.subarray(200, -200))).toBeLessThan(100);
  });

  test('24 → 8 kHz, a voice on a narrow line, keeps what the line carries and folds nothing audible into it', () => {
    const level = (hz: number) =>
      rms(resampleInChunks(tone(hz, 24_000, 500), 24_000, 8_000, 480).subarray(200, -200)) / (10_000 / Math.SQRT2);
    expect(level(3_000)).toBeGreaterThan(0.9);
    for (const hz of [4_800, 5_000, 6_000, 7_500]) expect(level(hz)).toBeLessThan(0.01);
  });

  test('gives the same samples however the stream is cut', () => {
    const pcm = tone(440, 24_000, 200);
    expect(resampleInChunks(pcm, 24_000, 16_000, 7)).toEqual(resampleInChunks(pcm, 24_000, 16_000, 4_800));
  });

  test('full-scale input does not wrap around', () => {
    const square = Int16Array.from({ length: 2_400 }, (_, i) => (i % 48 < 24 ? 32_767 : -32_768));
    const out = resampleInChunks(square, 24_000, 16_000, 480);
    // A wrapped sample would jump from one rail to the other inside a plateau.
    for (let i = 40; i < out.length - 40; i++) {
      const step = Math.abs((out[i] as number) - (out[i - 1] as number));
      expect(step).toBeLessThan(60_000);
    }
  });
});

describe('UtteranceBuffer', () => {
  const chunk = (value: number) => new Int16Array(320).fill(value);

  test('keeps 400 ms before the speech was noticed, and all after', () => {
    const buffer = new UtteranceBuffer(16_000);
    for (let i = 0; i < 100; i++) buffer.push(chunk(i));
    buffer.open();
    for (let i = 100; i < 150; i++) buffer.push(chunk(i));
    const whole = buffer.snapshot();
    expect(whole.length).toBe((20 + 50) * 320);
    expect(whole[0]).toBe(80);
    expect(whole.at(-1)).toBe(149);
  });

  test('is bounded for a caller who never stops', () => {
    const buffer = new UtteranceBuffer(16_000);
    buffer.open();
    for (let i = 0; i < 2_000; i++) buffer.push(chunk(i));
    expect(buffer.snapshot().length).toBe((16_000 * MAX_UTTERANCE_MS) / 1_000);
    expect(buffer.snapshot().at(-1)).toBe(1_999);
  });
});
