import { analyse } from '../../setup/demo/analyse.ts';
import { createListener, speechSegments } from '../../setup/demo/hear.ts';
import { formatWav, parseWav } from '../../setup/demo/wav.ts';

const RATE = 16_000;

/** Silence with a 440 Hz tone in each stretch [fromMs, toMs]. */
function tones(durationMs: number, stretches: readonly (readonly [number, number])[], amplitude = 8_000): Int16Array {
  const pcm = new Int16Array((durationMs * RATE) / 1_000);
  for (const [from, to] of stretches) {
    for (let i = (from * RATE) / 1_000; i < (to * RATE) / 1_000; i++)
      pcm[i] = Math.round(amplitude * Math.sin((i * 2 * Math.PI * 440) / RATE));
  }
  return pcm;
}

/** Energy is judged in 20 ms windows. */
const near = (expectedMs: number) => ({
  asymmetricMatch: (value: unknown) => typeof value === 'number' && Math.abs(value - expectedMs) <= 20,
});

describe('analyse', () => {
  it('measures the first audio and the answer to each caller utterance', () => {
    const measures = analyse({
      sampleRate: RATE,
      agent: tones(10_000, [
        [400, 2_000],
        [4_600, 6_000],
        [8_900, 9_500],
      ]),
      caller: tones(10_000, [
        [2_500, 4_000],
        [7_000, 8_000],
      ]),
    });
    expect(measures.timeToFirstAudioMs).toEqual(near(400));
    expect(measures.utterances.map((utterance) => utterance.latencyMs)).toEqual([near(600), near(900)]);
    expect(measures.utterances.every((utterance) => utterance.bargeInStopMs === undefined)).toBe(true);
    expect(measures.durationMs).toBe(10_000);
    expect(measures.longestSilenceMs).toEqual(near(1_000));
  });

  it('measures an interruption from its onset to the lasting silence of the agent', () => {
    const measures = analyse({
      sampleRate: RATE,
      agent: tones(9_000, [
        [1_000, 2_300],
        [5_000, 6_000],
      ]),
      caller: tones(9_000, [[2_000, 4_000]]),
    });
    expect(measures.utterances[0]?.bargeInStopMs).toEqual(near(300));
    expect(measures.utterances[0]?.latencyMs).toEqual(near(1_000));
  });

  it('does not count a short pause of the agent as a stop', () => {
    const measures = analyse({
      sampleRate: RATE,
      agent: tones(9_000, [
        [1_000, 2_200],
        [2_500, 3_100],
      ]),
      caller: tones(9_000, [[2_000, 5_000]]),
    });
    expect(measures.utterances[0]?.bargeInStopMs).toEqual(near(1_100));
  });

  it('reports an unanswered utterance as null, never as a number', () => {
    const measures = analyse({ sampleRate: RATE, agent: tones(5_000, [[100, 900]]), caller: tones(5_000, [[1_500, 2_500]]) });
    expect(measures.utterances).toEqual([expect.objectContaining({ latencyMs: null })]);
  });

  it('gives an answer to the utterance before it, not to an earlier unanswered one', () => {
    const measures = analyse({
      sampleRate: RATE,
      agent: tones(9_000, [[7_000, 8_000]]),
      caller: tones(9_000, [
        [1_000, 2_000],
        [4_000, 6_000],
      ]),
    });
    expect(measures.utterances.map((utterance) => utterance.latencyMs)).toEqual([null, near(1_000)]);
  });

  it('counts the time before the recorder saw its first frame as waiting for the first audio', () => {
    const tracks = { sampleRate: RATE, agent: tones(3_000, [[400, 2_000]]), caller: new Int16Array(3 * RATE) };
    expect(analyse({ ...tracks, beginMs: 150 }).timeToFirstAudioMs).toEqual(near(550));
  });

  it('survives a silent call', () => {
    const silence = new Int16Array(RATE);
    expect(analyse({ sampleRate: RATE, agent: silence, caller: silence })).toMatchObject({
      timeToFirstAudioMs: null,
      utterances: [],
      longestSilenceMs: 0,
    });
  });

  it('counts samples at full scale', () => {
    const agent = tones(1_000, [[100, 200]]);
    agent.fill(32_767, 8_000, 8_010);
    agent[9_000] = -32_768;
    expect(analyse({ sampleRate: RATE, agent, caller: new Int16Array(RATE) }).clippedSamples).toEqual({ caller: 0, agent: 10 });
  });
});

describe('speechSegments', () => {
  it('ignores clicks and noise below the threshold', () => {
    expect(speechSegments(tones(2_000, [[500, 515]]), RATE)).toEqual([]);
    expect(speechSegments(tones(2_000, [[500, 1_500]], 60), RATE)).toEqual([]);
  });

  it('bridges gaps under 200 ms only', () => {
    const segments = speechSegments(
      tones(4_000, [
        [500, 1_000],
        [1_150, 1_500],
        [2_000, 2_500],
      ]),
      RATE,
    );
    expect(segments).toEqual([
      { startMs: near(500), endMs: near(1_500) },
      { startMs: near(2_000), endMs: near(2_500) },
    ]);
  });
});

describe('createListener', () => {
  it('hears the same in 20 ms frames as in one piece', () => {
    const pcm = tones(3_000, [
      [700, 1_400],
      [2_000, 2_300],
    ]);
    const framed = createListener(RATE);
    const changes = [];
    for (let at = 0; at < pcm.length; at += 320) changes.push(...framed.push(pcm.subarray(at, at + 320)));
    expect(changes).toEqual(createListener(RATE).push(pcm));
    expect(changes.map((change) => change.kind)).toEqual(['on', 'off', 'on', 'off']);
  });
});

describe('parseWav', () => {
  it('reads back what formatWav wrote, and the first of two channels', () => {
    const [left, right] = [tones(100, [[0, 100]]), new Int16Array(1_600)];
    expect(parseWav(formatWav(RATE, [left]))).toEqual({ sampleRate: RATE, pcm: left });
    expect(parseWav(formatWav(RATE, [left, right])).pcm).toEqual(left);
  });

  it('refuses what is no WAV', () => {
    expect(() => parseWav(Buffer.from('hello, this is no sound at all'))).toThrow('not a WAV file');
  });
});
