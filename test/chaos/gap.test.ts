import { agentSpeaksAt, gapAt, gapsBetween, lengthMs, type Heard } from './gap.ts';

const sound = (...edges: number[]) =>
  Array.from({ length: edges.length / 2 }, (_, i) => ({ startMs: edges[2 * i] ?? 0, endMs: edges[2 * i + 1] ?? 0 }));

function gapMs(heard: Heard, atMs: number): number | null {
  const gap = gapAt(heard, atMs);
  return gap === null ? null : lengthMs(gap);
}

describe('gapAt', () => {
  test('is the silence from the last sound before the fault to the first after it', () => {
    expect(gapMs({ agent: sound(0, 5_040, 5_480, 9_000), caller: [] }, 5_000)).toBe(440);
  });

  test('sees past the pauses between words for the silence that the fault made', () => {
    expect(gapMs({ agent: sound(0, 4_990, 5_150, 5_900, 6_700, 9_000), caller: [] }, 5_000)).toBe(800);
  });

  test('there is none where the agent was silent, had finished, or was not heard again', () => {
    expect(gapMs({ agent: sound(0, 3_000, 6_000, 9_000), caller: [] }, 5_000)).toBeNull();
    expect(gapMs({ agent: sound(0, 5_100, 9_000, 9_900), caller: sound(6_000, 8_000) }, 5_000)).toBeNull();
    expect(gapMs({ agent: sound(0, 5_100), caller: [] }, 5_000)).toBeNull();
  });

  test('goes on while the caller asks into the silence', () => {
    expect(gapMs({ agent: sound(0, 5_000, 15_000, 19_000), caller: sound(11_000, 13_000) }, 5_000)).toBe(10_000);
  });

  test('a pause of before the fault, or of long after it, is not its', () => {
    expect(gapMs({ agent: sound(0, 2_000, 4_000, 5_050, 5_400, 9_500, 12_000, 13_000), caller: [] }, 5_000)).toBe(350);
  });
});

test('agentSpeaksAt allows for the time that the line takes', () => {
  const heard = { agent: sound(0, 4_900), caller: [] };
  expect(agentSpeaksAt(heard, 5_000)).toBe(true);
  expect(agentSpeaksAt(heard, 5_200)).toBe(false);
});

describe('gapsBetween', () => {
  test('counts what a caller would notice while the agent speaks, and no pause that the caller answers', () => {
    const agent = sound(0, 2_000, 2_400, 4_000, 5_000, 6_000, 9_000, 10_000, 12_000, 13_000);
    const heard = { agent, caller: sound(6_500, 8_000) };
    expect(gapsBetween(heard, 1_000, 20_000)).toEqual(sound(4_000, 5_000, 10_000, 12_000));
    expect(gapsBetween(heard, 1_000, 9_000)).toEqual(sound(4_000, 5_000));
  });
});
