import fc from 'fast-check';
import { aLaw, decodeG711, encodeG711, muLaw, type G711Law } from '../../src/media/audio/g711.ts';

const decoded = (law: G711Law, ...codes: number[]): number[] => {
  const pcm = new Int16Array(codes.length);
  decodeG711(law, Uint8Array.from(codes), pcm);
  return [...pcm];
};
const encoded = (law: G711Law, ...samples: number[]): number[] => {
  const codes = new Uint8Array(samples.length);
  encodeG711(law, Int16Array.from(samples), codes);
  return [...codes];
};

describe('G.711', () => {
  // Table 2a/G.711: decoder output values of the chords' ends, 14 bits there, 16 here (× 4).
  const muLawChords = [
    [0x80, 8_031],
    [0x8f, 4_191],
    [0x90, 3_999],
    [0x9f, 2_079],
    [0xa0, 1_983],
    [0xaf, 1_023],
    [0xb0, 975],
    [0xbf, 495],
    [0xc0, 471],
    [0xcf, 231],
    [0xd0, 219],
    [0xdf, 99],
    [0xe0, 93],
    [0xef, 33],
    [0xf0, 30],
    [0xfe, 2],
    [0xff, 0],
  ] as const;
  // Table 1a/G.711: 13 bits there, 16 here (× 8); the codes as they are sent, even bits inverted.
  const aLawChords = [
    [0xaa, 4_032],
    [0xa5, 2_112],
    [0xba, 2_016],
    [0xb5, 1_056],
    [0x8a, 1_008],
    [0x85, 528],
    [0x9a, 504],
    [0x95, 264],
    [0xea, 252],
    [0xe5, 132],
    [0xfa, 126],
    [0xf5, 66],
    [0xca, 63],
    [0xc5, 33],
    [0xda, 31],
    [0xd5, 1],
  ] as const;

  test.each(muLawChords)('μ-law 0x%s is %d of 8031', (code, value) => {
    expect(decoded(muLaw, code)).toEqual([value * 4]);
    // The other sign: the highest bit of the byte.
    expect(decoded(muLaw, code & 0x7f)).toEqual([value === 0 ? 0 : -value * 4]);
  });

  test.each(aLawChords)('A-law 0x%s is %d of 4032', (code, value) => {
    expect(decoded(aLaw, code)).toEqual([value * 8]);
    expect(decoded(aLaw, code & 0x7f)).toEqual([-value * 8]);
  });

  test('every code survives the way through linear and back; only μ-law’s minus zero becomes zero', () => {
    const codes = Array.from({ length: 256 }, (_, code) => code);
    expect(encoded(muLaw, ...decoded(muLaw, ...codes))).toEqual(codes.map((code) => (code === 0x7f ? 0xff : code)));
    expect(encoded(aLaw, ...decoded(aLaw, ...codes))).toEqual(codes);
  });

  test('what is too loud is clipped, not wrapped', () => {
    expect(encoded(muLaw, 32_767, -32_768)).toEqual([0x80, 0x00]);
    expect(encoded(aLaw, 32_767, -32_768)).toEqual([0xaa, 0x2a]);
  });

  test.each([
    ['μ-law', muLaw],
    ['A-law', aLaw],
  ] as const)('%s is never further off than half a step of its chord', (_name, law) => {
    const values = [...new Set(law.linear)].sort((a, b) => a - b);
    fc.assert(
      fc.property(fc.integer({ min: -32_000, max: 32_000 }), (sample) => {
        const [value = NaN] = decoded(law, ...encoded(law, sample));
        const at = values.indexOf(value);
        const step = Math.max(value - (values[at - 1] ?? value), (values[at + 1] ?? value) - value);
        expect(Math.abs(value - sample)).toBeLessThanOrEqual(step / 2);
      }),
    );
  });

  test('neither side writes beyond the shorter array', () => {
    const pcm = new Int16Array(2);
    expect(decodeG711(muLaw, Uint8Array.from([0x80, 0x80, 0x80]), pcm)).toBe(2);
    expect(encodeG711(muLaw, new Int16Array(3), new Uint8Array(1))).toBe(1);
  });
});
