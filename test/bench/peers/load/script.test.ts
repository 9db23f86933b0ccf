import { ReplyMeter } from './reply-meter.ts';
import { converse, type TurnResult } from './script.ts';

const FRAME_MS = 20;
const SPEECH = Array.from({ length: 113 }, () => 'speech');

type Line = { meter: ReplyMeter; lost: string | null };

/** Runs the script against a bot that is told of every frame as it is sent, on a clock that stands still in between. */
function run(bot: (line: Line, frame: string, nowMs: number) => void, talk: { turns: number; bargeIns: number }) {
  const line: Line = { meter: new ReplyMeter(), lost: null };
  const results: TurnResult[] = [];
  const frames = converse({
    caller: 3,
    ...talk,
    speech: SPEECH,
    silence: () => 'silence',
    meter: line.meter,
    lost: () => line.lost,
    onResult: (result) => results.push(result),
  });
  const sent: string[] = [];
  let nowMs = 0;
  for (let frame = frames.next(0); frame.done !== true; frame = frames.next(nowMs)) {
    nowMs += FRAME_MS;
    sent.push(frame.value);
    bot(line, frame.value, nowMs);
  }
  return { results, sent };
}

/** Answers so long after the last word with so much audio, in real time. */
function answering(afterMs: number, audioMs: number): Parameters<typeof run>[0] {
  let spokenMs = 0;
  return (line, frame, nowMs) => {
    if (frame === 'speech') spokenMs = nowMs;
    const ago = nowMs - spokenMs;
    if (spokenMs > 0 && ago >= afterMs && ago < afterMs + audioMs) line.meter.frame(nowMs, FRAME_MS);
  };
}

describe('converse', () => {
  test('times every reply from the last word, and lets it end before the next', () => {
    const { results, sent } = run(answering(600, 1_000), { turns: 2, bargeIns: 0 });
    expect(results.map(({ turn, kind, latencyMs, failure, audioMs }) => [turn, kind, latencyMs, failure, audioMs])).toEqual([
      [0, 'turn', 600, null, 1_000],
      [1, 'turn', 600, null, 1_000],
    ]);
    expect(sent.slice(0, 51)).toEqual([...Array.from({ length: 50 }, () => 'silence'), 'speech']);
    const between = sent.lastIndexOf('silence', sent.lastIndexOf('speech')) - sent.lastIndexOf('speech', sent.lastIndexOf('speech') - 113);
    // The reply until its last frame at 1580 ms, what that still plays, and the pause after it.
    expect(between * FRAME_MS).toBeGreaterThanOrEqual(1_580 + 20 + 900);
    expect(between * FRAME_MS).toBeLessThanOrEqual(1_580 + 20 + 900 + 2 * FRAME_MS);
  });

  test('gives a reply eight seconds, and goes on with the next turn', () => {
    const { results } = run(answering(9_000, 1_000), { turns: 2, bargeIns: 0 });
    expect(results.map(({ latencyMs, failure }) => [latencyMs, failure])).toEqual([
      [null, 'timeout'],
      [null, 'timeout'],
    ]);
  });

  test('takes no reply for an answer that begins while the caller speaks', () => {
    const { results } = run((line, frame, nowMs) => frame === 'speech' && line.meter.frame(nowMs, FRAME_MS), { turns: 1, bargeIns: 0 });
    expect(results).toMatchObject([{ latencyMs: null, failure: 'early reply', early: true }]);
  });

  test('times a clear from the first interrupting word, and then the answer to it', () => {
    const answer = answering(600, 3_000);
    let words = 0;
    const { results } = run(
      (line, frame, nowMs) => {
        if (frame === 'speech') words++;
        if (words === SPEECH.length + 6 && line.meter.clearedMs === null) line.meter.clear(nowMs);
        answer(line, frame, nowMs);
      },
      { turns: 0, bargeIns: 1 },
    );
    expect(results.map(({ kind, latencyMs, failure }) => [kind, latencyMs, failure])).toEqual([
      ['barge_in', 100, null],
      ['after_barge_in', 600, null],
    ]);
  });

  test('says that nothing was cleared, and that there was nothing to clear', () => {
    expect(run(answering(600, 3_000), { turns: 0, bargeIns: 1 }).results[0]).toMatchObject({ kind: 'barge_in', failure: 'no clear' });
    const silent = run(() => undefined, { turns: 0, bargeIns: 1 }).results;
    expect(silent).toMatchObject([{ kind: 'barge_in', failure: 'no reply to interrupt: timeout' }]);
  });

  test('ends with the line', () => {
    const { results } = run((line, frame) => frame === 'speech' && (line.lost = 'closed (1006)'), { turns: 5, bargeIns: 1 });
    expect(results).toMatchObject([{ turn: 0, latencyMs: null, failure: 'closed (1006)' }]);
  });
});
