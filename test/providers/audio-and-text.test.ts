/** The small parts between the wire and the native programs. */
import { splitTokens } from '../../src/providers/embedded/completion/tokens.ts';
import { trigramModel } from '../../src/providers/embedded/recognition/trigram-model.ts';
import { unroll } from '../../src/providers/embedded/recognition/sentence-generator.ts';
import { resample } from '../../src/providers/embedded/resample.ts';
import { normaliseLevel } from '../../src/providers/embedded/speech/level.ts';
import { splitSentences } from '../../src/providers/embedded/speech/sentences.ts';
import { trimSilence } from '../../src/providers/embedded/speech/silence.ts';
import { PcmJoiner } from '../../src/providers/openai/pcm-joiner.ts';
import { decodeWav, encodeWav, wavHeader } from '../../src/providers/wav.ts';

const tone = (hz: number, options: { rate: number; seconds: number; amplitude?: number }): Int16Array =>
  Int16Array.from({ length: options.rate * options.seconds }, (_, i) =>
    Math.round((options.amplitude ?? 8_000) * Math.sin((2 * Math.PI * hz * i) / options.rate)),
  );

const rms = (pcm: Int16Array): number => Math.sqrt(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length);

describe('PcmJoiner', () => {
  it.each([[[1, 1, 1, 1, 1, 1]], [[3, 3]], [[0, 5, 1]], [[2, 1, 3]], [[6]]])('gives the same samples for chunks of %j bytes', (sizes) => {
    const bytes = Buffer.from(Int16Array.of(1, -2, 32_767).buffer);
    const joiner = new PcmJoiner();
    let at = 0;
    const samples = sizes.flatMap((size) => [...joiner.push(bytes.subarray(at, (at += size)))]);
    expect(samples).toEqual([1, -2, 32_767]);
    expect([joiner.samples, joiner.halfSample]).toEqual([3, false]);
  });

  it('knows when half a sample is left', () => {
    const joiner = new PcmJoiner();
    joiner.push(Uint8Array.of(1, 2, 3));
    expect([joiner.samples, joiner.halfSample]).toEqual([1, true]);
  });
});

describe('decodeWav', () => {
  it('reads back what encodeWav wrote', () => {
    const pcm = Int16Array.of(0, 1, -1, 32_767, -32_768);
    expect(decodeWav(encodeWav({ pcm, sampleRate: 8_000 }))).toEqual({ pcm, sampleRate: 8_000 });
  });

  it('reads a stream whose length was not known, averages two channels, and passes over other chunks', () => {
    const samples = Buffer.from(Int16Array.of(10, 20, -10, -30).buffer);
    const open = Buffer.concat([wavHeader(24_000), samples]);
    expect([...decodeWav(open).pcm]).toEqual([10, 20, -10, -30]);
    open.writeUInt16LE(2, 22);
    const note = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
    const stereo = Buffer.concat([open.subarray(0, 36), note, open.subarray(36)]);
    expect([...decodeWav(stereo).pcm]).toEqual([15, -20]);
  });

  it.each([
    [Buffer.from('no sound')],
    [Buffer.alloc(0)],
    [wavHeader(8_000).subarray(0, 30)],
    [Buffer.from(wavHeader(8_000)).fill(3, 20, 21)],
  ])('refuses what is not 16-bit PCM', (bytes) => {
    expect(() => decodeWav(bytes)).toThrow(RangeError);
  });
});

describe('resample', () => {
  it.each([
    [16_000, 24_000],
    [8_000, 16_000],
    [44_100, 16_000],
    [24_000, 16_000],
  ])('keeps a tone and its level from %i to %i Hz', (from, to) => {
    const out = resample(tone(1_000, { rate: from, seconds: 0.5 }), from, to);
    expect(out.length).toBeCloseTo(to / 2, -1);
    const expected = tone(1_000, { rate: to, seconds: 0.5 });
    const middle = [to / 8, (3 * to) / 8] as const;
    const difference = out.slice(...middle).map((sample, i) => sample - (expected.slice(...middle)[i] ?? 0));
    expect(rms(difference)).toBeLessThan(80);
  });

  it('removes what the lower rate cannot hold', () => {
    expect(rms(resample(tone(11_000, { rate: 24_000, seconds: 0.5 }), 24_000, 16_000).slice(1_000, 7_000))).toBeLessThan(40);
  });
});

