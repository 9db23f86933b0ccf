import { passGate, silentGate, type SpeechEdge } from '../../src/media/vad/speech-gate.ts';

/** One probability per 32 ms window. */
function edges(probabilities: readonly number[]): SpeechEdge[] {
  let state = silentGate;
  return probabilities.flatMap((probability, index) => {
    const [next, edge] = passGate(state, { probability, startMs: index * 32, endMs: (index + 1) * 32 });
    state = next;
    return edge === null ? [] : [edge];
  });
}
const windows = (count: number, probability: number) => Array.from({ length: count }, () => probability);

describe('passGate', () => {
  test('tells when speech truly began and ended, not when it was noticed', () => {
    expect(edges([...windows(10, 0), ...windows(20, 0.9), ...windows(10, 0.1)])).toEqual([
      { type: 'speech_started', sinceMs: 320 },
      { type: 'speech_ended', sinceMs: 960 },
    ]);
  });
  test('a click of two windows is not speech', () => {
    expect(edges([0, 0.9, 0.9, 0, 0, 0])).toEqual([]);
  });
  test('a short dip does not end speech, nor does hovering between the thresholds', () => {
    expect(edges([...windows(10, 0.9), ...windows(4, 0.1), ...windows(10, 0.9), ...windows(20, 0.4)]).map((edge) => edge.type)).toEqual([
      'speech_started',
    ]);
  });
});