describe('trimSilence', () => {
  it('keeps a little silence around the speech', () => {
    const speech = tone(300, { rate: 16_000, seconds: 1 });
    const padded = Int16Array.from([...new Int16Array(3_200), ...speech, ...new Int16Array(3_200)]);
    expect(trimSilence(padded, 16_000, { beforeMs: 20, afterMs: 60 }).length).toBeCloseTo(16_000 + 320 + 960, -2);
    expect(trimSilence(new Int16Array(1_600), 16_000, { beforeMs: 0, afterMs: 0 }).length).toBe(1_600);
  });
});

describe('normaliseLevel', () => {
  it('brings quiet and loud speech to one level, and never clips', () => {
    const [quiet, loud] = [200, 30_000].map((amplitude) => normaliseLevel(tone(300, { rate: 16_000, seconds: 0.2, amplitude })));
    expect(rms(quiet ?? new Int16Array(1))).toBeCloseTo(rms(loud ?? new Int16Array(1)), -2);
    const spike = Int16Array.from({ length: 1_000 }, (_, i) => (i === 500 ? 20_000 : 10));
    expect(Math.max(...normaliseLevel(spike))).toBeLessThan(32_767);
  });
});

describe('splitSentences', () => {
  it.each([
    ['Hello. How are you? Fine!', ['Hello.', 'How are you?', 'Fine!']],
    ['We open at 9:30 AM. Bye', ['We open at 9:30 a m.', 'Bye']],
    ['It costs 4.50 today', ['It costs 4.50 today']],
    ['**One** – “two”', ['One, two']],
    ['...', []],
    ['', []],
  ])('splits %j', (text, sentences) => {
    expect(splitSentences(text)).toEqual(sentences);
  });

  it('cuts a sentence that does not end, and loses no word', () => {
    const words = Array.from({ length: 200 }, (_, i) => `word${i},`).join(' ');
    const pieces = splitSentences(words);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(240);
    expect(pieces.join(' ')).toBe(words);
  });
});

it('splitTokens loses nothing', () => {
  const text = ' Thank you,  appointments are "free"\n{"date":"2026-11-23"}';
  expect(splitTokens(text).join('')).toBe(text);
  expect(splitTokens(text).length).toBeGreaterThan(10);
});

describe('the language model', () => {
  const grammar = { topics: [{ weight: 1, templates: ['book {day} {maybe}'] }], fillings: { day: '(monday|friday)', maybe: '(please|)' } };

  it('is made of all sentences of a grammar, the same every time', () => {
    const sentences = unroll(grammar, 200);
    expect(sentences.length).toBe(200);
    expect(new Set(sentences)).toEqual(new Set(['book monday', 'book friday', 'book monday please', 'book friday please']));
    expect(unroll(grammar, 200)).toEqual(sentences);
    expect(() => unroll({ topics: [{ weight: 1, templates: ['{a}'] }], fillings: { a: '{a}' } }, 1)).toThrow(/does not come to an end/);
  });

  it('gives every history probabilities that add up to one, with what it leaves to the general model', () => {
    const words = new Map([
      ['newspaper', 3],
      ['please', 1],
    ]);
    const model = trigramModel({
      sentences: unroll(grammar, 200),
      general: { words, pairs: new Map([['newspaper please', 0.5]]) },
      generalShare: 0.2,
    });
    expect(model).toMatch(/^-\d\.\d+ newspaper please$/m);
    const section = (n: number) =>
      (model.split(`\\${n}-grams:\n`)[1] ?? '')
        .split('\n\n')[0]
        ?.split('\n')
        .map((line) => line.split(' ')) ?? [];
    const [one, two] = [section(1), section(2)];
    const p = (value: string | undefined) => 10 ** Number(value);
    const singles = one.filter(([, word]) => word !== '<s>');
    expect(singles.reduce((sum, [log]) => sum + p(log), 0)).toBeCloseTo(1, 2);
    const backoff = p(one.find(([, word]) => word === 'book')?.[2]);
    const after = singles.map(([log, word]) => {
      const seen = two.find(([, first, second]) => first === 'book' && second === word);
      return seen === undefined ? backoff * p(log) : p(seen[0]);
    });
    expect(after.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 2);
    expect(singles.map(([, word]) => word)).toContain('newspaper');
  });
});
